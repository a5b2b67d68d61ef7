"""Members of another team: for which team they are one, and what a grant lets them do."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.api import guests
from headway.api.guests import narrowed, principal_of, visit
from headway.api.principal import SESSION, Guest, NotAMember, Principal
from headway.api.scopes import Named
from headway.core.grants import GrantKind
from headway.core.roles import BUILT_IN, Role, Verb, Verbs
from headway.errors import NotAllowed, NotFound
from headway.store import grants
from headway.store.people import Standing
from headway.store.views import dags, runs

OPERATOR: Final = BUILT_IN[Role.OPERATOR]
MARKETING: Final = Standing("ann", "Ann", 2, 2, "marketing", "operator", True)
OPS: Final = replace(MARKETING, team_id=3, team="ops")
NOBODY: Any = None  # stands for a connection that is not used
SEE: Final = frozenset({Verb.RUN_READ})
START: Final = frozenset({Verb.RUN_TRIGGER})
RUNS: Final = {"sales-run": "sales", "old-run": "old", "salaries-run": "salaries"}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The grants that the team "default" gave; its DAGs are all but "old", which is gone."""
    given: list[Any] = []

    def open_to(_: object, owner: str, teams: list[int]) -> list[Any]:
        return [each for each in given if owner == "default" and each.grantee_id in teams]

    def one(_: object, run_id: str) -> Any:
        if run_id not in RUNS:
            raise NotFound("there is no such run")
        return SimpleNamespace(dag_id=RUNS[run_id])

    monkeypatch.setattr(grants, "open_to", open_to)
    monkeypatch.setattr(runs, "one", one)
    monkeypatch.setattr(dags, "is_known", lambda _, dag_id: dag_id != "old")
    return given


def grant(kind: GrantKind, name: str = "sales", grantee_id: int = 2) -> Any:
    return SimpleNamespace(owner_id=1, grantee_id=grantee_id, kind=kind, name=name)


def caller(wanted: str | None, *teams: Standing, verbs: Verbs = OPERATOR, **more: Any) -> Principal:
    return principal_of(NOBODY, teams, wanted, lambda _: verbs, 7, SESSION, **more)


def test_a_grant_makes_a_guest_with_no_verb_yet(stored: list[Any]) -> None:
    stored += [grant(GrantKind.SEE_RUNS), grant(GrantKind.START), grant(GrantKind.WAIT, "other")]
    ann = caller("default", MARKETING, credential="c")
    assert (ann.team_id, ann.team, ann.role, ann.verbs) == (1, "default", "guest", frozenset())
    assert ann.guest == Guest(2, "marketing", {"sales": SEE | START})
    assert (ann.person_id, ann.via, ann.credential) == (7, SESSION, "c")
    assert ann.is_platform_admin is False


def test_a_guest_has_no_more_than_in_their_own_team(stored: list[Any]) -> None:
    stored += [grant(GrantKind.SEE_RUNS), grant(GrantKind.START, "salaries")]
    found = visit(NOBODY, [MARKETING], "default", lambda _: SEE)
    assert found is not None
    standing, guest = found
    assert guest.grants == {"sales": SEE, "salaries": frozenset()}
    assert (standing.role, standing.team_id, standing.is_platform_admin) == ("guest", 1, False)


def test_the_first_team_that_was_granted_something_visits(stored: list[Any]) -> None:
    stored.append(grant(GrantKind.SEE_RUNS, grantee_id=3))
    ann = caller("default", MARKETING, OPS)
    assert ann.guest == Guest(3, "ops", {"sales": SEE})


@pytest.mark.parametrize(
    ("wanted", "teams", "more"),
    [
        ("default", [MARKETING], {"dag_ids": frozenset({"sales"})}),  # a token of some DAGs
        ("elsewhere", [MARKETING], {}),
        ("default", [OPS], {}),
        ("default", [], {}),
        (None, [], {}),
    ],
)
def test_without_a_grant_one_is_nomember(
    stored: list[Any], wanted: str | None, teams: list[Standing], more: dict[str, Any]
) -> None:
    stored.append(grant(GrantKind.SEE_RUNS))
    with pytest.raises(NotAMember):
        caller(wanted, *teams, **more)


def test_in_a_team_of_theirs_nobody_is_a_guest(stored: list[Any]) -> None:
    """Also where one of their teams granted something to another one."""
    stored.append(grant(GrantKind.SEE_RUNS))
    home = replace(MARKETING, team_id=1, team="default")
    for wanted in (None, "default"):
        ann = caller(wanted, home, MARKETING)
        assert (ann.team, ann.guest, ann.verbs) == ("default", None, OPERATOR)


GRANTS: Final = {"sales": SEE | START, "salaries": SEE, "old": SEE, "x": SEE}


@pytest.mark.parametrize(
    ("asked", "needed", "verbs"),
    [
        ((("dag_id", "sales"),), SEE, SEE | START),
        ((("run_id", "sales-run"),), START, SEE | START),
        ((("dag_id", "sales"), ("run_id", "salaries-run")), SEE, SEE),  # what both allow
        ((("dag_id", "sales"), ("run_id", "salaries-run")), START, None),
        ((("dag_id", "sales"), ("dag_id", "other")), SEE, None),
        ((("dag_id", "old"),), SEE, None),  # which other DAGs are called alike
        ((("dag_id", "sales"), ("run_id", "old-run")), SEE, None),
        ((("run_id", "nobodys"),), SEE, None),
        ((("run_id", "sales-ru"),), SEE, None),
        ((("with", "sales-run"),), SEE, None),  # of a second run a guest learns nothing
        ((), frozenset(), None),
        ((("dag_id", "sales"),), frozenset(), SEE | START),
    ],
)
def test_all_that_a_request_names_must_be_granted(
    stored: list[Any], asked: Named, needed: Verbs, verbs: Verbs | None
) -> None:
    ann = replace(member(), guest=Guest(2, "marketing", GRANTS))
    if verbs is None:
        with pytest.raises(NotAllowed) as refused:
            narrowed(NOBODY, ann, asked, needed)
        alike = guests.refusal("default")
        assert (refused.value.message, refused.value.hint) == (alike.message, alike.hint)
        return
    found = narrowed(NOBODY, ann, asked, needed)
    names = frozenset(RUNS.get(value, value) for _, value in asked)
    assert (found.verbs, found.dag_ids) == (verbs, names)


def member() -> Principal:
    return Principal(
        name="ann", person_id=7, home_team_id=2, team_id=1, team="default", role="guest",
        verbs=frozenset(), via=SESSION,
    )  # fmt: skip


def test_a_run_that_is_gone_opens_nothing(stored: list[Any]) -> None:
    """Not even where a DAG has the name that stands for none."""
    for name in GRANTS:
        ann = replace(member(), guest=Guest(2, "marketing", {name: SEE}))
        with pytest.raises(NotAllowed):
            narrowed(NOBODY, ann, (("run_id", "nobodys"),), SEE)
