"""Links to one run for people without an account: only hashes of their secrets are stored. Every function
takes a connection; none commits.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway import wire
from headway.errors import NotFound
from headway.store.views import pages


@dataclass(frozen=True, slots=True)
class Opened:
    """The run that the secret of a link opens."""

    team_id: int
    team: str
    run_id: str
    with_logs: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedQuestion:
    """The question that the secret of a link opens. ``question``: its id in the task instance."""

    team_id: int
    team: str
    link_id: str
    run_id: str
    task_id: str
    map_index: int
    question: str
    recipient: str
    created_by: str
    expires_at: datetime


Question = tuple[str, int, int, int, str] | tuple[None, ...]

OPEN_QUESTION: LiteralString = """
    SELECT team_id, team, link_id, run_id, task_id, map_index, question, recipient, created_by, expires_at
    FROM open_answer_link(%(hash)s)
"""

OPEN: LiteralString = """
    SELECT team_id, team, run_id, with_logs, expires_at FROM open_run_link(%(hash)s)
"""

CREATE: LiteralString = """
    INSERT INTO run_link (
        team_id, link_id, run_id, hash, with_logs, created_by, expires_at, task_id, map_index, attempt, deferrals,
        recipient)
    VALUES (%(team_id)s, %(link_id)s, %(run_id)s, %(hash)s, %(with_logs)s, %(actor)s,
        now() + make_interval(secs => %(lifetime_s)s), %(task_id)s, %(map_index)s, %(attempt)s, %(deferrals)s,
        %(recipient)s)
"""

REVOKE: LiteralString = """
    UPDATE run_link SET revoked_at = now()
    WHERE team_id = %(team_id)s AND link_id = %(link_id)s AND revoked_at IS NULL
"""

PAGE: LiteralString = """
    SELECT link_id AS id, run_id, with_logs, created_at, created_by, expires_at, last_used_at,
        revoked_at, task_id, map_index, recipient
    FROM run_link
    WHERE (%(link_id)s::text IS NULL OR link_id = %(link_id)s)
        AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
        AND (%(after)s::timestamptz IS NULL OR (created_at, link_id) < (%(after)s, %(after_id)s))
    ORDER BY created_at DESC, link_id DESC LIMIT %(limit)s
"""


def opened(conn: Connection[Any], hashed: bytes) -> Opened | None:
    """Return what a secret opens, unless the link is unknown, expired or revoked."""
    with conn.cursor(row_factory=class_row(Opened)) as cursor:
        return cursor.execute(OPEN, {"hash": hashed}).fetchone()


def opened_question(conn: Connection[Any], hashed: bytes) -> OpenedQuestion | None:
    """Return the question that a secret opens, unless the link is unknown, expired or revoked."""
    with conn.cursor(row_factory=class_row(OpenedQuestion)) as cursor:
        return cursor.execute(OPEN_QUESTION, {"hash": hashed}).fetchone()


def create(
    conn: Connection[Any],
    team_id: int,
    link_id: str,
    run_id: str,
    hashed: bytes,
    lifetime_s: float,
    actor: str,
    *,
    with_logs: bool,
    question: Question = (None,) * 5,
) -> None:
    """``question``: task, map index, attempt, number of its wait and recipient of a link that answers."""
    values: dict[str, Any] = {"team_id": team_id, "link_id": link_id, "run_id": run_id}
    values |= {"hash": hashed, "lifetime_s": lifetime_s, "actor": actor, "with_logs": with_logs}
    names = ("task_id", "map_index", "attempt", "deferrals", "recipient")
    values |= dict(zip(names, question, strict=True))
    conn.execute(CREATE, values)


def revoke(conn: Connection[Any], team_id: int, link_id: str) -> None:
    conn.execute(REVOKE, {"team_id": team_id, "link_id": link_id})


def page(
    conn: Connection[Any], run_id: str | None, limit: int, cursor: str | None
) -> wire.Page[wire.RunLink]:
    """List links of one run, or of all runs of the team, newest first."""
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    limit = pages.capped(limit)
    values = {"link_id": None, "run_id": run_id, "limit": limit + 1}
    links = found(conn, {**values, "after": after, "after_id": after_id})
    if len(links) <= limit:
        return wire.Page(links)
    last = links[limit - 1]
    return wire.Page(links[:limit], pages.encode((last.created_at, last.id)))


def one(conn: Connection[Any], link_id: str) -> wire.RunLink:
    values = {"link_id": link_id, "run_id": None, "limit": 1, "after": None, "after_id": None}
    for link in found(conn, values):
        return link
    raise NotFound(f"there is no link {link_id!r}", hint="to list links: headway link ls")


def found(conn: Connection[Any], values: dict[str, Any]) -> list[wire.RunLink]:
    with conn.cursor(row_factory=class_row(wire.RunLink)) as cursor:
        return cursor.execute(PAGE, values).fetchall()
