"""Grants between teams, step by step: who may move one to which state, and what is looked up in the own team only."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from headway import wire
from headway.actions import grants as actions
from headway.actions.grants import OF_A_TEAM_MAX, WHAT_NEXT, answer, ask, give
from headway.core.grants import GrantKind, GrantState
from headway.errors import Conflict, NotFound, UsageError
from headway.store import grants, notices
from headway.store.views import assets, dags, pools

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
CONN: Final[Any] = object()
KEY: Final = ("sales", "shop", "daily", GrantKind.START)


@dataclass
class Store:
    """The grants of the database, by their ids; ``woken``: how often schedulers were."""

    known: dict[str, wire.Grant]
    looked_up: list[tuple[str, str]]
    written: list[tuple[Any, ...]]
    woken: int = 0
    count: int = 0

    def named(self, _: Any, owner: str, grantee: str, name: str, kind: GrantKind) -> Any:
        wanted = (owner, grantee, name, kind)
        return next(
            (g for g in self.known.values() if (g.owner, g.grantee, g.name, g.kind) == wanted), None
        )

    def one(self, _: Any, grant_id: str) -> wire.Grant:
        if grant_id not in self.known:
            raise NotFound("no such grant")
        return self.known[grant_id]

    def make(self, _: Any, grant_id: str, *fields: Any) -> None:
        owner, grantee, name, kind, state, note, actor = fields
        self.written.append(("made", *fields))
        self.known[grant_id] = grant(grant_id, owner, grantee, name, kind, state, note, actor)

    def change(
        self, _: Any, grant_id: str, state: GrantState, note: str | None, actor: str
    ) -> None:
        self.written.append(("changed", grant_id, state, note, actor))
        was = self.known[grant_id]
        of = (was.owner, was.grantee, was.name, was.kind)
        self.known[grant_id] = grant(grant_id, *of, state, note or was.note, actor)

    def wake(self, _: Any) -> None:
        self.woken += 1


def grant(
    grant_id: str, owner: str, grantee: str, name: str, kind: GrantKind, state: GrantState,
    note: str = "", actor: str = "user:ann",
) -> wire.Grant:  # fmt: skip
    return wire.Grant(
        id=grant_id, owner=owner, grantee=grantee, name=name, kind=kind, state=state, note=note,
        created_at=NOW, changed_at=NOW, changed_by=actor, changed_in=owner,
    )  # fmt: skip


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store({}, [], [])
    for name in ("named", "one", "make", "change"):
        monkeypatch.setattr(grants, name, getattr(store, name))
    monkeypatch.setattr(grants, "count", lambda _: store.count)
    monkeypatch.setattr(notices, "wake_schedulers", store.wake)

    def looking(kind: str) -> Any:
        def look(_: Any, name: str) -> None:
            store.looked_up.append((kind, name))
            if name == "missing":
                raise NotFound(f"there is no {kind}")

        return look

    monkeypatch.setattr(dags, "require", looking("dag"))
    monkeypatch.setattr(assets, "require", looking("asset"))
    monkeypatch.setattr(pools, "keep", looking("pool"))
    return store


def given(kind: GrantKind = GrantKind.START, name: str = "daily", to: str = "shop") -> Any:
    return give(
        CONN, "sales", wire.GiveGrant(grantee=to, name=name, kind=kind, note="why"), "user:ann"
    )


def asked(kind: GrantKind = GrantKind.START, name: str = "daily", of: str = "sales") -> Any:
    return ask(
        CONN, "shop", wire.AskForGrant(owner=of, name=name, kind=kind, note="please"), "user:bob"
    )


# -- giving and asking


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (GrantKind.SEE_RUNS, "dag"),
        (GrantKind.START, "dag"),
        (GrantKind.WAIT, "dag"),
        (GrantKind.USE_ASSET, "asset"),
        (GrantKind.USE_POOL, "pool"),
    ],
)
def test_who_gives_has_what_they_give(store: Store, kind: GrantKind, subject: str) -> None:
    before, after = given(kind)
    assert (before, after.state) == (None, GrantState.GIVEN)
    assert store.looked_up == [(subject, "daily")]
    made = ("made", "sales", "shop", "daily", kind, GrantState.GIVEN, "why", "user:ann")
    assert (store.written, store.woken) == ([made], 1)
    with pytest.raises(NotFound):
        given(kind, "missing")
    assert len(store.written) == 1


def test_who_asks_looks_nothing_up(store: Store) -> None:
    """Whether the other team exists, or has that, is told to nobody."""
    before, after = asked(name="missing", of="no-such-team")
    assert (before, after.state, after.owner) == (None, GrantState.ASKED, "no-such-team")
    assert store.looked_up == []
    of = ("no-such-team", "shop", "missing", GrantKind.START)
    assert store.written == [("made", *of, GrantState.ASKED, "please", "user:bob")]
    assert store.woken == 1


def test_what_another_team_has_is_not_ones_own_to_give(store: Store) -> None:
    with pytest.raises(UsageError, match="@shop/daily is of the team shop") as caught:
        given(name="@shop/daily", to="third")
    assert caught.value.hint == "only that team can give it to others"
    assert (store.looked_up, store.written) == ([], [])


@pytest.mark.parametrize("other", ["sales", "Sales", "a b", "", "all", "platform", "x" * 41])
def test_a_grant_is_between_two_teams(store: Store, other: str) -> None:
    with pytest.raises(UsageError):
        given(to=other)
    with pytest.raises(UsageError):
        ask(
            CONN, "sales", wire.AskForGrant(owner=other, name="d", kind=GrantKind.START), "user:bob"
        )
    assert (store.looked_up, store.written) == ([], [])


def test_a_team_has_a_number_of_grants(store: Store) -> None:
    store.count = OF_A_TEAM_MAX - 1
    given()
    store.count = OF_A_TEAM_MAX
    with pytest.raises(Conflict, match="already has 1,000 grants"):
        asked(name="another")
    assert len(store.written) == 1
    assert given()[0] is not None, "what is there is not one more"


# -- moving


def there(store: Store, state: GrantState) -> wire.Grant:
    store.known["g"] = grant("g", *KEY, state)
    return store.known["g"]


GOOD: Final = {
    ("owner", GrantState.ASKED): {GrantState.GIVEN, GrantState.REFUSED},
    ("owner", GrantState.REFUSED): {GrantState.GIVEN},
    ("owner", GrantState.REVOKED): {GrantState.GIVEN},
    ("owner", GrantState.GIVEN): {GrantState.REVOKED},
    ("grantee", GrantState.ASKED): {GrantState.REVOKED},
    ("grantee", GrantState.REFUSED): {GrantState.ASKED},
    ("grantee", GrantState.REVOKED): {GrantState.ASKED},
    ("grantee", GrantState.GIVEN): {GrantState.REVOKED},
}


@pytest.mark.parametrize(("side", "state"), list(GOOD))
@pytest.mark.parametrize("wanted", list(GrantState))
def test_each_side_moves_a_grant_as_far_as_it_may(
    store: Store, side: str, state: GrantState, wanted: GrantState
) -> None:
    before = there(store, state)
    team = before.owner if side == "owner" else before.grantee
    if wanted in GOOD[side, state]:
        assert answer(CONN, team, "g", wanted, "user:x") == (before, store.known["g"])
        assert store.written == [("changed", "g", wanted, None, "user:x")]
        assert store.woken == 1
        return
    with pytest.raises(Conflict) as caught:
        answer(CONN, team, "g", wanted, "user:x")
    if side == "grantee" and wanted in GOOD["owner", state]:
        assert caught.value.message == "only the team sales can do this"
        assert caught.value.hint == "ask an admin of that team"
    else:
        assert caught.value.message == f"this grant is {state}"
        assert caught.value.hint == WHAT_NEXT[wanted]
    assert (store.written, store.woken) == ([], 0)


def test_a_grant_that_is_not_there_is_not_moved(store: Store) -> None:
    with pytest.raises(NotFound):
        answer(CONN, "sales", "g", GrantState.GIVEN, "user:x")


def test_giving_or_asking_again_changes_nothing(store: Store) -> None:
    for state, again in ((GrantState.GIVEN, given), (GrantState.ASKED, asked)):
        before = there(store, state)
        assert again() == (before, before)
    assert (store.written, store.woken) == ([], 0)


def test_what_was_asked_for_is_given_with_its_note(store: Store) -> None:
    before = there(store, GrantState.ASKED)
    assert given() == (before, store.known["g"])
    assert store.written == [("changed", "g", GrantState.GIVEN, "why", "user:ann")]
    with pytest.raises(Conflict, match="this grant is given"):
        asked()
    store.known["g"] = grant("g", *KEY, GrantState.REVOKED)
    assert asked()[1].state == GrantState.ASKED
    assert actions.OF_A_TEAM_MAX == 1_000
