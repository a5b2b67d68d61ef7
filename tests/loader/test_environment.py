"""Which variables the code of teams does not see: Headway's own, and those that lead to a database of one's own."""

import pytest

from headway.loader.environment import PRIVATE, clean_environment, private_names

GIVEN = {
    "PGHOST": "warehouse",
    "PGPASSWORD": "of-the-warehouse",
    "PGM_ROOT": "/opt/pgm",
    "PGSSLKEY": "/keys/mine",
    "DATABASE_URL": "postgresql://app@elsewhere/app",
    "MY_OWN": "mine",
}


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("postgresql://hw:secret@db:5432/headway?sslkey=/keys/hw", []),
        ("postgresql://hw@db:5432/headway?sslkey=/keys/hw", ["PGPASSWORD"]),
        ("postgresql://hw:secret@/headway?sslkey=/keys/hw", ["PGHOST"]),
        ("dbname=headway", ["PGHOST", "PGPASSWORD", "PGSSLKEY"]),
        ("postgresql://hw:of-the-warehouse@db:5432/headway", ["PGPASSWORD", "PGSSLKEY"]),
        ("postgresql://hw:mine@db:5432/headway?sslkey=/keys/hw", ["MY_OWN"]),
        ("postgresql://app@elsewhere/app", ["DATABASE_URL", "PGPASSWORD", "PGSSLKEY"]),
    ],
)
def test_what_completes_the_url_or_holds_it_is_private(url: str, private: list[str]) -> None:
    assert private_names(GIVEN, url) == private


def test_everything_else_is_the_users() -> None:
    own = {"HEADWAY_AGENT_TOKEN": "x", PRIVATE: "PGPASSWORD,PGHOST"}
    left = clean_environment({**GIVEN, **own})
    assert left.keys() == GIVEN.keys() - {"PGPASSWORD", "PGHOST"}
    assert clean_environment(GIVEN) == GIVEN
