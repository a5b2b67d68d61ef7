"""Views of the audit, latest first, and its verification."""

from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from headway import wire
from headway.core.audited import sentence
from headway.store.views import pages

EXPORTED_MAX: Final = 1_000  # at once

PAGE: LiteralString = """
    SELECT seq, at, actor, via, action, subject, detail, address FROM audit
    WHERE (%(before)s::bigint IS NULL OR seq < %(before)s)
        AND (%(actor)s::text IS NULL OR actor = %(actor)s)
        AND (%(action)s::text IS NULL OR action = %(action)s)
        AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    ORDER BY team_id DESC, seq DESC LIMIT %(limit)s
"""

EXPORT: LiteralString = """
    SELECT seq, at, actor, via, action, subject, detail, address, encode(chain, 'hex') AS chain FROM audit
    WHERE seq > %(after)s
        AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    ORDER BY team_id, seq LIMIT %(limit)s
"""

# What the janitor removed is vouched for by the last entry that says so, itself a link of the chain.
CHECK: LiteralString = """
    WITH removed AS (
        SELECT (detail ->> 'until')::bigint AS until, decode(detail ->> 'chain', 'hex') AS chain
        FROM audit WHERE action = 'audit.prune' AND actor = 'janitor'
        ORDER BY team_id DESC, seq DESC LIMIT 1
    )
    SELECT count(*) AS entries, bool_and(good) IS NOT FALSE AS intact,
        min(seq) FILTER (WHERE NOT good) AS broken_at,
        coalesce((SELECT until FROM removed), 0) AS removed
    FROM (
        SELECT seq,
            seq = coalesce((SELECT until FROM removed), 0) + row_number() OVER written
            AND chain = audit_link(
                coalesce(lag(chain) OVER written, (SELECT chain FROM removed), ''), audit) AS good
        FROM audit WINDOW written AS (ORDER BY seq)
    ) AS entry
"""


def page(
    conn: Connection[Any],
    *,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    limit: int,
    cursor: str | None,
) -> wire.Page[wire.WordedEntry]:
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    limit = pages.capped(limit)
    values = {"before": before, "actor": actor, "action": action, "since": since}
    with conn.cursor(row_factory=dict_row) as rows:
        read = rows.execute(PAGE, {**values, "limit": limit + 1}).fetchall()
    found = [
        wire.WordedEntry(**row, words=sentence(row["action"], row["subject"], row["detail"]))
        for row in read
    ]
    more = pages.encode((found[limit - 1].seq,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def export(
    conn: Connection[Any], *, since: datetime | None, until: datetime | None, after: int
) -> list[wire.AuditRecord]:
    """Return the oldest entries after number ``after``; none at the end."""
    values = {"since": since, "until": until, "after": after, "limit": EXPORTED_MAX}
    with conn.cursor(row_factory=class_row(wire.AuditRecord)) as cursor:
        return cursor.execute(EXPORT, values).fetchall()


def check(conn: Connection[Any]) -> wire.AuditCheck:
    """Reads all of it."""
    with conn.cursor(row_factory=class_row(wire.AuditCheck)) as cursor:
        found = cursor.execute(CHECK).fetchone()
    assert found is not None
    return found
