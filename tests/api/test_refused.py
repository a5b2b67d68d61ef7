"""Refusals in the audit: who tried what, without a flood filling it. And its export."""

import asyncio
import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any, cast

import pytest

from headway import clock
from headway.api.door import Door
from headway.api.refused import KINDS_MAX, WINDOW_S, Asker, Count, Kind, Refusals, entry
from headway.api.server import HttpServer
from headway.client import Client
from headway.config import Layout
from headway.errors import NotReachable
from headway.store.audit import Entry
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Browser
from tests.api.conftest import served

PATIENCE_S = 60.0
Told = dict[str, Any]


@pytest.fixture
def server(database: str, layout: Layout) -> Iterator[HttpServer]:
    with served(database, layout.data, write_refusals_s=0.05) as server:
        yield server


def refusals(url: str, count: int) -> list[Told]:
    """The refusals in the audit of the team, newest first, when there are so many."""

    def found() -> list[Told]:
        answer = people.local(url).ask("GET", f"{API}/audit?action=access.refused&limit=500")
        items: list[Told] = answer.json["items"]
        return items

    deadline = clock.monotonic() + PATIENCE_S
    while len(found()) < count:
        assert clock.monotonic() < deadline, found()
        clock.sleep(0.05)
    return found()


def test_who_tried_what_is_written(url: str) -> None:
    people.create(url, "vic", "viewer")
    vic = people.signed_in(url, "vic")
    assert vic.ask("GET", f"{API}/users").status == 403
    (first,) = refusals(url, 1)
    assert (first["actor"], first["subject"]) == ("user:vic", "GET /api/v1/users")
    assert first["detail"].items() >= {"status": 403, "times": 1, "role": "viewer"}.items()
    assert vic.ask("POST", f"{API}/dags/d%0Aforged/pause", {}).status == 403
    assert vic.ask("GET", f"{API}/runs/nothing").status == 404
    assert vic.ask("GET", f"{API}/runs", headers={"Headway-Team": "other"}).status == 403
    assert Browser(url).ask("GET", f"{API}/users").status == 401
    told = {(each["actor"], each["subject"]) for each in refusals(url, 5)}
    assert told == {
        ("user:vic", "GET /api/v1/users"),
        ("user:vic", "POST /api/v1/dags/{dag_id}/pause"),
        ("user:vic", "GET /api/v1/runs/{run_id}"),
        ("user:vic", "GET /api/v1/runs"),
        ("nobody", "any request"),
    }
    words = {each["detail"]["status"]: each["words"] for each in refusals(url, 5)}
    assert words[404].startswith("asked for something that does not exist, or is not visible")
    assert words[403].startswith("was refused ")
    assert people.local(url).ask("GET", f"{API}/audit/check").json["intact"] is True


def test_what_another_team_has_is_told_as_what_nobody_has(url: str, owner_conn: Session) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    seed.dag(owner_conn, "d", team_id=2)
    seed.run(owner_conn, "d", "theirs", team_id=2)
    people.create(url, "vic", "viewer")
    vic = people.signed_in(url, "vic")
    assert vic.ask("GET", f"{API}/runs/theirs").status == 404
    assert vic.ask("GET", f"{API}/runs/nobodys").status == 404
    (entry,) = refusals(url, 1)
    assert entry["subject"] == "GET /api/v1/runs/{run_id}"
    assert owner_conn.execute("SELECT FROM audit WHERE team_id = 2").fetchall() == []


def test_what_is_allowed_is_no_refusal(url: str, server: HttpServer) -> None:
    people.create(url, "vic", "viewer")
    vic = people.signed_in(url, "vic")
    assert vic.ask("GET", f"{API}/dags").status == 200
    assert Browser(url).ask("GET", f"{API}/sign-in").status == 200
    assert Browser(url).ask("GET", f"{API}/session").status == 401
    assert Browser(url).ask("GET", f"{API}/nowhere").status in (401, 404)
    assert vic.ask("GET", f"{API}/users").status == 403
    (told,) = refusals(url, 1)
    assert told["subject"] == "GET /api/v1/users"


def test_a_flood_is_few_entries(url: str) -> None:
    people.create(url, "vic", "viewer")
    vic = people.signed_in(url, "vic")
    assert {vic.ask("GET", f"{API}/users").status for _ in range(60)} == {403}
    assert len(refusals(url, 1)) == 1


# -- without a clock


def kind(n: int, team_id: int = 1) -> Kind:
    return Kind(Asker(team_id, f"user:{n}"), "127.0.0.1", "GET /x", 403)


def test_kinds_are_bounded_for_each_team() -> None:
    kept = Refusals()
    for n in range(KINDS_MAX):
        kept.counts[kept.bounded(kind(n))] = Count(clock.now(), WINDOW_S)
    assert kept.bounded(kind(3)) == kind(3)
    more = {kept.bounded(kind(n)) for n in range(1_000, 1_100)}
    assert [(each.asker.actor, each.address) for each in more] == [("several", "")]
    assert kept.bounded(kind(1_000, team_id=2)) == kind(1_000, team_id=2)


