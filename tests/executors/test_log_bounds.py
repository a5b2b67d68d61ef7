"""The log bytes that a server takes from an agent elsewhere, whatever that agent counts and says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway import clock
from headway.agent import budget
from headway.agent.logs import FILE_BYTES_MAX
from headway.agent.protocol import (
    AttemptKey,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Put,
)
from headway.engine.scheduler import Scheduler
from headway.executors.agents.files import LOG_BYTES_MAX, Files, Job
from headway.executors.agents.gateway import LOG_MINUTES
from headway.paths import log_path
from tests.executors.test_credentials import greeted, teams
from tests.executors.test_files import answer, data, granted, scheduler
from tests.scenarios.test_gateway import Peer
from tests.scenarios.world import trigger, value

__all__ = ["data", "scheduler", "teams"]

SIZE = 64 * 1024  # fits into the socket of a test, which nobody else reads meanwhile
PIECE = b"x" * SIZE


def flood(scheduler: Scheduler, agent: Peer, key: AttemptKey, offset: int = 0) -> tuple[int, str]:
    """Send a log until it is refused. Returns how much was taken, and why no more."""
    for request in range(10_000, 20_000):
        piece = answer(scheduler, agent, Put(request + offset, key, "log", PIECE, offset))
        if piece.refused or piece.again:
            return offset, piece.refused
        offset += SIZE
    raise AssertionError("the server takes anything")


@pytest.mark.usefixtures("teams")
def test_an_agent_that_does_not_count_fills_no_disk(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, data: Path
) -> None:
    trigger(conn, team_id=1)
    agent = greeted(scheduler, tmp_path, "a", "sa")
    key, _ = granted(scheduler, agent)
    taken, why = flood(scheduler, agent, key)
    assert taken == FILE_BYTES_MAX, "as much as an agent of ours writes at most"
    assert why == "the server says: the file is larger than 20 MB"
    log = data / log_path(key.run_id, "x", -1, 1)
    assert log.stat().st_size == FILE_BYTES_MAX
    # Neither a lie about its deferrals nor another key opens more.
    for other in (
        msgspec.structs.replace(key, deferrals=7),
        msgspec.structs.replace(key, number=2),
        msgspec.structs.replace(key, task_id="y"),
    ):
        assert "not bound" in answer(scheduler, agent, Put(1, other, "log", PIECE)).refused
    # What is there may be sent again, and its end is still told.
    assert not answer(scheduler, agent, Put(2, key, "log", PIECE, last=True)).refused
    assert log.stat().st_size == FILE_BYTES_MAX


def test_each_process_of_an_attempt_has_its_part_and_all_have_a_limit(data: Path) -> None:
    here = Files(data)
    for deferrals, most in ((0, 1), (1, 2), (2, 3), (3, 3.2), (10**6, 3.2)):
        key = AttemptKey("r", f"t{deferrals}", -1, 1, deferrals)
        log = data / log_path("r", key.task_id, -1, 1)
        log.parent.mkdir(parents=True, exist_ok=True)
        size = int(most * FILE_BYTES_MAX) - 1
        with log.open("wb") as file:
            file.truncate(size)  # sparse
        assert here.answer(1, "s", Job(Put(1, key, "log", b"a", size))).size == size + 1
        assert (
            "is larger than" in here.answer(1, "s", Job(Put(2, key, "log", b"b", size + 1))).refused
        )
    assert int(3.2 * FILE_BYTES_MAX) == LOG_BYTES_MAX


@pytest.mark.usefixtures("teams")
def test_a_limit_of_the_team_holds_for_an_agent_that_says_it_writes_nothing(
    scheduler: Scheduler,
    conn: Connection[Any],
    owner_conn: Connection[Any],
    tmp_path: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "MINUTE_S", 1e9)  # no minute ends while the test runs
    limit = 3 * SIZE
    limits = f'{{"log_bytes_per_minute": {limit}}}'
    owner_conn.execute("UPDATE team SET limits = %s WHERE team_id = 1", [limits])
    for team_id in (1, 2):
        trigger(conn, team_id=team_id)
    of_a, of_b = (greeted(scheduler, tmp_path, each, f"s{each}") for each in "ab")
    scheduler.tick()
    scheduler.sweep()
    (key_a, key_b) = (each.of(Grants)[0].grants[0].key for each in (of_a, of_b))
    beat(scheduler, of_a)
    taken, why = flood(scheduler, of_a, key_a)
    assert (taken, why) == (LOG_MINUTES * limit, ""), "the rest is for later, and nothing is lost"
    assert (data / log_path(key_a.run_id, "x", -1, 1)).stat().st_size == taken
    beat(scheduler, of_a)
    stored = "SELECT log_bytes FROM agent_session WHERE session_id = 'sa'"
    assert value(conn, stored) == taken, "what it sent, not what it says"
    assert not answer(scheduler, of_b, Put(1, key_b, "log", PIECE, last=True)).again
    monkeypatch.setattr(budget, "MINUTE_S", clock.monotonic() / 5.5)  # another one
    assert answer(scheduler, of_a, Put(1, key_a, "log", PIECE, taken)).size == taken + SIZE


def beat(scheduler: Scheduler, agent: Peer) -> None:
    """Let the agent say that it lives, and that its logs took nothing."""
    before = len(agent.of(HeartbeatAck))
    agent.say(Heartbeat(before + 1, 0))
    scheduler.serve()
    scheduler.renew()
    assert len(agent.of(HeartbeatAck)) == before + 1
