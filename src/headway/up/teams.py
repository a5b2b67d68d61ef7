"""The teams whose DAGs a server provides: for each the claim of its folder, a loader, and an agent.

``--dags`` is the folder of one team, or a folder of teams (``loader/teams.py``), which is looked at again and
again: what appears there is served within seconds, what vanishes is told. Each agent has a credential of its
team only. One team's loader or agent stops nobody else's.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headway import clock, config, wire
from headway.errors import HeadwayError
from headway.loader.folder import refuse_inside
from headway.loader.teams import MARK, is_of_teams, team_folders
from headway.up.access import agent_token
from headway.up.component import Component
from headway.up.isolation import Isolation

if TYPE_CHECKING:
    from psycopg import Connection

    from headway.store.installations import Installation
    from headway.up.supervisor import Settings

LOOK_S: Final = 1.0
AUDITED: Final = "teams.create_team"
KEYTABS: Final = "HEADWAY_KEYTABS"  # a folder with a Kerberos keytab for each team that has one


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses by which the components of all teams reach what they share."""

    dsn: str
    gateway: str
    private: dict[str, str]  # environment: which variables the code of teams must not see
    ships_logs: bool
    isolation: Isolation


@dataclass(slots=True)
class Served:
    team: str
    team_id: int
    dags: Path | None  # None: it has no folder here, and so no loader
    claim: "Installation | None"
    components: list[Component] = field(default_factory=list)


