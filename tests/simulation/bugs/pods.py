"""Bugs to plant in a world with a cluster, each with the symptom by which it must be found."""

import asyncio
from typing import Any

from lightkube import ApiError

from headway.executors.kubernetes import upkeep
from headway.executors.kubernetes.cluster import GONE, Cluster
from headway.executors.kubernetes.drafts import Drafts
from headway.executors.kubernetes.executor import Pods as Executor
from headway.executors.kubernetes.pods import Pod, PodEnd, end_of, loss
from headway.executors.kubernetes.upkeep import Upkeep
from headway.store import attempts, sessions
from tests.simulation.bugs.bug import Bug
from tests.simulation.pods import STEPS, Pods

ours, start, bound_to_cluster = Drafts.ours, Executor.start, sessions.bound_to_cluster
judge, follow_once = Upkeep.judge, Cluster.follow_once
TAKE_OVER: Any = attempts.TAKE_OVER  # replaced as text, and no longer a literal
LAST_OF_IT = TAKE_OVER[TAKE_OVER.index("AND state =") : TAKE_OVER.index("RETURNING")]
granted: dict[int, set[str]] = {}  # by the connection of the scheduler that granted it


def another_name(self: Drafts, share: Any, dag: Any, task: Any, key: Any, row: Any) -> Any:
    """A pod whose creation was not answered is created again as another one."""
    found = ours(self, share, dag, task, key, row)
    asked = self.__dict__.setdefault("asked", [])
    asked.append(key)
    if asked.count(key) > 1:
        found["metadata"]["name"] += f"-{asked.count(key)}"
    return found


def remembered(self: Executor, grants: Any) -> None:
    granted.setdefault(id(self.host.conn), set()).update(g.attempt.token for g in grants)
    start(self, grants)


def of_its_own(conn: Any, team_id: int, executor: str) -> Any:
    """A scheduler knows the attempts that it granted itself."""
    mine = granted.get(id(conn), set())
    return [each for each in bound_to_cluster(conn, team_id, executor) if each.token in mine]


def users_failure(pod: Pod) -> PodEnd | None:
    """What the cluster took away is a failure of the task."""
    if loss(pod) is not None:
        return PodEnd("failed", "exit_code", "exit code 137", 137)
    return end_of(pod)


async def gone_for_good(self: Cluster, namespace: str) -> None:
    """What is no longer known is waited for, and not listed again."""
    try:
        await follow_once(self, namespace)
    except ApiError as error:
        if error.status.code == GONE:
            await asyncio.Event().wait()
        raise


def removed_at_once(self: Upkeep, share: Any, pod: Pod) -> None:
    """A pod that is over is of no use any more."""
    if pod.is_over and pod.uid not in self.agents.gateway.links:
        self.remove(pod)
    else:
        judge(self, share, pod)


def counted_twice(self: Cluster, pod: Pod) -> None:
    self.tally(pod.namespace).change(None, pod)
    self.pods.setdefault(pod.namespace, {})[pod.name] = pod
    self.news.add(pod.ref)


def unsaid(conn: Any, team_id: int, rows: Any) -> set[str]:
    return {row.run_id for row in rows}


BUGS = [
    Bug(name, symptom, seeds, places, STEPS, Pods)
    for name, symptom, seeds, places in (
        (
            "a pod that was asked for in vain is created under another name",
            "P3|S4",
            (0,),
            ((Drafts, "ours", another_name),),
        ),
        (
            "a scheduler looks after what it granted itself",
            "P3|S5|S4",
            (0,),
            ((Executor, "start", remembered), (sessions, "bound_to_cluster", of_its_own)),
        ),
        (
            "whichever pod knocks gets the attempt",
            "S1|S2|P1",
            (35,),
            (
                (
                    attempts,
                    "TAKE_OVER",
                    TAKE_OVER.replace(LAST_OF_IT, "AND state IN ('queued', 'running') "),
                ),
            ),
        ),
        (
            "an eviction is the failure of the task",
            "P4|S6|G5",
            (3,),
            ((upkeep, "end_of", users_failure),),
        ),
        (
            "after a 410 nobody lists again",
            "P5|P6|S4|S5",
            (7, 19),
            ((Cluster, "follow_once", gone_for_good),),
        ),
        ("an orphan is never removed", "S4", (0,), ((Upkeep, "remove", lambda *_: None),)),
        (
            "a pod that is over is removed before its end is stored",
            "P3",
            (17,),
            ((Upkeep, "judge", removed_at_once),),
        ),
        (
            "a pod that does not start is replaced for ever",
            "P5",
            (9,),
            ((Upkeep, "requeued_or_failed", lambda self, bound, stays: stays),),
        ),
        (
            "nobody says why a pod waits",
            "P5 nobody",
            (14,),
            ((attempts, "tell_waits", unsaid),),
        ),
        ("a pod that changes is counted twice", "P6", (0,), ((Cluster, "put", counted_twice),)),
    )
]