def test_the_first_is_due_at_once_and_the_others_when_the_window_ends() -> None:
    kept = Refusals()
    kept.counts[kind(1)] = count = Count(clock.now(), WINDOW_S, times=1)
    assert kept.due(0.0) == [kind(1)]
    count.is_written, count.times = True, 7
    assert kept.due(WINDOW_S - 1) == []
    assert kept.due(WINDOW_S) == [kind(1)]
    count.times = 0
    assert kept.due(WINDOW_S) == []
    assert kept.counts == {}


class Writer:
    """Stands for the door to a team's audit. While it is closed, nothing can be written."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int]] = []  # of which team, how many times
        self.is_closed = False

    def of(self, _: int) -> Any:
        return self

    async def call(self, _: object, team_id: int, entry: Entry) -> None:
        if self.is_closed:
            raise NotReachable("the database is away")
        assert entry.detail is not None
        self.entries.append((team_id, entry.detail["times"]))


def test_what_is_written_counts_no_more_and_what_is_not_counts_on() -> None:
    kept, writer = Refusals(), Writer()
    kept.counts[kind(1)] = count = Count(clock.now(), WINDOW_S, times=3)
    writer.is_closed = True
    asyncio.run(kept.write(cast(Door, writer), [kind(1)]))
    assert (writer.entries, count.times, count.is_written) == ([], 3, False)
    writer.is_closed = False
    asyncio.run(kept.write(cast(Door, writer), [kind(1)]))
    assert (writer.entries, count.times, count.is_written) == ([(1, 3)], 0, True)
    count.times = 2
    asyncio.run(kept.write(cast(Door, writer), [kind(1)]))
    assert writer.entries == [(1, 3), (1, 2)]


def test_at_the_end_all_that_is_left_is_written() -> None:
    kept, writer = Refusals(write_s=60.0), Writer()
    kept.counts[kind(1)] = Count(clock.now(), WINDOW_S, times=4, is_written=True)
    kept.counts[kind(2)] = Count(clock.now(), WINDOW_S, times=0, is_written=True)

    async def serve() -> None:
        writing = asyncio.ensure_future(kept.keep_writing(cast(Door, writer)))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    asyncio.run(serve())
    assert writer.entries == [(1, 4)]


# -- export


@pytest.fixture
def written(url: str, owner_conn: Session) -> None:
    people.create(url, "ann", "viewer")
    owner_conn.execute(
        "INSERT INTO audit (team_id, actor, via, action, subject, detail, address)"
        " SELECT 1, 'user:x', 'session', 'a', '=1+1', '{\"n\": [1]}', '' FROM generate_series(1, 1500)"
    )
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute(
        "INSERT INTO audit (team_id, actor, via, action, subject, detail, address)"
        " VALUES (2, 'user:theirs', 'session', 'a', 'b', '{}', '')"
    )


def test_the_export_is_the_whole_audit_of_the_team(written: None, client: Client) -> None:
    text = b"".join(client.export_audit("jsonl"))
    entries = [json.loads(line) for line in text.splitlines()]
    assert [each["seq"] for each in entries] == list(range(1, 1502))
    assert entries[0]["action"] == "users.create_user"
    assert len({each["chain"] for each in entries}) == 1501
    assert b"theirs" not in text


def test_a_spreadsheet_computes_nothing_of_it(written: None, client: Client) -> None:
    rows = list(csv.DictReader(StringIO(b"".join(client.export_audit("csv")).decode())))
    assert len(rows) == 1501
    assert (rows[-1]["subject"], rows[-1]["detail"]) == ("'=1+1", '{"n":[1]}')


def test_an_export_has_a_known_format_and_is_for_who_may_read(url: str) -> None:
    people.create(url, "vic", "viewer")
    export = f"{API}/audit/export"
    assert people.signed_in(url, "vic").ask("GET", export).status == 403
    assert people.local(url).ask("GET", f"{export}?format=xls").status == 400
    later = people.local(url).ask("GET", f"{export}?since=2100-01-01T00:00:00Z")
    assert (later.status, later.body) == (200, b"")


def scope_of(path: str, client: tuple[str, int] | None = ("10.0.0.7", 1)) -> Any:
    state = {"headway.asker": Asker(1, "user:vic", "session", "viewer")}
    return {
        "state": state,
        "path_template": "/runs/{run_id}",
        "path": path,
        "method": "GET",
        "client": client,
    }


def test_what_is_counted_tells_its_first_and_its_latest() -> None:
    """The address, the first and the latest of what is counted together; a new window begins with its first."""
    refusals = Refusals()
    for number in range(3):
        refusals.note(scope_of(f"/runs/{number}"), 404)
    ((kind, count),) = refusals.counts.items()
    assert (kind.address, kind.request) == ("10.0.0.7", "GET /runs/{run_id}")
    began = count.since
    assert (count.times, count.path) == (3, "/runs/2")
    assert count.until > clock.monotonic()
    told = entry(kind, count)
    assert told.detail == {
        "status": 404,
        "times": 3,
        "since": began.isoformat(),
        "role": "viewer",
        "latest": "/runs/2",
    }
    count.times, count.since = 0, datetime.min.replace(tzinfo=UTC)
    refusals.note(scope_of("/runs/9"), 404)
    assert count.since >= began
    refusals.note(scope_of("/runs/9", None), 404)
    assert [each.address for each in refusals.counts] == ["10.0.0.7", ""]
