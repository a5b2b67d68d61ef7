"""The login of the API to the database: a role that can become ``headway_app`` and nothing else.

The application's connections carry what requests bring, so they are not the owner's: ``RESET ROLE`` leads back to a
login with no rights. A team is entered with a secret that each server draws at its start; the database has its hash.
"""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, LiteralString

from psycopg import Connection, errors, sql
from psycopg.conninfo import make_conninfo

from headway import ids
from headway.errors import HeadwayError, NotAllowed
from headway.store.transact import APP, Session, connect, enter_team, transact
from headway.store.transact import place as place_of

LOGIN: Final = "headway_api"
VARIABLE: Final = "HEADWAY_API_DATABASE_URL"

ROLE_BY_ADMIN: Final = """an administrator must run this once:
    CREATE ROLE headway_api LOGIN NOINHERIT PASSWORD '…';
    GRANT headway_app TO headway_api;
    REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC;
then set HEADWAY_API_DATABASE_URL to the database URL with this user and password"""

EXISTS: LiteralString = "SELECT FROM pg_roles WHERE rolname = %s"

ADMIT: LiteralString = """
    INSERT INTO api_server (place, hash) VALUES (%(place)s, %(hash)s)
    ON CONFLICT (place) DO UPDATE SET hash = excluded.hash, admitted_at = DEFAULT
"""

# What injected SQL could use against the next request on the same connection: objects in pg_temp come first.
ONE_AT_A_TIME: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('headway api login'))"
MAKES_TEMPORARY: LiteralString = (
    "SELECT has_database_privilege('headway_app', current_database(), 'TEMPORARY')"
)

POWERS: LiteralString = """
    SELECT session_user::text, rolsuper OR rolbypassrls OR rolcreaterole
        OR pg_has_role(session_user, 'headway_engine', 'MEMBER')
        OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'team'::regclass), 'MEMBER')
    FROM pg_roles WHERE rolname = session_user
"""


@dataclass(frozen=True, slots=True)
class ApiLogin:
    """``dsn``: the API's own. ``owner``: the owner's, who admits the secret again where the database has lost it."""

    dsn: str
    owner: str
    place: str
    secret: str
    weakness: str = ""  # what an administrator should change

    @property
    def is_own(self) -> bool:
        return self.dsn != self.owner

    def admit(self) -> None:
        with connect(self.owner) as conn:
            conn.execute(
                ADMIT, {"place": self.place, "hash": sha256(self.secret.encode()).digest()}
            )

    def settle(self, conn: Session) -> None:
        """Give a connection what it needs to enter teams."""
        conn.secret = self.secret
        if not self.is_own:
            return
        try:
            transact(conn, enter_team, 0)
        except errors.InsufficientPrivilege:  # a new database under the old name
            self.admit()


def embedded(owner: str, place: str) -> ApiLogin:
    """Return the API's login to a database that is ours: its role is made here."""
    with connect(owner) as conn:
        if conn.execute(EXISTS, [LOGIN]).fetchone() is None:
            conn.execute(
                "CREATE ROLE headway_api LOGIN NOINHERIT; GRANT headway_app TO headway_api"
            )
        revoke_temporary(conn)
    return admitted(ApiLogin(make_conninfo(owner, user=LOGIN), owner, place, ids.token()))


def external(owner: str, url: str | None, place: str) -> ApiLogin:
    """Return the API's login to a database of the user's.

    Without a URL of its own the API logs in as the owner, which is its weakness. Raises NotAllowed if the login could
    do more than act as ``headway_app``.
    """
    with connect(owner) as conn:
        database = conn.info.dbname
        hint = ROLE_BY_ADMIN.format(database=database)
        temporary = not revoke_temporary(conn)
    if url is None:
        return ApiLogin(
            owner,
            owner,
            place,
            ids.token(),
            f"the API logs in as the owner of the tables, so an SQL injection could reach every team; {hint}",
        )
    weakness = (
        f"the API's login may create temporary tables, which an SQL injection could leave for later requests; run: "
        f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC'
    )
    login = admitted(ApiLogin(url, owner, place, ids.token(), weakness if temporary else ""))
    with connect(url, role=APP, application="headway api") as conn:
        refuse_power(conn, url)
        conn.secret = login.secret
        try:
            transact(conn, enter_team, 0)
        except errors.InsufficientPrivilege as error:
            raise NotAllowed(
                f"{VARIABLE} leads to another database than the database URL",
                where=place_of(url),
                hint="both URLs must name the same host and database",
            ) from error
    return login


def admitted(login: ApiLogin) -> ApiLogin:
    login.admit()
    return login


def withdraw(login: ApiLogin) -> None:
    """Forget the secret of a server that ends. Where the database is away, it stays known, to nobody's use."""
    with suppress(HeadwayError), connect(login.owner) as conn:
        conn.execute("DELETE FROM api_server WHERE place = %s", [login.place])


def refuse_power(conn: Connection[Any], url: str) -> None:
    found = conn.execute(POWERS).fetchone()
    assert found is not None
    user, is_powerful = found
    if is_powerful:
        raise NotAllowed(
            f"the API's database user {user} can do more than act as headway_app",
            where=place_of(url),
            hint=f"use a login of its own in {VARIABLE}: no superuser, no owner of the tables, a member of "
            "headway_app only",
        )


def revoke_temporary(conn: Connection[Any]) -> bool:
    """Let nobody but the owner make temporary tables. Returns whether that holds."""
    return transact(conn, revoked) if one(conn, MAKES_TEMPORARY) else True


def revoked(conn: Connection[Any]) -> bool:
    """Revoke it, one server at a time: of two that do so at once, PostgreSQL lets one fail."""
    conn.execute(ONE_AT_A_TIME)
    if one(conn, MAKES_TEMPORARY):
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    return not one(conn, MAKES_TEMPORARY)


def one(conn: Connection[Any], query: LiteralString) -> bool:
    row = conn.execute(query).fetchone()
    return row is not None and bool(row[0])
