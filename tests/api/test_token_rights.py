"""What somebody may make that outlives the request: tokens, links and the secrets of webhooks."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway import clock, wire
from headway.api.principal import LOCAL, SESSION, Principal
from headway.api.routes.run_links import HOURS_MAX, check_lifetime, no_link
from headway.api.routes.tokens import check_asked, refuse_beyond, visible
from headway.api.routes.webhooks import require_of
from headway.core.roles import BUILT_IN, Role, Verb
from headway.errors import NotAllowed, NotFound, UsageError
from tests.api.test_admission import LATER, WHO

NOW: Final = LATER
DAY: Final = timedelta(days=1)
IN_PERSON: Final = replace(WHO, verbs=BUILT_IN[Role.ADMIN], expires_at=NOW)
BY_TOKEN: Final = replace(IN_PERSON, via="token:t", expires_at=NOW + 7 * DAY)
MANAGES_NOT: Final = replace(IN_PERSON, verbs=BUILT_IN[Role.ADMIN] - {Verb.TOKEN_MANAGE})


def wanted(**more: Any) -> wire.TokenRequest:
    return wire.TokenRequest(**{"name": "ci", "expires_in_days": 7, **more})


def refusal(who: Principal, **more: Any) -> str | None:
    try:
        check_asked(who, wanted(**more), NOW)
    except NotAllowed as error:
        return error.message
    return None


@pytest.mark.parametrize("who", [IN_PERSON, BY_TOKEN, MANAGES_NOT, replace(IN_PERSON, via=LOCAL)])
def test_everybody_makes_tokens_of_their_own(who: Principal) -> None:
    assert refusal(who) is refusal(who, user=who.name) is None


@pytest.mark.parametrize(
    ("more", "what", "verb_for"),
    [
        (
            {"user": "bob"},
            "a token cannot create a token for another user",
            "create tokens for other users",
        ),
        (
            {"scope": "agent"},
            "a token cannot create a token for agents",
            "create tokens for agents",
        ),
        (
            {"scope": "agent", "user": "ann"},
            "a token cannot create a token for agents",
            "create tokens for agents",
        ),
    ],
)
def test_tokens_of_others_are_made_in_person_by_who_manages_them(
    more: dict[str, Any], what: str, verb_for: str
) -> None:
    assert refusal(IN_PERSON, **more) is None
    assert refusal(BY_TOKEN, **more) == what
    said = str(refusal(MANAGES_NOT, **more))
    assert said.startswith(f"you cannot {verb_for} without token.manage")


@pytest.mark.parametrize(("days", "good"), [(1, True), (7, True), (8, False)])
def test_a_token_makes_none_that_outlives_it(days: int, good: bool) -> None:
    said = refusal(BY_TOKEN, expires_in_days=days)
    assert (said is None) == good
    assert good or said == "a token cannot create a token that expires after itself"
    assert refusal(IN_PERSON, expires_in_days=days) is None, "a session ends, its person does not"
    assert refusal(replace(BY_TOKEN, expires_at=None), expires_in_days=days) is None


def test_a_token_has_no_verb_beyond_its_role() -> None:
    held = BUILT_IN[Role.VIEWER]
    refuse_beyond("viewer", held, sorted(held))
    refuse_beyond("viewer", held, [])
    with pytest.raises(UsageError, match=r"the role viewer does not have run\.cancel"):
        refuse_beyond("viewer", held, [Verb.RUN_READ, Verb.RUN_CANCEL])


def test_who_manages_tokens_sees_all_and_others_their_own() -> None:
    def seen(who: Principal) -> int | None:
        return visible(SimpleNamespace(principal=who))  # type: ignore[arg-type]

    assert seen(IN_PERSON) is None
    assert seen(MANAGES_NOT) == MANAGES_NOT.person_id == 2


# -- links


@pytest.mark.parametrize(
    ("hours", "good"),
    [(0, False), (1, True), (HOURS_MAX, True), (HOURS_MAX + 1, False), (-1, False)],
)
def test_a_link_has_an_end(hours: int, good: bool) -> None:
    if good:
        check_lifetime(IN_PERSON, hours)
    else:
        with pytest.raises(UsageError, match=f"after 1 to 2160 hours, not {hours}"):
            check_lifetime(IN_PERSON, hours)


def test_a_token_makes_no_link_that_outlives_it() -> None:
    soon = clock.now() + timedelta(hours=2, minutes=30)
    for via, good in ((SESSION, True), (LOCAL, True), ("token:t", False)):
        who = replace(IN_PERSON, via=via, expires_at=soon)
        check_lifetime(who, 2)
        if good:
            check_lifetime(who, 3)
        else:
            with pytest.raises(NotAllowed, match="a link that expires after itself") as caught:
                check_lifetime(who, 3)
            assert f"{soon:%Y-%m-%d %H:%M} UTC" in str(caught.value.hint)
    check_lifetime(replace(IN_PERSON, via="token:t", expires_at=None), HOURS_MAX)


def test_all_links_that_open_nothing_have_one_answer() -> None:
    assert isinstance(no_link(), NotFound)
    assert "unknown, expired or revoked" in str(no_link())


# -- webhooks


@pytest.mark.parametrize(("is_dag", "verb"), [(True, Verb.RUN_TRIGGER), (False, Verb.ASSET_EMIT)])
def test_who_has_a_webhook_may_do_what_it_does(is_dag: bool, verb: Verb) -> None:
    require_of(replace(WHO, verbs=frozenset({verb})), "create", is_dag=is_dag)
    others = replace(WHO, verbs=frozenset(Verb) - {verb})
    with pytest.raises(NotAllowed, match=f"you cannot rotate a webhook .* without {verb}"):
        require_of(others, "rotate", is_dag=is_dag)
