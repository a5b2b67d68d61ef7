"""What accounts may be made, changed and ended, by what the store says of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from headway import ids
from headway.core.roles import BUILT_IN, Role, Verb, Verbs
from headway.errors import Conflict, HeadwayError, NotAllowed, NotFound, UsageError
from headway.identity import accounts
from headway.store import api_tokens, browser_sessions, people, roles

CONN: Any = object()
TEAM, ANN, ADMIN_ID = 3, 7, 1


@dataclass
class Store:
    """Answers what it was told, and remembers what it was asked to change."""

    done: list[tuple[Any, ...]] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=lambda: {"ann": ANN, "admin": ADMIN_ID})
    elsewhere: dict[str, int] = field(default_factory=lambda: {"bob": 9})
    admins: list[int] = field(default_factory=lambda: [ADMIN_ID, ANN])
    platform_admins: set[int] = field(default_factory=lambda: {ADMIN_ID})
    role: str | None = "operator"
    is_ours: bool = True
    source: str | None = None

    def did(self, name: str) -> Any:
        def note(conn: object, *args: Any, **more: Any) -> None:
            assert conn is CONN
            self.done.append((name, *args, *more.items()))

        return note

    def require(self, conn: object, name: str) -> int:
        if name not in self.known:
            raise NotFound(f"there is no user {name!r}")
        return self.known[name]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    it = Store()
    answers: dict[Any, dict[str, Any]] = {
        people: {
            "require": it.require,
            "by_name": lambda _, name: it.known.get(name),
            "anywhere": lambda _, name: (it.known | it.elsewhere).get(name),
            "is_platform_admin": lambda _, person_id: person_id in it.platform_admins,
            "role_in": lambda *_: it.role,
            "admins": lambda *_: it.admins,
            "is_ours": lambda *_: it.is_ours,
            "source": lambda *_: it.source,
        },
        roles: {"verbs_of": lambda _, team_id, role: BUILT_IN[Role(role)]},
        api_tokens: {},
        browser_sessions: {},
    }
    changes = {
        people: ("join", "leave", "set_role", "rename", "disable", "set_password"),
        api_tokens: ("revoke_all", "create", "renew_local_agent"),
        browser_sessions: ("close_others", "offer_link", "open_session"),
    }
    for module, names in changes.items():
        answers[module] |= {name: it.did(name) for name in names}
    for module, found in answers.items():
        for name, answer in found.items():
            monkeypatch.setattr(module, name, answer)
    created = it.did("create")
    made = it.did("make_platform_admin")
    monkeypatch.setattr(people, "create", lambda *args, **more: created(*args, **more) or 11)
    monkeypatch.setattr(people, "make_platform_admin", made)
    monkeypatch.setattr(ids, "token", lambda: "secret")
    monkeypatch.setattr(ids, "run_id", lambda: "id1")
    monkeypatch.setattr(accounts, "clock", lambda conn: "now")
    return it


def change(**more: Any) -> None:
    given = {"role": None, "display_name": None, "disabled": None} | more
    accounts.change_user(CONN, TEAM, "ann", **given)


# -- sessions and links


def test_a_session_is_known_by_its_fingerprint(store: Store) -> None:
    opened = accounts.open_session(CONN, TEAM, ANN, "10.0.0.1")
    assert opened.secret == "secret"
    bare = (TEAM, "id1", ANN, accounts.fingerprint("secret"), accounts.SESSION_S, "10.0.0.1", None)
    assert store.done == [("open_session", *bare)]
    program = accounts.open_session(CONN, TEAM, ANN, "", 60.0, prefix="hws_")
    assert program.secret == "hws_secret"
    assert store.done[1][4:6] == (accounts.fingerprint("hws_secret"), 60.0)


def test_a_link_is_known_by_its_fingerprint(store: Store) -> None:
    assert accounts.offer_link(CONN, TEAM, ANN, "user:ann", 600) == "secret"
    hashed = accounts.fingerprint("secret")
    assert store.done == [("offer_link", TEAM, ANN, hashed, 600, "user:ann")]


@pytest.mark.parametrize(
    ("team", "url"), [(None, "u/login#s"), ("sales", "u/login?next=/t/sales/overview#s")]
)
def test_the_address_of_a_link(team: str | None, url: str) -> None:
    assert accounts.sign_in_url("u", "s", team) == url


def test_the_agent_of_the_server_has_a_token_of_the_admin(store: Store) -> None:
    assert accounts.renew_local_agent(CONN, TEAM) == "hwa_secret"
    hashed = accounts.fingerprint("hwa_secret")
    assert store.done == [("renew_local_agent", TEAM, ADMIN_ID, hashed, "now")]


# -- who is made


def test_the_local_admin_is_made_once_and_taken_into_each_team(store: Store) -> None:
    assert accounts.ensure_admin(CONN, TEAM) == ADMIN_ID
    assert store.done == []
    store.elsewhere["admin"] = store.known.pop("admin")
    assert accounts.ensure_admin(CONN, TEAM) == ADMIN_ID
    assert store.done == [("join", TEAM, ADMIN_ID, "admin", Role.ADMIN, "headway up")]
    store.elsewhere.clear()
    assert accounts.ensure_admin(CONN, TEAM) == 11
    assert store.done[1:] == [
        ("create", TEAM, "admin", "Local admin", None, Role.ADMIN, "headway up"),
        ("make_platform_admin", 11),
    ]


@pytest.mark.parametrize("name", ["a", "ann.lee@acme", "a-b_c9", "a" * 64])
def test_a_good_name(store: Store, name: str) -> None:
    accounts.create_user(CONN, TEAM, name, None, "hash", "viewer", "me")
    accounts.create_service(CONN, TEAM, name, "Shown", "viewer", "me")
    assert store.done == [
        ("create", TEAM, name, name, "hash", "viewer", "me"),
        ("create", TEAM, name, "Shown", None, "viewer", "me", ("is_service", True)),
    ]


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a" * 65, "é"])
def test_a_bad_name(store: Store, name: str) -> None:
    with pytest.raises(UsageError, match="not a valid user name"):
        accounts.create_user(CONN, TEAM, name, None, None, "viewer", "me")
    with pytest.raises(UsageError, match="too long for a user name"):
        accounts.create_service(CONN, TEAM, name, None, "viewer", "me")
    assert store.done == []


@pytest.mark.parametrize(
    ("text", "is_good"),
    [("x", True), ("x" * 100, True), ("", False), ("x" * 101, False), ("a\0", False)],
)
def test_a_name_that_is_shown(text: str, is_good: bool) -> None:
    if is_good:
        assert accounts.check_display_name(text) == text
        return
    with pytest.raises(UsageError, match="1 to 100 visible characters"):
        accounts.check_display_name(text)


@pytest.mark.parametrize(("scope", "prefix"), [("api", "hwt_"), ("agent", "hwa_")])
def test_a_token_is_known_by_its_fingerprint(store: Store, scope: Any, prefix: str) -> None:
    made = accounts.create_token(CONN, TEAM, ANN, "ci", "viewer", 2, scope, ["run.read"], ["d"])
    assert made == ("id1", f"{prefix}secret")
    hashed = accounts.fingerprint(f"{prefix}secret")
    asked = (TEAM, "id1", ANN, "ci", "viewer", hashed, 2 * 86_400.0, scope)
    assert store.done == [("create", *asked, ("verbs", ["run.read"]), ("dag_ids", ["d"]))]
    accounts.create_token(CONN, TEAM, ANN, "ci", "viewer", 2)
    assert store.done[1][8:] == ("api", ("verbs", None), ("dag_ids", None))


@pytest.mark.parametrize(
    ("name", "days", "why"),
    [
        ("x", 1, None),
        ("x" * 100, 366, None),
        ("x", 0, "must expire after 1 to 366 days, not 0"),
        ("x", 367, "must expire after 1 to 366 days, not 367"),
        ("", 1, "must have 1 to 100 characters"),
        ("x" * 101, 1, "must have 1 to 100 characters"),
    ],
)
def test_bounds_of_a_token(store: Store, name: str, days: int, why: str | None) -> None:
    if why is None:
        accounts.create_token(CONN, TEAM, ANN, name, "viewer", days)
        return
    with pytest.raises(UsageError, match=why):
        accounts.create_token(CONN, TEAM, ANN, name, "viewer", days)
    assert store.done == []


# -- who may change whom


@pytest.mark.parametrize(
    ("name", "role", "verbs", "is_platform_admin", "error"),
    [
        ("ann", "operator", BUILT_IN[Role.OPERATOR], False, None),
        ("ann", "operator", BUILT_IN[Role.ADMIN], False, None),
        ("ann", "operator", BUILT_IN[Role.VIEWER], False, "may do more than you in this team"),
        ("ann", None, frozenset[Verb](), False, None),  # in no role here
        ("admin", "viewer", frozenset(Verb), False, "this user is a platform admin"),
        ("admin", "viewer", frozenset(Verb), True, None),
        ("ann", "admin", BUILT_IN[Role.VIEWER], True, "may do more than you in this team"),
        ("nobody", "viewer", frozenset(Verb), True, "there is no user"),
    ],
)
def test_nobody_acts_for_who_may_do_more(
    store: Store, name: str, role: str | None, verbs: Verbs, is_platform_admin: bool, error: str
) -> None:
    store.role = role

    def check() -> None:
        accounts.require_beneath(CONN, TEAM, name, verbs, is_platform_admin=is_platform_admin)

    if error is None:
        check()
        return
    with pytest.raises((NotAllowed, NotFound), match=error):
        check()


def test_who_is_there_is_taken_in(store: Store) -> None:
    accounts.add_member(CONN, TEAM, "bob", "viewer", "me")
    assert store.done == [("join", TEAM, 9, "bob", "viewer", "me")]
    with pytest.raises(NotFound, match="there is no user 'eve'"):
        accounts.add_member(CONN, TEAM, "eve", "viewer", "me")


@pytest.mark.parametrize("is_ours", [True, False])
def test_who_is_let_go_loses_tokens_and_at_home_sessions(store: Store, is_ours: bool) -> None:
    store.is_ours = is_ours
    accounts.remove_member(CONN, TEAM, "ann")
    closed = [("close_others", ANN, None)] if is_ours else []
    assert store.done == [("leave", TEAM, ANN), ("revoke_all", TEAM, ANN), *closed]


@pytest.mark.parametrize(
    ("admins", "name", "why"),
    [
        ([ANN], "ann", "this is the last admin of the team"),
        ([ADMIN_ID, ANN], "ann", None),
        ([ADMIN_ID], "ann", None),
        ([ADMIN_ID, ANN], "admin", "'admin' must stay an admin"),
    ],
)
def test_a_team_keeps_its_admins(
    store: Store, admins: list[int], name: str, why: str | None
) -> None:
    store.admins = admins
    acts: list[Callable[[], None]] = [
        lambda: accounts.remove_member(CONN, TEAM, name),
        lambda: accounts.change_user(CONN, TEAM, name, "viewer", None, None),
        lambda: accounts.change_user(CONN, TEAM, name, None, None, True),
    ]
    for act in acts:
        if why is None:
            act()
            continue
        with pytest.raises(Conflict, match=why):
            act()
    assert bool(store.done) == (why is None)


def test_a_change_is_what_is_asked_for_and_no_more(store: Store) -> None:
    change()
    assert store.done == []
    store.admins = [ANN]
    change(role="admin")
    change(disabled=False)
    change(display_name="Ann Lee")
    store.admins = [ANN, ADMIN_ID]
    change(role="viewer")
    change(disabled=True)
    assert store.done == [
        ("set_role", TEAM, ANN, "admin"),
        ("disable", ANN, False),
        ("rename", ANN, "Ann Lee"),
        ("set_role", TEAM, ANN, "viewer"),
        ("close_others", ANN, None),
        ("disable", ANN, True),
    ]


@pytest.mark.parametrize("more", [{"disabled": True}, {"display_name": "x"}])
def test_of_others_only_the_role_here_is_changed(store: Store, more: dict[str, Any]) -> None:
    store.is_ours = False
    change(role="viewer")
    with pytest.raises(NotAllowed, match="another team manages 'ann'"):
        change(**more)
    assert store.done == [("set_role", TEAM, ANN, "viewer")]


def test_a_password_ends_the_other_sessions(store: Store) -> None:
    accounts.set_password(CONN, "ann", "hash", "s1")
    assert store.done == [("set_password", ANN, "hash"), ("close_others", ANN, "s1")]


@pytest.mark.parametrize(
    ("is_ours", "source", "why"),
    [(False, None, "another team manages"), (True, "sso", "signs in by 'sso' and cannot have a")],
)
def test_who_is_not_ours_to_change_gets_no_password(
    store: Store, is_ours: bool, source: str | None, why: str
) -> None:
    store.is_ours, store.source = is_ours, source
    with pytest.raises(HeadwayError, match=why):
        accounts.set_password(CONN, "ann", "hash", None)
    assert store.done == []