class Teams:
    """Call ``take`` first, then ``start``, then ``turn`` again and again."""

    def __init__(self, settings: "Settings", say: Callable[[str], None]) -> None:
        self.settings = settings
        self.layout = settings.layout
        self.say = say
        self.of_teams = is_of_teams(settings.dags)
        self.served: dict[str, Served] = {}
        self.told: dict[str, str] = {}  # what is wrong with something in the folder
        self.dsn = ""
        self.place: Place | None = None
        self.look_at = 0.0
        self.leaving: list[Component] = []  # told to end, and not gone yet

    @property
    def home(self) -> Served:
        return self.served[self.settings.team]

    def shown_first(self) -> str | None:
        """Return the team to look at if that of the server has no folder of DAGs; None: it has, or none has."""
        if self.home.dags is not None:
            return None
        return min((team for team, served in self.served.items() if served.dags), default=None)

    @property
    def components(self) -> list[Component]:
        return [each for served in self.served.values() for each in served.components]

    def take(self, dsn: str) -> None:
        """Claim the folders: a second server for the same team is refused before it starts anything."""
        self.dsn = dsn
        home = self.settings.team
        if not self.of_teams:
            self._take(home, self.settings.dags)
            return
        folders = self._folders()
        self._take(home, folders.pop(home, None))
        for team, folder in folders.items():
            self._take(team, folder)

    def start(self, place: Place) -> None:
        """Start the components of every team. Raises HeadwayError if the system does not let us."""
        self.place = place
        for served in self.served.values():
            self._start(served)

    def turn(self) -> None:
        """Serve the teams whose folders are new, and no longer those whose folders or teams are gone."""
        for component in self.leaving:
            if component.is_gone():
                component.deafen()
        self.leaving = [component for component in self.leaving if not component.is_gone()]
        if not self.of_teams or clock.monotonic() < self.look_at:
            return
        self.look_at = clock.monotonic() + LOOK_S
        try:
            self._follow()
        except (HeadwayError, OSError) as error:
            self._tell("", f"cannot read the folder of teams: {error}")

    def stop(self) -> None:
        """Forget the components, which have ended."""
        for served in self.served.values():
            served.components = []
        self.leaving = []

    def let_go(self) -> None:
        """Give up the claims. When the database is away, the time that they were held for ends them."""
        with suppress(HeadwayError):
            for served in self.served.values():
                self._let_go(served)

    # -- the folder

    def _folders(self) -> dict[str, Path]:
        found = team_folders(self.settings.dags)
        problems = found.problems if self.settings.only is None else {}
        for name, problem in problems.items():
            self._tell(name, f"{self.settings.dags / name}: {problem}")
        wanted = self.settings.only
        return {t: f for t, f in found.folders.items() if wanted is None or t == wanted}

    def _follow(self) -> None:
        folders = self._folders()
        deleted = self._deleted()
        for served in [*self.served.values()]:
            team = served.team
            if served.team_id in deleted:
                self._stop(served)
                self._tell(
                    team, f"team {team} was deleted: its folder is not used until the next start"
                )
            elif served.dags is not None and team not in folders:
                self._stop(served)
                self.say(
                    f"the folder of team {team} is gone: its DAGs are no longer loaded or run here"
                )
        for team, folder in folders.items():
            known = self.served.get(team)
            if team not in self.told and (known is None or known.dags is None):
                self._serve(team, folder)

    def _deleted(self) -> set[int]:
        from headway.store import teams
        from headway.store.transact import ENGINE, connect, transact

        with connect(self.dsn, role=ENGINE) as conn:
            return {team.team_id for team in transact(conn, teams.every) if team.is_deleted}

    def _serve(self, team: str, folder: Path) -> None:
        known = self.served.get(team)
        if known is not None:
            self._end(known)
        try:
            self._start(self._take(team, folder))
        except HeadwayError as error:
            self._tell(team, f"cannot serve the team {team}: {error}")
        else:
            self.say(f"team {team} is served from {folder}")

    def _tell(self, name: str, problem: str) -> None:
        """Tell a problem once."""
        if self.told.get(name) != problem:
            self.say(problem)
        self.told[name] = problem

    # -- one team

    def _take(self, team: str, folder: Path | None) -> Served:
        from headway.store import installations
        from headway.store.transact import ENGINE, connect, transact

        claim = None
        if folder is not None:
            refuse_inside(folder, self.layout.data)
            claim = installations.here(self.layout.data, folder)
        team_id = self._id_of(team)
        if claim is not None:
            with connect(self.dsn, role=ENGINE) as conn:
                transact(conn, installations.hold, team_id, claim)
        self.served[team] = Served(team, team_id, folder, claim)
        return self.served[team]

    def _id_of(self, team: str) -> int:
        """Return the id of a team. A team of a folder of teams is created if there is none."""
        if not self.of_teams or team == self.settings.team:
            return id_of(self.dsn, team)
        return ensured(self.dsn, self.home.team_id, team)

    def _start(self, served: Served) -> None:
        assert self.place is not None
        if served.dags is not None:
            served.components.append(self.loader_of(served, served.dags, self.place))
        served.components.append(self.agent_of(served, self.place))
        for component in served.components:
            try:
                component.start()
            except OSError as error:
                raise config.explained(error, component.log) from error

    def _stop(self, served: Served) -> None:
        """Stop serving a team. Its live attempts are lost, and repeated when it is served again."""
        self._end(served)
        with suppress(HeadwayError):
            self._let_go(served)
        del self.served[served.team]

    def _end(self, served: Served) -> None:
        for component in served.components:
            component.signal(signal.SIGTERM)
        self.leaving += served.components
        served.components = []

    def _let_go(self, served: Served) -> None:
        from headway.store import installations
        from headway.store.transact import ENGINE, connect, transact

        if served.claim is not None:
            with connect(self.dsn, role=ENGINE) as conn:
                transact(conn, installations.let_go, served.team_id, served.claim)

    # -- the two processes of a team: all that starts one is here

    def loader_of(self, served: Served, dags: Path, place: Place) -> Component:
        name = self._called("loader", served)
        source = ["--dags", str(dags.absolute()), "--team", served.team]
        uid = place.isolation.uid_of(served.team_id)
        return Component(
            name,
            "headway.loader.loader",
            [
                "--dsn",
                "-",
                "--data",
                str(self.layout.data),
                *source,
                *place.isolation.of_loader(uid),
            ],
            place.private | place.isolation.environment(uid),
            self.layout.server_logs / f"{name}.log",
            first_line=place.dsn,
        )

    def agent_of(self, served: Served, place: Place) -> Component:
        """The agent of a team: its credential is of this team only."""
        name = self._called("agent", served)
        uid = place.isolation.uid_of(served.team_id)
        agent = ["--name", f"local-{served.team}"] if self.of_teams else []
        return Component(
            name,
            "headway.agent",
            [
                *("--connect", place.gateway, "--data", str(self.layout.data), "--token-file", "-"),
                *self._agent_size(),
                *agent,
                *(
                    ["--spool", str(place.isolation.spool(uid, served.team))]
                    if place.ships_logs
                    else []
                ),
                *place.isolation.of_agent(uid),
                *keytab_of(served.team),
            ],
            place.private | place.isolation.environment(uid),
            self.layout.server_logs / f"{name}.log",
            first_line=agent_token(place.dsn, served.team_id),
            uid=uid,
        )

    def _called(self, kind: str, served: Served) -> str:
        return f"{kind}-{served.team}" if self.of_teams else kind

    def _agent_size(self) -> list[str]:
        """Return the agent's options: its capacity is twice the slots, so that the next attempts are at
        hand when one ends.
        """
        slots = self.settings.slots
        queues = [word for queue in self.settings.queues for word in ("--queue", queue)]
        return ["--processes", str(slots), "--slots", str(2 * slots), *queues]

    # -- told to people

    def states(self, team_id: int) -> list[wire.Component]:
        """Return the components of a team whose health is not in the database."""
        loaders = [
            component
            for served in self.served.values()
            if served.team_id == team_id
            for component in served.components
            if component.module == "headway.loader.loader"
        ]
        return [
            wire.Component(name="loader", healthy=healthy, detail=detail)
            for healthy, detail in (loader.state() for loader in loaders)
        ]

    def sources(self) -> list[str]:
        """The folders, for the start's message."""
        if not self.of_teams:
            return [str(self.settings.dags.absolute())]
        root = self.settings.dags.absolute()
        teams = [served.team for served in self.served.values() if served.dags is not None]
        listed = ", ".join(teams) or "none yet"
        return [f"{root}, a folder of teams (it has {MARK}): {listed}"]


