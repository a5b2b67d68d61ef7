"""Bugs in how runs, their tasks and their assets go, in the ordinary world and in those of one matter."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from headway.agent.protocol import AttemptKey
from headway.core import admission, branches, mapping, plan, ready, repin, verdicts
from headway.core import commands as core_commands
from headway.core import deferrals as core_deferrals
from headway.core.admission import Pool
from headway.core.gates import Gate
from headway.core.graph import Axis, Combine, Graph, Node
from headway.core.reasons import FailedFast
from headway.core.retry import Retry
from headway.core.run import Run
from headway.core.sight import Sight
from headway.core.states import FINAL, PENDING, Event, State
from headway.core.upstream import Verdict
from headway.engine import assets as asset_engine
from headway.engine import gates, tick
from headway.engine.scheduler import Scheduler
from headway.executors.agents import translate
from headway.executors.agents.gateway import Gateway
from headway.store import assets, changes, queue, reports, runs, sessions, snapshots
from headway.store import gates as store_gates
from headway.store.clock import clock
from headway.store.transact import transact
from tests.simulation.altered import STEPS as STEPS_OF_CLUSTERS
from tests.simulation.assets import STEPS as STEPS_OF_ASSETS
from tests.simulation.assets import Assets
from tests.simulation.bugs.bug import Bug, bug
from tests.simulation.clusters import Clusters
from tests.simulation.crowd import Crowd
from tests.simulation.edits import Edits
from tests.simulation.fast import Fast
from tests.simulation.groups import Groups
from tests.simulation.minds import Lists, Minds
from tests.simulation.past import Past
from tests.simulation.waits import Waits


def one_slot_too_many(runs: Any, pools: dict[str, Pool], *rest: Any) -> None:
    for pool in pools.values():
        pool.slots += 1
    fill(runs, pools, *rest)
    for pool in pools.values():
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
            model.revision = row.revision
    return load(conn, ticker, claimed, now)


def acknowledged_before(self: Any) -> list[Any]:
    self.acknowledge()
    return list(drain(self))


def lost_on_failure(self: Any, envelopes: Any) -> None:
    pass


def foreign_dropped(conn: Any, batch: Any) -> None:
    pass


def any_token(run: Any, report: Any, chance: Any) -> bool:
    """Whoever reports of a task instance is believed, with the token of any attempt or none."""
    instance = run.get(report.task_id, report.map_index)
    if instance is None or instance.attempt is None:
        return False
    attempt = instance.attempt
    return absorb(run, replace(report, number=attempt.number, token=attempt.token), chance)


def last_first(ready_at: datetime, *rest: Any) -> float:
    return -ready_at.timestamp()


DIRECT_ONES_TOO = branches.left_out


def direct_ones_only(
    graph: Graph, branch: Node, follows: Collection[branches.Follow]
) -> frozenset[int]:
    """A branch that skips all below, taken for one that does not."""
    return DIRECT_ONES_TOO(graph, replace(branch, skips_all_below=False), follows)


def further_down_is_all(
    graph: Graph, branch: Node, follows: Collection[branches.Follow]
) -> frozenset[int]:
    """Who chooses what is further down leaves nothing out."""
    direct = {graph.nodes[index].task_id for index in branch.downstream}
    far = any(each is not None and each - direct for each in follows)
    return frozenset() if far else DIRECT_ONES_TOO(graph, branch, follows)


END_OTHERS = plan.end_others
PLACES_IN, AXIS_LENGTH = mapping.places_in, mapping.axis_length


EXPAND_GROUP = mapping.expand_group


def without_its_peers(run: Run, node: Node, changed: set[int]) -> bool:
    """Only the node that is judged gets the instances of a new list."""
    return EXPAND_GROUP(run, replace(node, peers=frozenset()), changed)


def all_of_its_peers(sight: Sight) -> tuple[int, dict[State, int]]:
    """In a mapped group an instance waits for all instances of the tasks above it."""
    run = sight.run
    ends = {
        state: sum(run.counts[index].get(state, 0) for index in sight.node.upstream)
        for state in FINAL
    }
    return sum(len(run.instances[index]) for index in sight.node.upstream), ends


def always_the_first_list(axis: Axis, place: int, length_of: Any) -> list[int]:
    """The items of a concatenation all come from its first list."""
    if axis.combine is not Combine.CONCAT:
        return PLACES_IN(axis, place, length_of)
    first, *rest = axis.parts
    others = [-1 for part in rest for _ in part.leaves()]
    return PLACES_IN(first, place, length_of) + others


def as_long_as_the_longest(axis: Axis, length_of: Any) -> int | None:
    longest = axis.combine is Combine.ZIP
    return AXIS_LENGTH(replace(axis, combine=Combine.ZIP_LONGEST) if longest else axis, length_of)


def restless(self: Scheduler, turn: Any) -> None:
    self.wanted = True


def patient(conn: Any, now: Any, lease: timedelta) -> list[str]:
    """The lease ends before the agent's fence."""
    return expire(conn, now, timedelta(seconds=4))


