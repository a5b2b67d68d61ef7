"""Dates at the ends of the calendar are refused where they come in: one run with a date that cannot be read back made
every list that it is in an error. Those next to them can be shown in every zone.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from psycopg import errors

from headway.store.transact import Session
from tests.api import seed
from tests.api.browser import API, Answer, Browser
from tests.api.conftest import TOKEN

BEYOND: Final = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T23:59:59Z",
    "9999-12-31T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
)
ENDS: Final = ("0001-01-02T00:00:00Z", "9999-12-30T23:59:59Z", "9999-12-31T13:00:00+14:00")
MIDDLE: Final = "2026-01-01T00:00:00Z"
ZONES: Final = ("UTC", "Pacific/Kiritimati", "America/Adak")


@pytest.fixture
def browser(url: str, conn: Session) -> Browser:
    seed.dag(conn, "d")
    return Browser(url, headers={"Authorization": f"Bearer {TOKEN}"})


def asked(browser: Browser, path: str, body: dict[str, Any]) -> Answer:
    return browser.ask("POST", f"{API}/dags/d/{path}", body)


@pytest.mark.parametrize("date", [*BEYOND, "0001-01-01", "9999-12-31"])
def test_a_date_beyond_the_calendar_is_refused(browser: Browser, conn: Session, date: str) -> None:
    told = f"the date {date} is not between 0001-01-02 and 9999-12-30"
    for answer in (
        asked(browser, "runs", {"logical_date": date}),
        asked(browser, "runs", {"logical_date": date, "dry_run": True}),
        asked(browser, "runs/bulk", {"runs": [{}, {"logical_date": date}]}),
        asked(browser, "backfills", {"from": date, "to": MIDDLE}),
        asked(browser, "backfills", {"from": MIDDLE, "to": date}),
    ):
        assert answer.status == 400, answer
        assert told in answer.json["detail"]
    assert conn.execute("SELECT count(*) FROM run").fetchone() == (0,)


def test_a_date_at_its_end_is_shown_in_every_zone(browser: Browser) -> None:
    for date in ENDS:
        answer = asked(browser, "runs", {"logical_date": date})
        assert answer.status == 201, answer
        run_id = answer.json["run_id"]
        for part in ("", "/tasks", "/gantt", "/events"):
            assert browser.ask("GET", f"{API}/runs/{run_id}{part}").status == 200, part
    for path in lists():
        assert browser.ask("GET", API + path).status == 200, path


def test_a_filter_by_any_date_is_answered(browser: Browser) -> None:
    asked(browser, "runs", {"logical_date": ENDS[0]})
    for date in (*BEYOND, *ENDS):
        for first, last in ((date, MIDDLE), (MIDDLE, date), (date, date)):
            span = urlencode({"from": first, "to": last})
            for path in lists(span):
                assert browser.ask("GET", API + path).status in (200, 400), (path, span)
        answer = browser.ask("GET", f"{API}/audit?{urlencode({'since': date})}")
        assert answer.status == 200, date


def test_an_empty_date_is_refused_as_any_other_text_that_is_none(browser: Browser) -> None:
    for name in ("from", "to"):
        for path in ("/runs?", "/runs?dag_id=d&", "/timeline?", "/logs/search?q=x&"):
            answer = browser.ask("GET", f"{API}{path}{name}=")
            assert answer.status == 400, (path, name)
            assert answer.json["detail"] == "'' is not a valid date"


def lists(span: str = "") -> Iterator[str]:
    """What shows runs by dates."""
    yield from (f"/runs?{span}", f"/runs?dag_id=d&{span}", f"/timeline?{span}")
    if not span:
        yield from ("/dags", "/dags/d", "/dags/d/grid", "/dags/d/durations", "/search?q=d")
        yield from ("/overview", "/dags/d/next")
        return
    yield f"/logs/search?q=x&{span}"
    for zone in ZONES:
        yield from (f"{at}?timezone={zone}&{span}" for at in ("/calendar", "/dags/d/calendar"))


@pytest.mark.parametrize("column", ["logical_date", "interval_end"])
def test_the_database_keeps_none_that_could_not_be_read(
    owner_conn: Session, browser: Browser, column: str
) -> None:
    seed.run(owner_conn, "d", "r1")
    with pytest.raises(errors.CheckViolation, match="dates_in_the_calendar"):
        owner_conn.execute(f"UPDATE run SET {column} = '10000-01-01 13:59:59Z'".encode())
    owner_conn.rollback()
