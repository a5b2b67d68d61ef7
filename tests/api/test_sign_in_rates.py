"""Tries to sign in are counted over all API servers of a database."""

from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from headway import clock
from headway.api.signin import by_address, by_name, by_pair
from headway.store import api_login, sign_in_rates
from headway.store.transact import APP, Session, begun, connect, enter_team, transact
from headway.up.address import url_of
from tests.api.conftest import served


def attempt(url: str, name: str) -> httpx.Response:
    body = {"name": name, "password": "wrong"}
    return httpx.post(f"{url}/api/v1/session", json=body, timeout=30.0)


def test_two_servers_count_tries_together(database: str, tmp_path: Path) -> None:
    with (
        served(database, tmp_path / "one", place="one") as one,
        served(database, tmp_path / "two", place="two") as two,
    ):
        urls = [url_of(each.listener, "127.0.0.1") for each in (one, two)]
        assert [attempt(urls[n % 2], "ann").status_code for n in range(6)] == [401] * 5 + [429]
        late = attempt(urls[1], "ann")
        assert (late.status_code, 1 <= int(late.headers["retry-after"]) <= 12) == (429, True)
        assert attempt(urls[0], "bob").status_code == 401


@pytest.mark.parametrize(
    "other", ["ANN", "Ann", "a nn", "ann\u00a0", "\uff41nn", "a\u0301nn", "\u00e1nn", "a\u00adnn", "an\ufe0fn"]
)  # fmt: skip
def test_another_spelling_of_a_name_is_counted_as_the_same(other: str) -> None:
    """Directories find the same person by it: guesses would go on."""
    assert by_pair(other, "10.0.0.1") == by_pair("ann", "10.0.0.1")
    assert by_name(other) == by_name("ann")


def test_all_addresses_of_a_subscriber_are_counted_as_one() -> None:
    """Else who has one of IPv6 comes from another one for each guess."""
    one, other, elsewhere = "2001:db8::1", "2001:db8::ffff:1", "2001:db8:1::1"
    assert by_address(one) == by_address(other) != by_address(elsewhere)
    assert by_pair("ann", one) == by_pair("ann", other) != by_pair("ann", elsewhere)


def test_names_addresses_and_pairs_have_buckets_of_their_own() -> None:
    of = [by_pair("ann", "a"), by_pair("ann", "b"), by_pair("bob", "a"), by_name("ann"), by_name("bob")]  # fmt: skip
    of += [by_address("a"), by_address("b"), by_address("ann"), by_name("ann-2"), by_name("ann_2")]
    assert len({each.hashed for each in of}) == len(of)
    assert [(each.burst, each.period_s) for each in (of[0], of[3], of[5])] == [
        (5, 60.0),
        (100, 60.0),
        (50, 60.0),
    ]


def test_a_bucket_refills_with_the_time_of_the_database(database: str, owner_conn: Session) -> None:
    bucket = by_pair("ann", "10.0.0.1")
    for _ in range(bucket.burst):
        assert transact(owner_conn, sign_in_rates.take, [bucket]) == 0
    wait_s = transact(owner_conn, sign_in_rates.take, [bucket])
    assert 0 < wait_s <= bucket.period_s / bucket.burst
    with begun(owner_conn):
        owner_conn.execute(
            "UPDATE sign_in_rate SET counted_at = counted_at - interval '12 seconds'"
        )
    assert transact(owner_conn, sign_in_rates.take, [bucket]) == 0
    assert transact(owner_conn, sign_in_rates.take, [bucket]) > 0
    transact(owner_conn, sign_in_rates.give_back, bucket)
    assert transact(owner_conn, sign_in_rates.take, [bucket]) == 0


def test_who_must_wait_for_less_than_a_second_must_wait(owner_conn: Session) -> None:
    bucket = by_name("ann")
    for _ in range(bucket.burst):
        transact(owner_conn, sign_in_rates.take, [bucket])
    assert 0 < transact(owner_conn, sign_in_rates.take, [by_address("10.0.0.1"), bucket]) < 1


def test_what_is_full_again_is_forgotten(owner_conn: Session) -> None:
    for number in range(30):
        transact(owner_conn, sign_in_rates.take, [by_address(f"10.0.0.{number}")])
    owner_conn.execute("UPDATE sign_in_rate SET counted_at = counted_at - interval '1 hour'")
    for _ in range(3):
        transact(owner_conn, sign_in_rates.take, [by_address("10.1.0.1")])
    assert owner_conn.execute("SELECT count(*) FROM sign_in_rate").fetchone() == (1,)


def inject(conn: Session, statement: str) -> None:
    with begun(conn):
        enter_team(conn, 1)
        conn.execute(statement.encode(), prepare=False)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT take_sign_in('a guess', 'x', 5, 60, now())",
        "SELECT give_back_sign_in(NULL, 'x', 5)",
        "DELETE FROM sign_in_rate",
        "SELECT FROM sign_in_rate",
    ],
)
def test_injected_sql_cannot_reset_the_count(database: str, statement: str) -> None:
    login = api_login.embedded(database, "test")
    with connect(login.dsn, role=APP) as conn:
        login.settle(conn)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            inject(conn, statement)


def test_the_clock_of_a_server_that_is_behind_takes_nothing_back(owner_conn: Session) -> None:
    bucket = by_address("10.0.0.1")
    transact(owner_conn, sign_in_rates.take, [bucket])
    owner_conn.execute(
        "UPDATE sign_in_rate SET counted_at = %s", [clock.now() + timedelta(hours=1)]
    )
    assert transact(owner_conn, sign_in_rates.take, [bucket]) == 0