def waits_for_ever(run: Any, instance: Any) -> None:
    """The clock ends no wait."""


def kept_open(self: Run, instance: Any, actor: str) -> None:
    """A person's word does not end the attempt that is deferred."""


def the_same_process(run_id: str, instance: Any, attempt: Any) -> AttemptKey:
    """An attempt that goes on looks like the process that it was."""
    return attempt_key(run_id, instance, replace(attempt, deferrals=0))


def cleared_before_it_is_judged(conn: Any, catalog: Any, new_id: Any) -> Any:
    """News are taken in one transaction, and judged in the next one."""
    transact(conn, asset_engine.route)
    found = transact(conn, taken)
    with mock.patch.object(assets, "due", return_value=found):
        _, created = transact(conn, asset_engine.create_due, catalog, new_id)
    return asset_engine.Followed(created)


def with_its_teardowns(run: Run, failed: Node) -> None:
    for instance in list(run.all()):
        if instance.node.teardown and instance.state in PENDING:
            run.move(instance, Event.SKIP, FailedFast(failed.task_id))
    END_OTHERS(run, failed)


def taken(conn: Any) -> list[Any]:
    found = assets.due(conn, asset_engine.DAGS_MAX, clock(conn))
    for dag in found:
        assets.judged(conn, dag)
    return found


fill, again, intend, absorb = admission.fill, plan.again, plan.intend, plan.absorb
attempt_key = translate.attempt_key
load, drain, expire = tick.load, Gateway.drain, sessions.expire

FORGETFUL = snapshots.INSTANCES.replace("follow", "NULL::text[] AS follow")
NO_LIMIT = queue.STARTABLE.replace("asked.max_active_runs - (", "99 - (")
NO_HISTORY = changes.WRITE_HISTORY.replace(
    "name text, state text, actor text, reason jsonb)",
    "name text, state text, actor text, reason jsonb) WHERE name <> 'retry'",
)
WAITING_CLAIM = runs.CLAIM.replace("FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE")

CONSUMED_AGAIN = assets.CONSUME.replace("SET consumed = latest, ", "SET ")
UNGUARDED = changes.UPDATE_INSTANCES.replace("AND instance.state = change.stored", "")


def of_assets(
    name: str, symptom: str, seeds: tuple[int, ...], *places: tuple[Any, str, object]
) -> Bug:
    return Bug(name, symptom, seeds, places, STEPS_OF_ASSETS, Assets)


def of_clusters(
    name: str, symptom: str, seeds: tuple[int, ...], *places: tuple[Any, str, object]
) -> Bug:
    return Bug(name, symptom, seeds, places, STEPS_OF_CLUSTERS, Clusters)


