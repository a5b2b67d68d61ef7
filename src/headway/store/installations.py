"""The provider of a team's DAGs: one data directory on one host at a time, as long as it renews its claim.

Another one would load other DAGs over these, and its agents would have neither their files nor the results
of the tasks before. None of these commits.
"""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.errors import Conflict, NotFound
from headway.store.clock import clock

LEASE_S: Final = 45  # more than four turns of a loader that has nothing else to do

HOLD: LiteralString = """
    INSERT INTO installation (team_id, host, data, dags, seen_at)
    SELECT team_id, %(host)s, %(data)s, %(dags)s, %(now)s::timestamptz
    FROM team WHERE team_id = %(team_id)s AND deleted_at IS NULL
    FOR NO KEY UPDATE -- a team that is deleted meanwhile gets no DAGs from us
    ON CONFLICT (team_id) DO UPDATE
    SET host = excluded.host, data = excluded.data, dags = excluded.dags, seen_at = excluded.seen_at
    WHERE (installation.host, installation.data) = (excluded.host, excluded.data)
        OR installation.seen_at < %(now)s::timestamptz - make_interval(secs => %(lease)s)
    RETURNING team_id
"""

HOLDER: LiteralString = """
    SELECT host, data, dags,
        ceil(extract(epoch FROM seen_at - %(now)s::timestamptz) + %(lease)s)::integer
    FROM installation WHERE team_id = %(team_id)s
"""

LET_GO: LiteralString = """
    DELETE FROM installation WHERE team_id = %(team_id)s AND (host, data) = (%(host)s, %(data)s)
"""


@dataclass(frozen=True, slots=True)
class Installation:
    host: str
    data: str
    dags: str


def here(data: Path, dags: Path, install: str | None = None) -> Installation:
    """Return our claim. ``install``: the name of the install, where several machines share the data directory."""
    host = install or socket.gethostname()
    return Installation(host, str(data.absolute()), str(dags.absolute()))


def hold(conn: Connection[Any], team_id: int, ours: Installation) -> None:
    """Claim to provide the team's DAGs. Raises Conflict while another server does, NotFound for a deleted team."""
    values = {"team_id": team_id, "host": ours.host, "data": ours.data, "dags": ours.dags}
    age = {"now": clock(conn), "lease": LEASE_S}
    if conn.execute(HOLD, {**values, **age}).fetchone() is not None:
        return
    found = conn.execute(HOLDER, {"team_id": team_id, **age}).fetchone()
    if found is None:
        raise NotFound("this team was deleted", where=ours.dags)
    host, data, dags, seconds = found
    raise Conflict(
        f"another Headway server already loads DAGs into this database: on {host}, from {dags}",
        where=f"{host}:{data}",
        hint="use that server, stop it, or use another database; if it is already gone, this one "
        f"can start in {max(1, seconds)} s",
    )


def let_go(conn: Connection[Any], team_id: int, ours: Installation) -> None:
    conn.execute(LET_GO, {"team_id": team_id, "host": ours.host, "data": ours.data})
