"""Notes on runs. A note does not change a run's ``revision``."""

from typing import Any, Final

from psycopg import Connection

from headway.errors import UsageError
from headway.store import notes
from headway.store.clock import clock

NOTE_MAX: Final = 10_000


def write(conn: Connection[Any], team_id: int, run_id: str, note: str | None, actor: str) -> None:
    """Set the note; an empty one removes it."""
    if note is not None and len(note) > NOTE_MAX:
        raise UsageError(f"a note can have at most {NOTE_MAX:,} characters, not {len(note):,}")
    notes.write(conn, team_id, run_id, (note or "").strip() or None, actor, clock(conn))
