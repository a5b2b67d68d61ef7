"""Which environment variables are Headway's own, and so not for the code of teams; all others are for it.

Those called ``HEADWAY_…``; where the database is not ours, those by which the driver completes its URL (``PGPASSWORD``,
if that names no password); and whatever holds the URL or its password. The supervisor finds them and names them in
``PRIVATE``, for the loader and the agent, which start that code.
"""

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "HEADWAY_"
PRIVATE: Final = "HEADWAY_PRIVATE"
HOLDS_CHARS_MIN: Final = 8  # a shorter secret is found everywhere


def private_names(environment: Mapping[str, str], dsn: str) -> list[str]:
    """``dsn``: of a database that is not ours."""
    from psycopg import pq  # not where a file is only checked

    given = {
        option.keyword: option.val
        for option in pq.Conninfo.parse(dsn.encode())
        if option.val is not None
    }
    completing = {
        option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar and option.keyword not in given
    }
    secrets = (dsn, given.get(b"password", b"").decode())
    return sorted(
        name
        for name, value in environment.items()
        if name in completing or any(gives_away(value, secret) for secret in secrets)
    )


def gives_away(value: str, secret: str) -> bool:
    if len(secret) < HOLDS_CHARS_MIN:
        return value == secret != ""
    return secret in value


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a DAG file may read when it is imported."""
    private = environment.get(PRIVATE, "").split(",")
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(PREFIX) and name not in private
    }
