"""What the caller of a request may do, in which of their teams, and what they hold open."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from headway.api.live.watcher import Holder, Visit
from headway.api.principal import LOCAL, SESSION, Guest, NotAMember, Principal, chosen, principal
from headway.core.roles import BUILT_IN, Role, Verb, Verbs
from headway.errors import NotAllowed
from headway.store.people import Standing

HERE = Standing("ann", "Ann", 7, 7, "sales", "viewer", True)
THERE = replace(HERE, team_id=8, team="ops", role="admin")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
ALL: Verbs = frozenset(Verb)


def who(via: str = SESSION, verbs: Verbs = BUILT_IN[Role.VIEWER], **more: Any) -> Principal:
    return principal(HERE, verbs, 3, via, credential="s1", **more)


def test_a_person_is_what_they_are_in_the_team() -> None:
    found = principal(
        *(THERE, BUILT_IN[Role.VIEWER], 3, "token:t1"),
        credential="t1",
        expires_at=LATER,
        dag_ids=frozenset({"d"}),
    )
    assert (found.name, found.actor, found.person_id) == ("ann", "user:ann", 3)
    assert (found.home_team_id, found.team_id, found.team, found.role) == (7, 8, "ops", "admin")
    assert (found.via, found.credential, found.expires_at) == ("token:t1", "t1", LATER)
    assert (found.verbs, found.dag_ids) == (BUILT_IN[Role.VIEWER], frozenset({"d"}))
    assert found.guest is None


@pytest.mark.parametrize(
    ("is_admin", "verbs", "dag_ids", "is_one"),
    [
        (True, ALL, None, True),
        (False, ALL, None, False),
        (True, ALL - {Verb.LOG_READ}, None, False),  # a token that is narrowed opens no platform
        (True, ALL, frozenset({"d"}), False),
        (True, ALL, frozenset(), False),
    ],
)
def test_only_all_rights_of_a_platform_admin_make_one(
    is_admin: bool, verbs: Verbs, dag_ids: Any, is_one: bool
) -> None:
    standing = replace(HERE, is_platform_admin=is_admin)
    assert principal(standing, verbs, 3, LOCAL, dag_ids=dag_ids).is_platform_admin is is_one


@pytest.mark.parametrize(("via", "whole"), [(LOCAL, True), (SESSION, True), ("token:t1", False)])
def test_a_token_is_no_person(via: str, whole: bool) -> None:
    asking = who(via)
    assert asking.is_whole is whole
    told = "your role in this team is viewer" if whole else "this token has the role viewer and 7"
    assert asking.what_it_has.startswith(told)
    if whole:
        asking.require_whole("make a token")
        return
    with pytest.raises(NotAllowed, match="a token cannot make a token"):
        asking.require_whole("make a token")


@pytest.mark.parametrize(
    ("demand", "is_allowed"),
    [
        (lambda w: w.require(Verb.RUN_READ, "look"), True),
        (lambda w: w.require(Verb.RUN_CLEAR, "clear"), False),
        (lambda w: w.require_all(frozenset(), "give it"), True),
        (lambda w: w.require_all(BUILT_IN[Role.VIEWER], "give it"), True),
        (lambda w: w.require_all(frozenset({Verb.RUN_READ, Verb.RUN_CLEAR}), "give it"), False),
    ],
)
def test_nobody_does_or_hands_on_what_they_do_not_hold(
    demand: Callable[[Principal], None], is_allowed: bool
) -> None:
    if is_allowed:
        demand(who())
        return
    with pytest.raises(NotAllowed, match=r"run\.clear") as caught:
        demand(who())
    assert "your role in this team is viewer" in caught.value.message


def test_a_guest_counts_for_their_own_team_and_holds_a_visit() -> None:
    guest = replace(who(), guest=Guest(8, "ops", {}), dag_ids=frozenset({"d"}))
    assert (who().own_team_id, guest.own_team_id) == (7, 8)
    assert guest.holder == Holder(3, "s1", Visit(8, "ops", frozenset({"d"})))
    nowhere = replace(guest, dag_ids=None).holder
    assert nowhere == Holder(3, "s1", Visit(8, "ops", frozenset()))


def test_only_the_token_of_the_data_directory_cannot_be_revoked() -> None:
    assert who(LOCAL).holder is None
    assert who(SESSION).holder == who("token:t1").holder == Holder(3, "s1")


@pytest.mark.parametrize(("wanted", "team"), [(None, "sales"), ("sales", "sales"), ("ops", "ops")])
def test_a_request_is_in_the_team_that_it_names_or_the_first(wanted: str | None, team: str) -> None:
    assert chosen([HERE, THERE], wanted).team == team


@pytest.mark.parametrize(
    ("teams", "wanted", "message", "hint"),
    [
        ([HERE, THERE], "opps", "you are not a member of team 'opps'", 'did you mean "ops"?'),
        ([HERE, THERE], "x", "you are not a member of team 'x'", "your teams: sales, ops"),
        ([HERE, THERE], "", "you are not a member of team ''", "your teams: sales, ops"),
        ([], "x", "you are not a member of team 'x'", "your teams: none"),
        ([], None, "you are not a member of any team", "your teams: none"),
    ],
)
def test_another_team_is_as_none(
    teams: list[Standing], wanted: str | None, message: str, hint: str
) -> None:
    with pytest.raises(NotAMember) as caught:
        chosen(teams, wanted)
    refusal = caught.value.refusal
    assert (refusal.message, refusal.hint) == (message, hint)
    assert caught.value.home == (HERE if teams else None)
