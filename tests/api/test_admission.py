"""Who is let in, step by step and without a server: what each step asks, in which order, and what it leaves behind."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import pytest
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException

from headway.api import access, guests, scopes
from headway.api.access import MEMBER, PLATFORM, PUBLIC, Admission
from headway.api.principal import LOCAL, SESSION, Guest, NotAMember, Principal
from headway.api.refused import ASKER, Asker
from headway.core.roles import BUILT_IN, Role, Verb
from headway.errors import NotAllowed, NotAuthenticated
from headway.identity.accounts import fingerprint
from headway.store import api_tokens, browser_sessions, grants, people, roles
from headway.store.api_tokens import Bearer
from headway.store.browser_sessions import BrowserSession
from headway.store.people import Standing

LATER: Final = datetime(2040, 1, 1, tzinfo=UTC)
ANN: Final = Standing("ann", "Ann", 1, 1, "default", "operator", False)
ADMIN: Final = Principal(
    name="admin", person_id=1, home_team_id=1, team_id=1, team="default", role="admin",
    verbs=BUILT_IN[Role.ADMIN], via=LOCAL, is_platform_admin=True,
)  # fmt: skip
WHO: Final = replace(
    ADMIN, name="ann", person_id=2, role="viewer", verbs=BUILT_IN[Role.VIEWER], via=SESSION,
    credential="s1", is_platform_admin=False,
)  # fmt: skip
VISITOR: Final = replace(
    WHO, team_id=2, team="other", verbs=frozenset(), guest=Guest(1, "default", {})
)
SESSION_SECRET: Final = "hws_secret"
TOKEN: Final = "hwt_secret"


class Door:
    """Answers by what is asked, and remembers it with the team and lane in which it was asked."""

    def __init__(self, answers: dict[Callable[..., Any], list[Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.teams: list[int] = []
        self.lanes: list[object] = []

    def of(self, team_id: int) -> "Door":
        self.teams.append(team_id)
        return self

    def in_lane(self, lane: object) -> "Door":
        self.lanes.append(lane)
        return self

    async def call(self, work: Callable[..., Any], *values: Any) -> Any:
        self.asked.append((work, values))
        found = self.answers[work].pop(0)
        if isinstance(found, Exception):
            raise found
        return found


class Counter:
    """Of what was taken, for whom."""

    def __init__(self) -> None:
        self.taken: list[object] = []

    def take(self, key: object) -> None:
        self.taken.append(key)


class Teams(Counter):
    async def take(self, key: object) -> None:  # type: ignore[override]
        self.taken.append(key)


class Renewals(Counter):
    async def renew(self, door: Door, hashed: bytes) -> None:
        self.taken.append(hashed)


class Gate:
    """An admission whose surroundings are told beforehand."""

    def __init__(self, **answers: list[Any]) -> None:
        works: dict[str, Callable[..., Any]] = {
            "of_session": access.of_session,
            "of_token": access.of_token,
            "of_person": access.of_person,
            "check": scopes.check,
            "narrowed": guests.narrowed,
        }
        self.door = Door({works[name]: found for name, found in answers.items()})
        self.rate, self.teams, self.renewals = Counter(), Teams(), Renewals()
        parts: Any = (self.door, "local", ADMIN, self.rate, self.renewals)
        gate: Any = Admission(*parts, is_secure=False)
        gate.teams = self.teams
        self.gate: Admission = gate

    def admit(self, asked: ASGIConnection[Any, Any, Any, Any], needs: str, **options: Any) -> Any:
        def fn(dag_id: str = "") -> None: ...

        parameters = {"dag_id": None}
        handler: Any = SimpleNamespace(
            opt={"needs": needs, **options}, fn=fn, parsed_fn_signature=SimpleNamespace(parameters=parameters)
        )  # fmt: skip
        asyncio.run(self.gate.admit(asked, handler))
        return asked.scope.get("user")


def asked(
    *authorization: str, method: str = "GET", query: str = "", cookie: str = "", **headers: str
) -> ASGIConnection[Any, Any, Any, Any]:
    sent = [(b"authorization", value.encode()) for value in authorization]
    sent += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    if cookie:
        sent.append((b"cookie", f"headway_session={cookie}".encode()))
    scope: Any = {
        "type": "http", "method": method, "path": "/", "headers": sent, "query_string": query.encode(),
        "path_params": {}, "state": {}, "client": None,
    }  # fmt: skip
    return ASGIConnection(scope)


def asker_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Asker:
    found: Asker = connection.scope["state"][ASKER]
    return found


# -- whom a request is from


def test_what_is_public_asks_for_nobody() -> None:
    gate, request = Gate(), asked()
    assert gate.admit(request, PUBLIC) is None
    assert asker_of(request) == Asker(ADMIN.team_id, is_open=True)
    assert gate.door.asked == []


def test_who_is_not_known_is_told_to_the_audit_of_the_first_team() -> None:
    for request in (
        asked(),
        asked("Basic x"),
        asked("Bearer nothing"),
        asked("Bearer local", "Bearer local"),
    ):
        with pytest.raises(NotAuthenticated):
            Gate().admit(request, MEMBER)
        assert asker_of(request) == Asker(ADMIN.team_id)


def test_the_token_of_the_data_directory_is_the_admin_and_costs_nothing() -> None:
    gate, request = Gate(of_person=[VISITOR_NO_GUEST]), asked("Bearer local")
    assert gate.admit(request, PLATFORM) is ADMIN
    assert (gate.rate.taken, gate.teams.taken, gate.door.asked) == ([], [], [])
    assert asker_of(request) == Asker(1, "user:admin", LOCAL, "admin")
    elsewhere = asked("Bearer local", headway_team="other")
    assert gate.admit(elsewhere, MEMBER) is VISITOR_NO_GUEST
    assert gate.door.asked == [(access.of_person, (ADMIN.person_id, "other"))]


VISITOR_NO_GUEST: Final = replace(ADMIN, team_id=2, team="other")


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_a_token_and_a_session_may_be_a_bearer(kind: str) -> None:
    gate = Gate(of_token=[WHO], of_session=[(WHO, False)])
    assert gate.admit(asked(f"{kind} {TOKEN}"), MEMBER) is WHO
    assert gate.admit(asked(f"{kind} {SESSION_SECRET}", query="headway-team=t"), MEMBER) is WHO
    assert gate.door.asked == [
        (access.of_token, (fingerprint(TOKEN), None)),
        (access.of_session, (fingerprint(SESSION_SECRET), "t")),
    ]
    assert gate.door.lanes == [fingerprint(TOKEN), fingerprint(SESSION_SECRET)]


@pytest.mark.parametrize(
    "given", [f"Basic {TOKEN}", f"Basic {SESSION_SECRET}", "Bearer other", "Bearer"]
)
def test_nothing_else_is_looked_up(given: str) -> None:
    gate = Gate(of_token=[WHO], of_session=[(WHO, False)])
    with pytest.raises(NotAuthenticated):
        gate.admit(asked(given, cookie=SESSION_SECRET), MEMBER)
    assert gate.door.asked == [], "who sends a token is not also asked for a cookie"


def test_a_cookie_is_a_session_and_counts_for_person_and_team() -> None:
    gate, request = Gate(of_session=[(WHO, False)]), asked(cookie=SESSION_SECRET)
    assert gate.admit(request, Verb.RUN_READ) is WHO
    assert gate.rate.taken == [(WHO.person_id, WHO.credential)]
    assert gate.teams.taken == [1]
    assert gate.renewals.taken == []
    assert asker_of(request) == Asker(1, "user:ann", SESSION, "viewer")


def test_a_session_that_is_due_is_renewed_and_looked_up_again() -> None:
    gate = Gate(of_session=[(None, True), (WHO, False)])
    assert gate.admit(asked(cookie=SESSION_SECRET), MEMBER) is WHO
    assert gate.renewals.taken == [fingerprint(SESSION_SECRET)]
    ended = Gate(of_session=[(None, True), (None, False)])
    with pytest.raises(NotAuthenticated):
        ended.admit(asked(cookie=SESSION_SECRET), MEMBER)


def test_who_asks_for_a_team_that_is_not_theirs_is_told_to_their_own() -> None:
    refusal = NotAllowed("you are not a member")
    for home, audit in ((replace(ANN, team_id=5), Asker(5, "user:ann")), (None, Asker(1))):
        request = asked(cookie=SESSION_SECRET)
        with pytest.raises(NotAllowed, match="you are not a member"):
            Gate(of_session=[NotAMember(refusal, home)]).admit(request, MEMBER)
        assert asker_of(request) == audit


# -- what they may do


@pytest.mark.parametrize(
    ("who", "needed", "is_allowed"),
    [
        (WHO, MEMBER, True),
        (WHO, Verb.RUN_READ, True),
        (WHO, Role.VIEWER, True),
        (WHO, Verb.RUN_TRIGGER, False),
        (WHO, Role.ADMIN, False),
        (WHO, PLATFORM, False),
        (replace(WHO, verbs=BUILT_IN[Role.ADMIN]), PLATFORM, False),
        (replace(WHO, is_platform_admin=True), PLATFORM, True),
        (replace(WHO, is_platform_admin=True), Role.ADMIN, False),
    ],
)
def test_a_right_is_what_the_route_needs(who: Principal, needed: str, is_allowed: bool) -> None:
    gate = Gate(of_session=[(who, False)])
    if is_allowed:
        assert gate.admit(asked(cookie=SESSION_SECRET), needed) is who
    else:
        request = asked(cookie=SESSION_SECRET)
        with pytest.raises(NotAllowed):
            gate.admit(request, needed)
        assert "user" not in request.scope


def test_a_token_for_some_dags_is_held_against_what_the_request_names() -> None:
    who = replace(WHO, dag_ids=frozenset({"sales"}))
    gate = Gate(of_token=[who, who, who], check=[None, NotAllowed("for sales only")])
    request = asked(f"Bearer {TOKEN}", query="dag_id=sales")
    assert gate.admit(request, MEMBER) is who
    assert gate.door.asked[-1] == (scopes.check, (who.dag_ids, (("dag_id", "sales"),)))
    assert gate.door.teams == [who.team_id]
    with pytest.raises(NotAllowed, match="for sales only"):
        gate.admit(asked(f"Bearer {TOKEN}", query="dag_id=other"), MEMBER)
    assert gate.admit(asked(f"Bearer {TOKEN}"), MEMBER, any_token=True) is who
    assert gate.door.asked[-1][0] is access.of_token, "of no DAG: nothing to hold it against"


def test_a_guest_enters_routes_for_guests_with_what_the_grant_gives() -> None:
    inside = replace(VISITOR, verbs=frozenset({Verb.RUN_READ}))
    gate = Gate(of_session=[(VISITOR, False)] * 3, narrowed=[inside])
    request = asked(cookie=SESSION_SECRET, query="dag_id=sales")
    assert gate.admit(request, Verb.RUN_READ, guests=True) is inside
    needed = frozenset({Verb.RUN_READ})
    assert gate.door.asked[-1] == (guests.narrowed, (VISITOR, (("dag_id", "sales"),), needed))
    assert gate.door.teams == [2]
    assert gate.door.lanes[-1] == 1, "in the lane of their own team"
    assert gate.teams.taken == [1]
    assert asker_of(request).team_id == 1
    for needed_, options in ((Verb.RUN_READ, {}), (PLATFORM, {"guests": True})):
        with pytest.raises(NotAllowed, match="no grant of the team other"):
            gate.admit(asked(cookie=SESSION_SECRET), needed_, **options)


# -- pages of other sites


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (asked(method="POST", sec_fetch_site="cross-site", cookie="x"), 403),
        (asked(method="POST", cookie="x"), 403),
        (asked(method="POST"), 401),
        (asked(method="POST", sec_fetch_site="same-origin", cookie="x"), None),
        (asked("Bearer x", method="POST", sec_fetch_site="cross-site"), 401),
        (asked("Bearer x", method="POST", content_length="3", content_type="text/plain"), 415),
        (asked(method="GET", sec_fetch_site="cross-site", cookie="x"), None),
        (asked(method="HEAD", sec_fetch_site="cross-site", cookie="x"), None),
        (asked(method="DELETE", sec_fetch_site="cross-site", cookie="x"), 403),
    ],
)
def test_only_our_own_pages_change_something_with_a_cookie(
    request_: ASGIConnection[Any, Any, Any, Any], status: int | None
) -> None:
    gate = Gate(of_session=[(WHO, False)])
    if status is None:
        assert gate.admit(request_, MEMBER) is WHO
        return
    with pytest.raises((NotAllowed, HTTPException)) as refused:
        gate.admit(request_, MEMBER)
    found: Any = refused.value
    assert (found.status_code if isinstance(found, HTTPException) else found.http_status) == status
    assert asker_of(request_) == Asker(ADMIN.team_id)  # who it was is not looked up


def test_a_route_that_heeds_no_cookie_needs_no_protection_of_it() -> None:
    gate, request = Gate(), asked(method="POST", sec_fetch_site="cross-site")
    assert gate.admit(request, PUBLIC, no_browser=True) is None
    assert ASKER not in request.scope["state"]  # of a webhook its own team is told
    with pytest.raises(NotAuthenticated):
        gate.admit(request, MEMBER, no_browser=True)
    assert asker_of(request) == Asker(ADMIN.team_id)
    with pytest.raises(NotAllowed):
        gate.admit(request, PUBLIC)
    assert asker_of(request) == Asker(ADMIN.team_id, is_open=True)


# -- what the store says of a session or token


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What is stored of a person: one session or token, teams, and the verbs of roles."""
    it = SimpleNamespace(
        session=BrowserSession("s1", 2, LATER), teams=[ANN],
        token=Bearer("t1", 2, 1, "viewer", LATER, None, None),
    )  # fmt: skip
    monkeypatch.setattr(browser_sessions, "identify", lambda conn, hashed: it.session)
    monkeypatch.setattr(api_tokens, "identify", lambda conn, hashed: it.token)
    monkeypatch.setattr(people, "standing", lambda conn, person_id: it.teams)
    monkeypatch.setattr(roles, "verbs_of", lambda conn, team_id, role: BUILT_IN[Role(role)])
    monkeypatch.setattr(grants, "open_to", lambda conn, owner, teams: [])
    return it