def id_of(dsn: str, team: str) -> int:
    """Return the id of a team. Raises NotFound."""
    from headway.store import teams
    from headway.store.transact import ENGINE, connect, transact

    with connect(dsn, role=ENGINE) as conn:
        return transact(conn, teams.named, team)


def ensured(dsn: str, home_id: int, team: str) -> int:
    """Return the id of a team, which is created, with the local admin as its admin, if there is none."""
    from headway.actions import teams as actions
    from headway.identity import accounts
    from headway.store import audit, people
    from headway.store.transact import APP, connect, enter_team, transact

    def work(conn: "Connection[Any]") -> int:
        enter_team(conn, home_id)
        people.one_at_a_time(conn)
        actor = actions.Actor(accounts.ensure_admin(conn, home_id), f"user:{accounts.ADMIN}")
        team_id, created = actions.ensure(conn, actor, wire.TeamRequest(name=team))
        enter_team(conn, team_id)
        accounts.ensure_admin(conn, team_id)
        if created:
            entry = audit.Entry(
                actor=accounts.UP, via="local", action=AUDITED, subject=team, address=""
            )
            audit.write(conn, team_id, entry)
        return team_id

    with connect(dsn, role=APP) as conn:
        return transact(conn, work)


def keytab_of(team: str) -> list[str]:
    """Return the option of an agent whose tasks have Kerberos tickets: ``<team>.keytab`` in the folder of keytabs."""
    folder = os.environ.get(KEYTABS)
    keytab = Path(folder or "", f"{team}.keytab").absolute()
    return ["--keytab", str(keytab)] if folder and keytab.is_file() else []
