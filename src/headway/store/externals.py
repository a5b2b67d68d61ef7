"""People whom others sign in, with the roles of the role map. Every function takes a connection; none commits.

They are of several teams at once, so that functions of the owner do it, for an API server that proves its secret.
"""

from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import scalar_row

from headway.store.transact import secret_of

TEAM_NAMES: LiteralString = "SELECT name FROM live_team_names(%(secret)s)"

ADMIT: LiteralString = "SELECT admit_person(%(secret)s, %(person)s)"


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """``roles``: by team; None denies the team."""

    way: str
    subject: str
    name: str
    display_name: str
    roles: dict[str, str | None]
    is_platform_admin: bool
    lapse_s: float


class Change(msgspec.Struct, frozen=True, kw_only=True):
    team_id: int
    team: str
    before: str | None
    after: str | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """``person_id`` is None for somebody who is in no team."""

    person_id: int | None = None
    name: str = ""
    changes: list[Change] = []


def team_names(conn: Connection[Any]) -> list[str]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(TEAM_NAMES, {"secret": secret_of(conn)}).fetchall()


def admit(conn: Connection[Any], person: Admitted) -> Found:
    text = msgspec.json.encode(person).decode()
    with conn.cursor(row_factory=scalar_row) as cursor:
        answer = cursor.execute(ADMIT, {"secret": secret_of(conn), "person": text}).fetchone()
    return msgspec.convert(answer, Found)
