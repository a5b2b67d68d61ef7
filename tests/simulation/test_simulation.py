"""Seeds that must hold, the same history from the same seed, and planted bugs that the simulator
must find by their symptom.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from headway.core import admission, plan
from headway.core import commands as core_commands
from headway.core.admission import Pool
from headway.core.retry import Retry
from headway.core.states import Event, State
from headway.core.upstream import Verdict
from headway.services import gateway, tick
from headway.store import changes, queue, reports, runs, sessions
from tests.simulation.world import Connections, World

SEEDS = range(20)
BUG_SEEDS = range(40)
CRASH_SEED, CRASHES = 2, 12


@pytest.fixture(scope="module")
def connections(postgres: str) -> Iterator[Connections]:
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_holds(seed: int, connections: Connections) -> None:
    World(seed, connections).run()


def test_the_same_seed_is_the_same_history(connections: Connections) -> None:
    hashes = set()
    for _ in range(2):
        world = World(3, connections)
        world.run()
        hashes.add(world.hash.hexdigest())
    assert len(hashes) == 1


def test_a_crash_at_any_point_changes_no_outcome(connections: Connections) -> None:
    """F01: some of the points; ``python -m tests.simulation --crashes`` takes every one."""
    dry = World(CRASH_SEED, connections)
    dry.run()
    for point in range(1, dry.points, max(1, dry.points // CRASHES)):
        World(CRASH_SEED, connections, crash_at=(point,)).run()


def run_all(connections: Connections) -> None:
    for seed in BUG_SEEDS:
        World(seed, connections).run()


# -- planted bugs


def one_slot_too_many(name: str, pool: Pool | None, *rest: Any) -> None:
    if pool is None:
        fill(name, pool, *rest)
        return
    pool.slots += 1
    fill(name, pool, *rest)
    pool.slots -= 1


def upstream_ignored(rule: Any, counts: Any) -> Verdict:
    return Verdict.RUN


def retried_for_ever(*args: Any) -> Retry:
    return Retry(1.0)


def losses_use_up_retries(run: Any, instance: Any, infrastructure: bool, *rest: Any) -> None:
    again(run, instance, False, *rest)


def cleared_at_once(run: Any, instance: Any, event: Event, actor: str) -> None:
    if event is Event.CLEAR:
        run.move(instance, event, "cleared", actor)
    else:
        intend(run, instance, event, actor)


def intent_forgotten(run: Any, instance: Any) -> None:
    run.move(instance, Event.SUCCEED if instance.state is State.RUNNING else Event.FAIL, "bug")


def not_the_version(conn: Any, ticker: Any, claimed: Any, now: Any) -> Any:
    """A model in memory is believed whatever the database holds."""
    for row in claimed:
        if (model := ticker.models.get(row.key)) is not None:
            model.version = row.version
    return load(conn, ticker, claimed, now)


def acknowledged_before(self: Any) -> list[Any]:
    self.acknowledge()
    return list(drain(self))


def lost_on_failure(self: Any, envelopes: Any) -> None:
    pass


def foreign_dropped(conn: Any, batch: Any) -> None:
    pass


def patient(conn: Any, now: Any, lease: timedelta) -> list[str]:
    """The lease ends before the agent's fence."""
    return expire(conn, now, timedelta(seconds=4))


fill, again, intend = admission.fill, plan.again, plan.intend
load, drain, expire = tick.load, gateway.Gateway.drain, sessions.expire

NO_LIMIT = queue.STARTABLE.replace("locked.max_active_runs - (", "99 - (")
NO_HISTORY = changes.WRITE_HISTORY.replace(
    "name text, state text, actor text, reason text)",
    "name text, state text, actor text, reason text) WHERE name <> 'retry'",
)
WAITING_CLAIM = runs.CLAIM.replace("FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE")

Bug = tuple[Any, str, object, str]
BUGS: list[Bug] = [
    (admission, "fill", one_slot_too_many, "I13 granted beyond"),
    (plan, "judge", upstream_ignored, "I12 ran before|S6"),
    (plan, "next_step", retried_for_ever, "I11 more attempts|S5|S6"),
    (plan, "again", losses_use_up_retries, "S6|I11"),
    (plan, "rescue", lambda *_: None, "S5"),
    (plan, "wake", lambda run: None, "I22|S5"),
    (core_commands, "intend", cleared_at_once, "S2|I23|I01|I26|one_live_attempt|I08|I13"),
    (plan, "fulfil", intent_forgotten, "S6|I09|S5|illegal"),
    (tick, "load", not_the_version, "I0|I2|S5|S6|rows were as loaded|duplicate key|illegal move"),
    (gateway.Gateway, "drain", acknowledged_before, "S3"),
    (gateway.Gateway, "give_back", lost_on_failure, "S3|S5"),
    (reports, "put", foreign_dropped, "S3"),
    (sessions, "expire", patient, "S2"),
    (queue, "STARTABLE", NO_LIMIT, "I14"),
    (changes, "WRITE_HISTORY", NO_HISTORY, "I05|I08|rows were as loaded|S5"),
    (runs, "CLAIM", WAITING_CLAIM, "F05 a tick waited"),
]


@pytest.mark.parametrize(
    ("module", "name", "bug", "symptom"), BUGS, ids=[f"{bug[1]}-{n}" for n, bug in enumerate(BUGS)]
)
def test_a_planted_bug_is_found(
    module: Any,
    name: str,
    bug: object,
    symptom: str,
    connections: Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, bug)
    with pytest.raises((AssertionError, psycopg.Error), match=symptom):
        run_all(connections)
