"""The namespaces of teams: which of them are looked at now, and what is stored of that.

Level-triggered: nobody tells that a team was created, changed or deleted; each look compares the settings with what
was applied last. Several schedulers share the work by a claim in the database.
"""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from psycopg import Connection

from headway.executors.base import Host
from headway.executors.kubernetes.cluster import Cluster, Refusal
from headway.executors.kubernetes.level import Leveled, clear, level
from headway.executors.kubernetes.names import namespace_of
from headway.executors.kubernetes.objects import Object, applied, of_team
from headway.executors.kubernetes.settings import Settings
from headway.store import audit, clusters
from headway.store.clock import clock as database_clock
from headway.store.clusters import ClusterTeam
from headway.store.transact import read, transact

log = logging.getLogger(__name__)

READY_S: Final = 30.0  # between two looks at what is as it should be
TROUBLE_S: Final = 5.0
CHANGED_S: Final = 0.5  # also between two steps of a removal


@dataclass(frozen=True, slots=True)
class Wanted:
    """The objects of a team, made from these settings."""

    cluster: dict[str, Any]
    objects: list[Object]
    digest: str


class Namespaces:
    def __init__(self, host: Host, settings: Settings, cluster: Cluster, executor: str) -> None:
        self.host = host
        self.settings = settings
        self.cluster = cluster
        self.executor = executor
        self.busy: set[int] = set()  # teams with a look under way
        self.wanted: dict[int, Wanted] = {}

    def look(self) -> list[ClusterTeam]:
        """Start to look at the teams for which it is time. Returns all that are live."""
        teams = read(self.host.conn, self.read)
        for team in teams if self.settings.manage_teams else ():
            wanted = self.wanted_of(team)
            if team.team_id not in self.busy and is_due(team, wanted.digest):
                self.host.safely(partial(self.look_at, team, wanted))
        return [team for team in teams if not team.is_deleted]

    def read(self, conn: Connection[Any]) -> list[ClusterTeam]:
        return clusters.teams(conn, self.executor, database_clock(conn))

    def is_ready(self, team: ClusterTeam) -> bool:
        """Return whether pods of the team may be created."""
        return bool(team.applied) or not self.settings.manage_teams

    def wanted_of(self, team: ClusterTeam) -> Wanted:
        known = self.wanted.get(team.team_id)
        if known is None or known.cluster != team.cluster:
            objects = of_team(self.settings, team.name, team.settings)
            known = self.wanted[team.team_id] = Wanted(team.cluster, objects, applied(objects))
        return known

    def look_at(self, team: ClusterTeam, wanted: Wanted) -> None:
        namespace = team.namespace or namespace_of(self.settings, team.name)
        if not transact(
            self.host.conn, self.claim, team, namespace, patience_s(team, wanted.digest)
        ):
            return
        self.busy.add(team.team_id)
        client, objects = self.cluster.client, wanted.objects
        if team.is_deleted:
            self.cluster.ask(lambda: clear(client, objects), partial(self.cleared, team))
            return
        self.cluster.ask(
            lambda: level(client, objects, team.applied),
            partial(self.leveled, team, wanted.digest),
        )

    def claim(self, conn: Connection[Any], team: ClusterTeam, namespace: str, age_s: float) -> bool:
        who = (team.team_id, self.executor, namespace)
        return clusters.claim(conn, *who, database_clock(conn), age_s)

    # -- answers

    def leveled(self, team: ClusterTeam, digest: str, answer: Leveled | Refusal) -> None:
        self.busy.discard(team.team_id)
        if isinstance(answer, Refusal):
            if team.trouble != answer.message:
                log.warning("team %s: its namespace is not ready: %s", team.name, answer.message)
            lost = answer.reason in ("Foreign", "Terminating")
            kept, trouble = "" if lost else team.applied, answer.message
            work = partial(self.tell, team=team, state="trouble", applied=kept, trouble=trouble)
        else:
            trouble = answer.trouble
            if trouble and team.trouble != trouble:
                log.warning("team %s: %s", team.name, trouble)
            work = partial(
                self.tell,
                team=team,
                state="trouble" if trouble else "ready",
                applied=digest,
                trouble=trouble or None,
                found=answer,
            )
        self.host.safely(lambda: transact(self.host.conn, work))

    def tell(
        self,
        conn: Connection[Any],
        *,
        team: ClusterTeam,
        state: str,
        applied: str,
        trouble: str | None = None,
        found: Leveled | None = None,
    ) -> None:
        found = found or Leveled((), ())
        now = database_clock(conn)
        clusters.tell(
            conn,
            team.team_id,
            self.executor,
            now,
            state=state,
            applied=applied,
            trouble=trouble,
            quota=found.quota,
            is_repaired=bool(found.repairs),
        )
        if found.repairs:
            log.warning("team %s: repaired in the cluster: %s", team.name, "; ".join(found.repairs))
            self.write(conn, team, "cluster.repair", {"repairs": list(found.repairs)})
        elif applied and team.applied != applied:
            self.write(conn, team, "cluster.apply", {"settings": team.cluster})

    def cleared(self, team: ClusterTeam, answer: bool | Refusal) -> None:
        self.busy.discard(team.team_id)
        self.host.safely(lambda: transact(self.host.conn, self.tell_cleared, team, answer))

    def tell_cleared(
        self, conn: Connection[Any], team: ClusterTeam, answer: bool | Refusal
    ) -> None:
        if answer is True:
            clusters.forget(conn, team.team_id, self.executor)
            self.wanted.pop(team.team_id, None)
            self.write(conn, team, "cluster.delete", {})
            return
        trouble = answer.message if isinstance(answer, Refusal) else None
        if trouble is not None and trouble != team.trouble:
            log.warning("team %s: cannot remove it from the cluster: %s", team.name, trouble)
        who = (team.team_id, self.executor, database_clock(conn))
        clusters.tell(conn, *who, state="deleting", applied="", trouble=trouble)

    def write(
        self, conn: Connection[Any], team: ClusterTeam, action: str, detail: dict[str, Any]
    ) -> None:
        entry = audit.Entry(
            actor="scheduler",
            via=self.executor,
            action=action,
            subject=team.namespace or namespace_of(self.settings, team.name),
            address="",
            detail=detail,
        )
        audit.write(conn, team.team_id, entry)


def patience_s(team: ClusterTeam, digest: str) -> float:
    """Return how old a look may be."""
    if team.state == "trouble" or (team.state == "deleting" and team.trouble):
        return TROUBLE_S
    if team.is_deleted or team.applied != digest:
        return CHANGED_S
    return READY_S


def is_due(team: ClusterTeam, digest: str) -> bool:
    return team.age_s is None or team.age_s >= patience_s(team, digest)