CONN: Final[Any] = None


def test_a_session_is_its_person_until_it_is_due(stored: SimpleNamespace) -> None:
    who, is_due = access.of_session(CONN, b"", None)
    assert (who is not None, is_due) == (True, False)
    assert who is not None
    assert (who.credential, who.expires_at, who.via) == ("s1", LATER, SESSION)
    assert who.verbs == BUILT_IN[Role.OPERATOR]
    stored.session = replace(stored.session, is_due=True)
    assert access.of_session(CONN, b"", None) == (None, True)
    stored.session = None
    assert access.of_session(CONN, b"", None) == (None, False)


def test_who_is_in_no_team_any_more_is_nobody(stored: SimpleNamespace) -> None:
    stored.teams = []
    assert access.of_session(CONN, b"", None) == (None, False)
    assert access.of_token(CONN, b"", None) is None
    stored.token = None
    assert access.of_token(CONN, b"", None) is None


def test_a_token_is_of_one_team_and_no_more_than_owner_role_and_list_allow(
    stored: SimpleNamespace,
) -> None:
    stored.teams = [replace(ANN, team_id=9, team="first", role="admin"), ANN]
    who = access.of_token(CONN, b"", None)
    assert who is not None
    assert (who.team, who.role, who.verbs) == ("default", "viewer", BUILT_IN[Role.VIEWER])
    assert (who.credential, who.via, who.expires_at, who.dag_ids) == ("t1", "token:t1", LATER, None)
    stored.token = replace(stored.token, role="admin")
    wide = access.of_token(CONN, b"", None)
    assert wide is not None
    assert (wide.role, wide.verbs) == ("operator", BUILT_IN[Role.OPERATOR]), "its owner may no more"
    listed = [Verb.RUN_READ, Verb.TEAM_READ, Verb.MEMBER_MANAGE, "a.verb.of.later"]
    stored.token = replace(stored.token, verbs=listed, dag_ids=["sales"])
    narrow = access.of_token(CONN, b"", None)
    assert narrow is not None
    assert narrow.verbs == {Verb.RUN_READ, Verb.TEAM_READ} & BUILT_IN[Role.OPERATOR]
    assert narrow.dag_ids == frozenset({"sales"})
    stored.token = replace(stored.token, role="viewer", verbs=[Verb.RUN_TRIGGER], dag_ids=None)
    none = access.of_token(CONN, b"", None)
    assert none is not None
    assert none.verbs == frozenset(), "the role of the token bounds its list"


def test_of_a_team_that_is_not_theirs_a_person_is_no_member(stored: SimpleNamespace) -> None:
    with pytest.raises(NotAMember) as refused:
        access.of_person(CONN, 2, "other")
    assert refused.value.home == ANN
    who = access.of_person(CONN, 2, "default")
    assert (who.via, who.person_id, who.verbs) == (LOCAL, 2, BUILT_IN[Role.OPERATOR])
