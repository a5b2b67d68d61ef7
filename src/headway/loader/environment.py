"""Separates Headway's own environment variables from those for the code of teams.

Headway's own are ``HEADWAY_…``; for an external database, those with which the driver completes its URL
(``PGPASSWORD``, if the URL has no password); and all that contain the URL or its password. The supervisor lists them
in ``PRIVATE`` for the loader and the agent, which start the code of teams.
"""

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "HEADWAY_"
PRIVATE: Final = "HEADWAY_PRIVATE"
HOLDS_CHARS_MIN: Final = 8  # a shorter secret is found everywhere


def private_names(environment: Mapping[str, str], dsn: str) -> list[str]:
    """Return Headway's own variables. ``dsn`` is the URL of an external database."""
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
    """Return the environment in which DAG files are imported."""
    private = environment.get(PRIVATE, "").split(",")
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(PREFIX) and name not in private
    }
