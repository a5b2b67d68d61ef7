"""Lines in the terminal of ``headway up`` about DAG files: loaded, removed, broken."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from headway.cli.output import located
from headway.cli.terminal import paint, say
from headway.errors import NotReachable
from headway.store.views import news

if TYPE_CHECKING:
    from headway.api.door import Door
    from headway.up.supervisor import Supervisor


class News:
    """Print a summary at first, then one line for each change, team by team."""

    def __init__(self, supervisor: "Supervisor") -> None:
        self.supervisor = supervisor
        self.of_team: dict[int, TeamNews] = {}

    def tell(self) -> None:
        teams, door = self.supervisor.teams, self.supervisor.door
        assert door is not None
        for served in [*teams.served.values()]:
            if served.dags is not None:
                team = served.team if teams.of_teams else None
                made = TeamNews(door.of(served.team_id), served.dags, team)
                self.of_team.setdefault(served.team_id, made).tell()


class TeamNews:
    """``team``: its name where there are several."""

    def __init__(self, door: "Door", dags: Path, team: str | None) -> None:
        self.door = door
        self.dags = dags
        self.team = f"{team}: " if team is not None else ""
        self.told_until: datetime | None = None
        self.last_event: int | None = None  # the database may not answer now

    def tell(self) -> None:
        try:
            if self.last_event is None:
                self.last_event = self.door.transact(news.last_event)
            events = self.door.transact(news.dag_events, self.last_event)
            errors = self.door.transact(news.import_errors, self.told_until)
        except NotReachable:
            return  # the supervisor tells of a dead database; this is only news
        for event in events:
            self.last_event = event.seq
            if event.name == "load":
                version = f", version {event.version}" if (event.version or 0) > 1 else ""
                verb = "updated" if version else "loaded"
                say(f"{paint('✓', 'green')} {self.team}{event.dag_id} {verb}{version}")
            elif event.name == "miss":
                say(
                    f"{paint('-', 'yellow')} {self.team}{event.dag_id} was removed from the DAG folder: no new runs"
                )
        for error in errors:
            self.told_until = error.at
            where = located(self.dags / error.file, error.line)
            say(f"{paint('✗', 'red')} {where}: {error.message}")
