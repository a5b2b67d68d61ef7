"""Lines in the terminal of ``headway up`` about DAG files: loaded, removed, broken."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from headway.cli.output import located
from headway.cli.terminal import paint, say
from headway.errors import NotReachable
from headway.store.views import news

if TYPE_CHECKING:
    from headway.up.supervisor import Supervisor


class News:
    """Print a summary at first, then one line for each change."""

    def __init__(self, supervisor: "Supervisor") -> None:
        assert supervisor.door is not None
        self.door = supervisor.door
        self.dags: Path = supervisor.settings.dags
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
                version = f", version {event.number}" if (event.number or 0) > 1 else ""
                verb = "updated" if version else "loaded"
                say(f"{paint('✓', 'green')} {event.dag_id} {verb}{version}")
            elif event.name == "miss":
                say(
                    f"{paint('-', 'yellow')} {event.dag_id} was removed from the DAG folder: no new runs"
                )
        for error in errors:
            self.told_until = error.at
            where = located(self.dags / error.file, error.line)
            say(f"{paint('✗', 'red')} {where}: {error.message}")
