"""Rights of agents to files: of bundles and runs of their team to read, of attempts bound to them to write."""

from collections.abc import Collection
from typing import Any, Final

from psycopg import Connection

from headway.agent.protocol import Errand, Piece, Put, WantBundle, WantResult
from headway.executors.agents import translate
from headway.executors.agents.asks import Asks
from headway.executors.agents.files import OPEN_MAX, Files, Job, not_now
from headway.executors.agents.flaws import check_text
from headway.executors.agents.link import Link
from headway.executors.base import Host
from headway.store import bundles, teams, xcoms
from headway.store.sessions import dead
from headway.store.transact import read

KNOWN_MAX: Final = 1_000  # of one connection
NOT_BOUND: Final = "the attempt is not bound to this agent"


class Errands:
    def __init__(self, host: Host, files: Files | None) -> None:
        self.host = host
        self.files = files
        answer = None if files is None else files.answer
        self.asks: Asks[Job, Piece] = Asks(host.selector, answer, not_now, OPEN_MAX)
        self.teams: dict[int, str] = {}

    def take(self, link: Link, errand: Errand) -> Piece | None:
        """Take a request, or return why there is no answer. Raises ValueError for names that cannot be stored."""
        match errand:
            case WantBundle():
                refusal, job = self.of_bundle(link, errand)
            case WantResult():
                refusal, job = self.of_result(link, errand)
            case Put():
                check_text(errand.name)
                refusal = "" if errand.key in link.held else NOT_BOUND
                if not refusal and errand.kind == "log" and not link.logs.take(len(errand.data)):
                    return Piece(errand.request, again=True)  # in the next minute
                job = Job(errand, self.team(link.team_id))
        if refusal:
            return Piece(errand.request, refused=refusal)
        return self.asks.take(link, job)

    def of_bundle(self, link: Link, want: WantBundle) -> tuple[str, Job]:
        check_text(want.version, *want.blobs[:1])
        if self.known(link, want.version) is None:
            if not read(self.host.conn, bundles.is_of_team, link.team_id, want.version):
                return "the team has no such bundle", Job(want)
            self.learn(link, want.version, "")
        return "", Job(want)

    def of_result(self, link: Link, want: WantResult) -> tuple[str, Job]:
        check_text(want.run_id, want.ref.task_id, want.ref.key)
        what = want.run_id, want.ref
        file = self.known(link, what)
        if file is None:
            refs = translate.wanted([want.ref])
            found = read(self.host.conn, xcoms.fetch, link.team_id, want.run_id, refs)
            file = next((one.file for one in found if one.file is not None), None)
            if file is None or want.ref.map_index is None:
                return "there is no such result", Job(want)
            self.learn(link, what, file)
        return "", Job(want, file=file)

    @staticmethod
    def known(link: Link, what: object) -> str | None:
        return link.files.get(what)

    @staticmethod
    def learn(link: Link, what: object, file: str) -> None:
        if len(link.files) >= KNOWN_MAX:
            link.files.clear()
        link.files[what] = file

    def team(self, team_id: int) -> str:
        """Return the name of a team where logs are stored by it."""
        if self.files is None or self.files.spool is None:
            return ""
        if team_id not in self.teams:
            self.teams = read(self.host.conn, names)
        return self.teams[team_id]

    def look(self, sessions: Collection[str]) -> None:
        if self.files is not None and self.files.unfinished:
            self.files.look(sessions, lambda found: read(self.host.conn, dead, found))

    def close(self) -> None:
        self.asks.close()


def names(conn: Connection[Any]) -> dict[int, str]:
    return {team.team_id: team.name for team in teams.every(conn)}
