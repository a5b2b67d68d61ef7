"""PostgreSQL: log in and ask for the version."""

from typing import Any, Final

import psycopg

from headway.core.connections import Connection
from headway.probes.failed import TIMEOUT_S, Failed

EXTRAS: Final = ("sslmode", "sslrootcert", "options", "target_session_attrs")  # what libpq knows


def probe(connection: Connection) -> str:
    fields: dict[str, Any] = {
        "host": connection.host,
        "port": connection.port,
        "dbname": connection.schema,
        "user": connection.login,
        "password": connection.password,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    given |= {name: str(connection.extra[name]) for name in EXTRAS if name in connection.extra}
    try:
        with psycopg.connect(**given, connect_timeout=int(TIMEOUT_S)) as conn:
            info = conn.info
            conn.execute("SELECT 1")
            version = info.parameter_status("server_version")
            return f"logged in to the database {info.dbname} as {info.user}; PostgreSQL {version}"
    except psycopg.Error as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise Failed(f"cannot log in: {reason}") from None