BUGS: list[Bug] = [
    bug(
        "one slot too many", "I13 granted beyond", (3, 0, 5), (admission, "fill", one_slot_too_many)
    ),
    bug("upstream ignored", "I12 ran before|S6", (0, 7, 2), (verdicts, "judge", upstream_ignored)),
    bug("retried for ever", "I11|S5|S6", (2, 4, 0), (plan, "next_step", retried_for_ever)),
    bug("losses use up retries", "S6|I11", (21, 40, 26, 7), (plan, "again", losses_use_up_retries)),
    bug("the dead are not rescued", "I17", (1, 2, 0), (plan, "rescue", lambda *_: None)),
    bug("retries never wake", "I22|S5", (0, 2), (plan, "wake", lambda run: None)),
    bug(
        "cleared at once",
        "S2|I23|I01|I26|one_open_attempt|I08|I13",
        (12, 17, 1, 7),
        (core_commands, "intend", cleared_at_once),
    ),
    bug("intent forgotten", "S6|I09|S5|illegal", (1, 3, 12, 0), (plan, "fulfil", intent_forgotten)),
    bug(
        "a stale model is believed",
        "I0|I2|S5|S6|rows were as loaded|duplicate key|illegal move",
        (19, 14, 17, 11),
        (tick, "load", not_the_version),
    ),
    bug(
        "a stale model is written without a guard",
        "I0|I13|I2|S2|S6",
        (1, 11, 3, 5),
        (tick, "load", not_the_version),
        (changes, "UPDATE_INSTANCES", UNGUARDED),
    ),
    bug("acknowledged before the commit", "S3", (50, 9), (Gateway, "drain", acknowledged_before)),
    bug("lost when a tick fails", "S3|S5", (33,), (Gateway, "give_back", lost_on_failure)),
    bug("reports of others dropped", "S3", (9,), (reports, "put", foreign_dropped))._replace(
        steps=300
    ),
    bug("a lease shorter than the fence", "S2", (19, 39), (sessions, "expire", patient)),
    bug("max_active_runs ignored", "I14", (0, 3, 7), (queue, "STARTABLE", NO_LIMIT)),
    bug(
        "history left out",
        "I05|I08|I17|S5|rows were as loaded",
        (2, 4, 3),
        (changes, "WRITE_HISTORY", NO_HISTORY),
    ),
    bug("a claim that waits", "F05 a tick waited", (5, 9, 3), (runs, "CLAIM", WAITING_CLAIM)),
    bug("the last come first", "S9", (1, 4), (ready, "rank", last_first))._replace(
        world=Crowd, steps=70
    ),
    bug("a hot loop", "S7", (0,), (Scheduler, "follow_up", restless)),
    bug("a choice is forgotten", "left it out", (5,), (snapshots, "INSTANCES", FORGETFUL))._replace(
        world=Minds, steps=15
    ),
    bug(
        "the first to end decides",
        "S6|left it out",
        (35,),
        (branches, "undecided", lambda *_: False),
    ),
    bug(
        "trigger rules decide below a short circuit",
        "S6|left it out",
        (55,),
        (branches, "left_out", direct_ones_only),
    )._replace(world=Minds, steps=15),
    bug(
        "items that are gone stay", "G5|S5|I29", (1, 2), (Run, "end_item", lambda *_: None)
    )._replace(world=Minds, steps=15),
    bug(
        "a choice further down leaves nothing out",
        "S6|left it out",
        (0, 1, 2),
        (branches, "left_out", further_down_is_all),
    )._replace(world=Lists, steps=15),
    bug(
        "items of the first list alone", "G5", (0,), (mapping, "places_in", always_the_first_list)
    )._replace(world=Lists, steps=15),
    bug(
        "a zip as long as its longest list",
        "G5|S6|S5",
        (0,),
        (mapping, "axis_length", as_long_as_the_longest),
    )._replace(world=Lists, steps=15),
    bug(
        "a choice among other tasks is kept",
        "left it out",
        (0,),
        (repin, "choices", lambda *_: None),
    )._replace(world=Edits, steps=30),
    bug(
        "a wait never ends", "I22|S5", (0, 1, 2), (core_deferrals, "wake", waits_for_ever)
    )._replace(world=Waits),
    bug(
        "a deferred attempt outlives a clear",
        "I37|I23|rows were as loaded|a gap|illegal move|duplicate key",
        (16,),
        (Run, "drop_deferred", kept_open),
    )._replace(world=Waits),
    bug(
        "an attempt goes on as the process that it was",
        "S1|S5|I17|G5",
        (0, 1, 2),
        (translate, "attempt_key", the_same_process),
    )._replace(world=Waits),
    of_assets(
        "news cleared before they are judged",
        "I41",
        (11,),
        (asset_engine, "follow", cleared_before_it_is_judged),
    ),
    of_assets("events of two runs", "I40", (0,), (assets, "CONSUME", CONSUMED_AGAIN)),
    of_clusters("setups further up ignored", "S6", (37,), (verdicts, "by_setups", lambda *_: None)),
    of_clusters(
        "teardowns are cancelled with the run",
        "I42",
        (39,),
        (plan, "may_clean_up", lambda *_: False),
    ),
    of_clusters(
        "a setup that ends while it is cancelled is forgotten",
        "I43",
        (3,),
        (plan, "is_to_clean_up", lambda *_: False),
    ),
    of_clusters(
        "setups of a teardown ignored", "S6", (9,), (verdicts, "setup_counts", lambda *_: (0, 0, 0))
    ),
    bug(
        "others go on after a failure", "I44", (0, 1, 2), (plan, "end_others", lambda *_: None)
    )._replace(world=Fast),
    bug(
        "a failure ends teardowns", "I45", (0, 1, 2), (plan, "end_others", with_its_teardowns)
    )._replace(world=Fast),
    bug(
        "a failure above what is skipped is no failure",
        "I04|S6",
        (3,),
        (plan, "failed_fast", lambda _: []),
    )._replace(world=Fast),
    bug("the past does not count", "I46", (3,), (gates, "gate_of", lambda *_: Gate()))._replace(
        world=Past
    ),
    bug("nobody wakes the next run", "S5", (0, 1, 2), (gates, "wake", lambda *_: 0))._replace(
        world=Past
    ),
    bug(
        "places over all runs are not counted",
        "I47",
        (0, 1, 2),
        (store_gates, "active", lambda *_: 0),
    )._replace(world=Past),
    bug(
        "an index waits for all of its group",
        "I22|S5|S6",
        (0, 1, 2),
        (Sight, "above", all_of_its_peers),
    )._replace(world=Groups, steps=15),
    bug(
        "a new list is that of one task",
        "I22|S5|S6|KeyError",
        (8,),
        (mapping, "expand_group", without_its_peers),
    )._replace(world=Groups, steps=15),
    bug(
        "a branch in a group chooses for all of it",
        "S6|left it out",
        (4,),
        (branches, "left_out_for", lambda sight, branch: branches.left_out_by(sight.run, branch)),
    )._replace(world=Groups, steps=15),
    bug("token not checked", "G5|S2|S3|S6|I0", (102, 118), (plan, "absorb", any_token)),
]
