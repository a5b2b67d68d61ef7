"""A stream ends with what opened it, and nobody takes all of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from headway import clock
from headway.api import room
from headway.api.live import hub, watcher
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Browser
from tests.api.stream import listening

PATIENCE_S = 60.0


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in this file does not end by itself, and says nothing meanwhile."""
    monkeypatch.setattr(watcher, "LIFE_S", 1000.0)
    monkeypatch.setattr(watcher, "HEARTBEAT_S", 1000.0)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def by_token(url: str, name: str = "test") -> dict[str, str]:
    return {"Authorization": f"Bearer {people.token(url, 'ann', 'viewer', name)}"}


def by_session(url: str) -> dict[str, str]:
    return {"Cookie": people.signed_in(url, "ann").cookie or ""}


def change(url: str, method: str, path: str, body: object = None) -> None:
    answer = people.local(url).ask(method, f"{API}{path}", body)
    assert answer.status in (200, 201, 204), answer.body


def revoke(url: str) -> None:
    (token,) = people.local(url).ask("GET", f"{API}/tokens").json["items"]
    change(url, "DELETE", f"/tokens/{token['id']}")


def sign_out(url: str) -> None:
    """Another browser of theirs: theirs is closed by the change of the password."""
    change(url, "PUT", "/users/ann/password", {"password": "another horse battery"})


def disable(url: str) -> None:
    change(url, "PATCH", "/users/ann", {"disabled": True})


def remove(url: str) -> None:
    change(url, "DELETE", "/members/ann")


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize(
    ("credential", "end"),
    [
        (by_token, revoke),
        (by_token, disable),
        (by_token, remove),
        (by_session, sign_out),
        (by_session, disable),
        (by_session, remove),
    ],
)
def test_a_stream_ends_with_what_opened_it(
    url: str, credential: Callable[[str], dict[str, str]], end: Callable[[str], None]
) -> None:
    people.create(url, "ann", "viewer")
    people.create(url, "bob", "viewer")
    bob = {"Cookie": people.signed_in(url, "bob").cookie or ""}
    with listening(url, headers=credential(url)) as stream, listening(url, headers=bob) as other:
        stream.next("ready")
        other.next("ready")
        end(url)
        assert list(stream.rest()) == []
        change(url, "PUT", "/pools/etl", {"slots": 3})
        assert other.next("pool").data["pools"]


@pytest.mark.usefixtures("long")
def test_what_is_over_by_time_ends_too(url: str, owner_conn: Session) -> None:
    people.create(url, "ann", "viewer")
    with (
        listening(url, headers=by_token(url)) as of_token,
        listening(url, headers=by_session(url)) as of_session,
        listening(url, headers=by_session(url)) as idle,
    ):
        for stream in (of_token, of_session, idle):
            stream.next("ready")
        owner_conn.execute("UPDATE api_token SET expires_at = now()")
        assert list(of_token.rest()) == []
        owner_conn.execute(  # that of the first: the ids are random
            "UPDATE browser_session SET expires_at = now()"
            " WHERE created_at = (SELECT min(created_at) FROM browser_session)"
        )
        assert list(of_session.rest()) == []
        owner_conn.execute("UPDATE browser_session SET used_at = now() - interval '13 hours'")
        assert list(idle.rest()) == []


@pytest.mark.usefixtures("long")
def test_a_guest_of_another_team_watches_by_their_own_session(
    url: str, owner_conn: Session
) -> None:
    """Row security shows the team no session of theirs."""
    people.create(url, "ann", "viewer")
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'viewer', 'test' FROM person WHERE name = 'ann'"
    )
    headers = by_session(url) | {"Headway-Team": "other"}
    with listening(url, headers=headers, topics="pool") as stream:
        stream.next("ready")
        owner_conn.execute(
            "INSERT INTO event (team_id, at, subject, name, actor) VALUES (2, %s, 'pool', 'x', 'x')",
            [seed.NOON],
        )
        stream.next("pool")
        owner_conn.execute("DELETE FROM membership WHERE team_id = 2")
        assert list(stream.rest()) == []


@pytest.mark.usefixtures("long")
def test_a_stream_ends_with_a_role_that_lapses(url: str, owner_conn: Session) -> None:
    people.create(url, "ann", "viewer")
    with (
        listening(url, headers=by_token(url)) as of_token,
        listening(url, headers=by_session(url)) as of_session,
    ):
        for stream in (of_token, of_session):
            stream.next("ready")
        owner_conn.execute("UPDATE membership SET lapses_at = now() WHERE role = 'viewer'")
        assert list(of_token.rest()) == []
        assert list(of_session.rest()) == []


@pytest.mark.usefixtures("long")
def test_one_token_does_not_take_all_streams(
    url: str, opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "OF_ONE_CREDENTIAL_MAX", 3)
    monkeypatch.setattr(hub, "OF_ONE_PERSON_MAX", 5)
    people.create(url, "ann", "viewer")
    people.create(url, "bob", "viewer")
    one, two = by_token(url, "one"), by_token(url, "two")
    first = opened.enter_context(ExitStack())
    for stack in (first, opened, opened):
        listen(stack, url, one)
    refused = Browser(url, headers=one).ask("GET", f"{API}/stream")
    assert refused.status == 429
    assert refused.json["detail"] == "you already have 3 open streams"
    assert int(refused.headers["retry-after"]) >= 1
    for _ in range(2):
        listen(opened, url, two)
    assert Browser(url, headers=two).ask("GET", f"{API}/stream").status == 429
    listen(opened, url, {"Cookie": people.signed_in(url, "bob").cookie or ""})
    first.close()
    deadline = clock.monotonic() + PATIENCE_S
    while Browser(url, headers=one).ask("GET", f"{API}/stream", read=False).status != 200:
        assert clock.monotonic() < deadline, "who left still counts"
        clock.sleep(0.05)


@pytest.mark.usefixtures("long")
def test_streams_leave_room_for_requests(
    url: str, opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CONNECTIONS_MAX", 4)
    for _ in range(2):
        opened.enter_context(listening(url)).next("ready")
    refused = people.local(url).ask("GET", f"{API}/stream")
    assert refused.status == 503
    assert refused.json["detail"] == "2 streams are open already"
    assert int(refused.headers["retry-after"]) >= 1


def listen(opened: ExitStack, url: str, headers: dict[str, str]) -> None:
    opened.enter_context(listening(url, headers=headers)).next("ready")
