"""The warm pools of teams: how many agents each has, decided anew at every look, and brought level in the cluster.

Level-triggered: a look reads what waits, what runs and which agents there are, and decides (``core.warm``); nothing is
remembered but the row of the pool, so any scheduler goes on where another one ended. One of them looks at a time.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from psycopg import Connection

from headway.core.graph import Need
from headway.core.reasons import Reason, WarmStarting
from headway.core.warm import WARM, Bounds, Decision, Load, WarmAgent, decide
from headway.executors.agents.executor import AGENTS
from headway.executors.base import Host
from headway.executors.kubernetes import pool as pools
from headway.executors.kubernetes.cluster import Cluster, Refusal
from headway.executors.kubernetes.level import remove_pool
from headway.executors.kubernetes.mutation import Mutation
from headway.executors.kubernetes.pods import Pod
from headway.executors.kubernetes.pool import Leveled
from headway.executors.kubernetes.room import why_not_created, why_pending
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.spec.model import Dag
from headway.store import audit, warm_pools
from headway.store.clock import clock as database_clock
from headway.store.transact import read, transact
from headway.store.warm_pools import Pool, PoolAgent

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
LEVEL_S: Final = 10.0  # between two looks at a Deployment that is as it should be
PATIENCE: Final = timedelta(seconds=0.5)  # what became ready later is granted by the next tick
START_S: Final = (
    60.0  # that an agent needs to start, with its image on the node: runs within it count
)
SILENT_S: Final = 120.0  # an agent that runs and is not connected for so long is replaced
COMING_MAX: Final = 50  # DAGs
SERVED: Final = ("", AGENTS, WARM)  # executors of tasks that agents run


class WarmPools:
    """``shares``: by team, as the executor keeps them. ``executor``: its name, which the rows of its pools have."""

    def __init__(
        self,
        host: Host,
        settings: Settings,
        cluster: Cluster,
        shares: Mapping[int, Share],
        mutation: Mutation,
        executor: str,
    ) -> None:
        self.host = host
        self.settings = settings
        self.cluster = cluster
        self.shares = shares
        self.mutation = mutation
        self.executor = executor
        self.rows: dict[int, Pool] = {}  # as they were read last
        self.busy: set[int] = set()  # teams with a request under way
        self.leaving: dict[int, set[str]] = {}  # agents that are given nothing more, by team
        self.failures: dict[int, str] = {}  # why the cluster does not create pods, by team
        # When, for how many agents, and of which version, by team.
        self.leveled: dict[int, tuple[datetime, int, str]] = {}

    def why(self, team_id: int) -> Reason | None:
        """Return why agents of a pool are not there, if some are on their way."""
        row = self.rows.get(team_id)
        return None if row is None else row.why

    def stays(self, team_id: int, agent: str) -> bool:
        return agent not in self.leaving.get(team_id, ())

    def look(self) -> None:
        self.rows = read(self.host.conn, warm_pools.every, self.executor)
        for share in list(self.shares.values()):
            known = share.team_id in self.rows
            if share.namespace not in self.cluster.pods or share.team_id in self.busy:
                continue
            if share.is_ready and (bounds := share.settings.warm) is not None:
                self.host.safely(partial(self.look_at, share, bounds))
            elif share.is_ready and known:
                self.remove(share)

    def look_at(self, share: Share, bounds: Bounds) -> None:
        draft = pools.draft(self.settings, share.team, share.settings, bounds)
        version = pools.version_of(draft)
        found = transact(self.host.conn, self.decide, share, bounds, version)
        if found is None:
            return
        row, decision, now = found
        pods = self.pods_of(share)
        leaving = set(decision.leaving)
        if len(pods) > decision.replicas:  # those that were told to go are not gone yet
            leaving |= {pod.name for pod in pods if pod.is_last}
        self.leaving[share.team_id] = leaving
        costs = [(p.name, p.name in leaving) for p in pods if p.is_last != (p.name in leaving)]
        at, *before = self.leveled.get(share.team_id, (now - timedelta(hours=1), -1, ""))
        is_old = (now - at).total_seconds() >= (LEVEL_S if not self.lacks(row) else LOOK_S)
        if not costs and before == [decision.replicas, version] and not is_old:
            return
        self.busy.add(share.team_id)
        self.leveled[share.team_id] = now, decision.replicas, version
        self.cluster.ask(
            lambda: pools.brought_level(
                self.cluster.client,
                self.settings,
                share.team,
                draft,
                self.mutation,
                decision.replicas,
                costs,
                row.applied,
            ),
            partial(self.answered, share, row),
        )

    def lacks(self, row: Pool) -> bool:
        return row.reason is not None

    def pods_of(self, share: Share) -> list[Pod]:
        pods = self.cluster.pods.get(share.namespace, {}).values()
        return [each for each in pods if each.is_warm and not each.deleting]

    # -- a decision

    def decide(
        self, conn: Connection[Any], share: Share, bounds: Bounds, version: str
    ) -> tuple[Pool, Decision, datetime] | None:
        """Decide how many agents there are to be, and store that with what was found. None: another one just did.

        ``version``: of the pods as they are to be.
        """
        now = database_clock(conn)
        row = warm_pools.claim(conn, share.team_id, self.executor, now, LOOK_S)
        if row is None:
            return None
        pods = self.pods_of(share)
        held = warm_pools.held(conn, share.team_id, [pod.name for pod in pods])
        agents = [self.agent_of(pod, held.get(pod.name), row.known, now) for pod in pods]
        most = bounds.most * bounds.slots
        queues = self.settings.queues
        waiting = (share.team_id, SERVED, queues, now - PATIENCE, most)
        load = Load(warm_pools.waiting(conn, *waiting), self.coming(conn, share, now))
        old = {pod.name for pod in pods if pod.version != version}
        known = [seen(each, now, is_old=each.name in old) for each in agents]
        decision = decide(bounds, load, known, row.replicas)
        reason = self.reason(share, pods, agents, decision)
        told = (decision.replicas, agents, reason, queues)
        warm_pools.tell(conn, share.team_id, self.executor, *told)
        self.replace_silent(pods, agents, now)
        return row, decision, now

    def agent_of(
        self, pod: Pod, held: int | None, known: Mapping[str, PoolAgent], now: datetime
    ) -> PoolAgent:
        before = known.get(pod.name)
        is_ready = held is not None and pod.phase == "Running"
        since = None if held else now
        if not held and before is not None and before.held == 0 and before.is_ready == is_ready:
            since = before.idle_since
        return PoolAgent(pod.name, pod.created, is_ready, held or 0, since)

    def coming(self, conn: Connection[Any], share: Share, now: datetime) -> int:
        """Count the tasks with which runs begin that timetables start before an agent could."""
        found = warm_pools.coming(conn, share.team_id, now, START_S, COMING_MAX)
        versions = self.host.versions
        dags = [versions.dag(share.team_id, dag_id, number) for dag_id, number in found]
        return sum(first_tasks(dag, self.settings.queues) for dag in dags)

    def reason(
        self, share: Share, pods: list[Pod], agents: list[PoolAgent], decision: Decision
    ) -> Reason | None:
        """Return why the pool has fewer agents than are wanted, or None."""
        missing = decision.replicas - sum(each.is_ready for each in agents)
        if missing <= 0:
            return None
        names = {each.name for each in agents if not each.is_ready}
        starting = [pod for pod in pods if pod.name in names]
        if failure := self.failures.get(share.team_id) if len(pods) < decision.replicas else None:
            everything = self.cluster.tally(share.namespace)
            return why_not_created(Refusal(403, "Forbidden", failure), everything)
        told = next((why for pod in starting if (why := why_pending(pod)) is not None), None)
        if told is not None or not starting:
            return told or WarmStarting()
        first = min(starting, key=lambda pod: (pod.created is None, pod.created, pod.name))
        return WarmStarting(first.name, "" if first.created is None else first.created.isoformat())

    def replace_silent(self, pods: list[Pod], agents: list[PoolAgent], now: datetime) -> None:
        """Delete the pods of agents that run and have not been heard of for long: the cluster makes others."""
        by_name = {pod.name: pod for pod in pods}
        for each in agents:
            pod = by_name[each.name]
            since = each.idle_since
            if each.is_ready or pod.phase != "Running" or since is None:
                continue
            if (now - since).total_seconds() >= SILENT_S:
                log.warning("pod %s/%s is replaced: its agent is silent", pod.namespace, pod.name)
                self.cluster.delete(pod, lambda _: None, None)

    # -- answers

    def answered(self, share: Share, row: Pool, answer: Leveled | Refusal) -> None:
        self.busy.discard(share.team_id)
        if isinstance(answer, Refusal):
            self.leveled.pop(share.team_id, None)
            if self.failures.get(share.team_id) != answer.message:
                log.warning("team %s: its warm pool is not level: %s", share.team, answer.message)
            self.failures[share.team_id] = answer.message
            return
        self.failures.pop(share.team_id, None)
        if answer.failure:
            self.failures[share.team_id] = answer.failure
        self.host.safely(lambda: transact(self.host.conn, self.tell, share, row, answer))

    def tell(self, conn: Connection[Any], share: Share, row: Pool, found: Leveled) -> None:
        if found.applied != row.applied:
            warm_pools.tell_applied(conn, share.team_id, self.executor, found.applied)
        if found.repairs:
            log.warning(
                "team %s: repaired in the cluster: %s", share.team, "; ".join(found.repairs)
            )
            entry = audit.Entry(
                actor="scheduler",
                via=self.executor,
                action="cluster.repair",
                subject=share.namespace,
                address="",
                detail={"repairs": list(found.repairs)},
            )
            audit.write(conn, share.team_id, entry)

    def remove(self, share: Share) -> None:
        """Remove the pool of a team that is to have none: its agents drain."""
        self.busy.add(share.team_id)
        client, namespace = self.cluster.client, share.namespace
        self.cluster.ask(lambda: remove_pool(client, namespace), partial(self.removed, share))

    def removed(self, share: Share, answer: Refusal | None) -> None:
        self.busy.discard(share.team_id)
        if isinstance(answer, Refusal):
            return  # the next look tries again
        self.leveled.pop(share.team_id, None)
        self.failures.pop(share.team_id, None)
        key = (share.team_id, self.executor)
        self.host.safely(lambda: transact(self.host.conn, warm_pools.forget, *key))


def seen(agent: PoolAgent, now: datetime, *, is_old: bool) -> WarmAgent:
    idle_s = None
    if agent.is_ready and agent.idle_since is not None:
        idle_s = (now - agent.idle_since).total_seconds()
    return WarmAgent(agent.name, agent.held, idle_s, agent.is_ready, is_old)


def first_tasks(dag: Dag, queues: tuple[str, ...]) -> int:
    """Count the tasks with which a run begins and that agents of a pool run."""
    needs = [Need(each.executor, each.queue) for each in dag.tasks if not each.upstream]
    return sum(need.executor in SERVED and need.queue in queues for need in needs)
