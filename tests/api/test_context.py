"""What a route receives: a door into the caller's team, with the record of a change, and for guests their own lane."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.api import record, repeats
from headway.api.context import Api
from headway.store.views import health
from tests.api.test_admission import VISITOR, WHO

ENTRY: Final = object()
ONCE: Final = object()


class Door:
    """Remembers what it was made for."""

    def __init__(self, *of: Any) -> None:
        self.made = of
        self.team_id = of[0] if of else 0
        self.lane: Any = None
        self.seen: list[int] = []
        self.asked: list[Any] = []

    def of(self, *of: Any) -> "Door":
        return Door(*of)

    def also(self, team_id: int) -> None:
        self.seen.append(team_id)

    async def call(self, *asked: Any) -> str:
        self.asked.append(asked)
        return "from the database"


def api(**more: Any) -> Any:
    names = ("wakeups", "live", "layout", "dags", "signin", "secrets")
    given = {"door": Door(), "children": None, "url": "http://h", "team_id": 1}
    return Api(**{**dict.fromkeys(names), **given, **more})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []

    async def entry(request: Any, who: Any) -> Any:
        asked.append(("entry", who))
        return ENTRY

    async def once(request: Any, actor: str) -> Any:
        asked.append(("once", actor))
        return ONCE

    monkeypatch.setattr(record, "entry", entry)
    monkeypatch.setattr(repeats, "once", once)
    return asked


def of(method: str, who: Any) -> Any:
    request: Any = SimpleNamespace(method=method, scope={} if who is None else {"user": who})
    found = api()
    return asyncio.run(found.of(request)), found


@pytest.mark.parametrize(
    ("method", "changes"),
    [("GET", False), ("HEAD", False), ("OPTIONS", False), ("POST", True), ("DELETE", True)],
)
def test_a_change_has_its_entry_in_the_team_of_the_caller(
    asked: list[Any], method: str, changes: bool
) -> None:
    found, _ = of(method, WHO)
    assert found.door.made == (WHO.team_id, ENTRY if changes else None, ONCE)
    assert (found.door.lane, found.door.seen) == (None, [])
    assert found.principal is WHO
    assert found.actor == "user:ann"
    assert asked == [("entry", WHO)] * changes + [("once", "user:ann")]


def test_a_guest_is_in_the_lane_and_in_the_audit_of_their_own_team(asked: list[Any]) -> None:
    found, _ = of("POST", VISITOR)
    assert found.door.made == (VISITOR.team_id, ENTRY, ONCE)
    assert VISITOR.guest is not None
    assert (found.door.lane, found.door.seen) == (VISITOR.guest.team_id, [VISITOR.guest.team_id])
    assert VISITOR.guest.team_id != VISITOR.team_id


def test_a_public_route_acts_for_nobody(asked: list[Any]) -> None:
    found, before = of("POST", None)
    assert found is before
    assert asked == []
    with pytest.raises(AssertionError):
        _ = found.principal


@pytest.mark.parametrize(
    ("url", "secure"),
    [("https://h", True), ("http://h", False), ("http://https://", False)],
)
def test_only_https_is_secure(url: str, secure: bool) -> None:
    assert api(url=url).is_secure == secure


def test_what_stands_beside_is_of_the_team_of_the_door() -> None:
    door: Any = Door(7)
    told = api(children=lambda team_id: [f"of {team_id}"])
    assert asyncio.run(told.beside(door)) == ["of 7"]
    assert door.asked == []
    assert asyncio.run(api().beside(door)) == "from the database"
    assert door.asked == [(health.loaders, 7)]


def test_rates_are_of_each_server() -> None:
    one, two = api(), api()
    rates = [
        (each.burst, each.period_s) for each in (one.link_rate, one.hook_rate, one.hook_team_rate)
    ]
    assert rates == [(60, 60.0), (1_200, 60.0), (600, 60.0)]
    assert one.link_rate is not two.link_rate
    assert replace(one, who=WHO).link_rate is one.link_rate
