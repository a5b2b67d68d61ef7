"""Sign-in by OpenID Connect, step by step: what comes back is believed only in the browser that left."""

import asyncio
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from headway.core.role_map import Rule
from headway.core.roles import Role
from headway.identity import external, sections
from headway.identity.base import Given, Proof, Redirecting, Returned, nobody
from headway.identity.external import GROUPS_MAX
from headway.identity.id_token import Refused, key_set
from headway.identity.oidc import NO_REFRESH, Oidc, joined
from headway.identity.provider import AGAIN_S, FRESH_S, Metadata, Tokens
from headway.store.browser_sessions import Provided
from tests.identity.test_id_token import CLIENT, ISSUER, KEY, KEYS, signed
from tests.identity.test_logout_token import GOOD

BACK, TICKET = "https://headway.example/login/company", "ticket-of-the-browser"
RULES = (Rule(number=1, team="*", role=Role.VIEWER, group="analysts"),)
METADATA = Metadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/auth",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/keys",
    end_session_endpoint=f"{ISSUER}/end",
)
PERSON: dict[str, Any] = {
    "preferred_username": "ann.lee",
    "groups": ["analysts"],
    "name": "Ann Lee",
}


class Scripted:
    """A provider whose answers are told beforehand, and which remembers how it was asked."""

    def __init__(self) -> None:
        self.document = METADATA
        self.tokens = Tokens("access", None, None)
        self.info: dict[str, Any] = {}
        self.key_sets = [KEYS]
        self.asked: list[tuple[Any, ...]] = []

    async def metadata(self) -> Metadata:
        return self.document

    async def exchange(self, code: str, verifier: str, back: str) -> Tokens:
        self.asked.append(("exchange", code, verifier, back))
        return self.tokens

    async def refresh(self, token: str) -> Tokens:
        self.asked.append(("refresh", token))
        return self.tokens

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        self.asked.append(("userinfo", access_token))
        return self.info

    async def keys(self, older_than_s: float = FRESH_S) -> Any:
        self.asked.append(("keys", older_than_s))
        return self.key_sets.pop(0) if len(self.key_sets) > 1 else self.key_sets[0]


def way(rules: tuple[Rule, ...] = RULES, name: str = "company", **more: Any) -> Any:
    """Return the way with its provider, as ``provider``."""
    settings = sections.Oidc(
        label="Company", issuer=ISSUER, client_id=CLIENT, client_secret_file="unread", **more
    )
    found: Any = Oidc(name, settings, "of the client", rules)
    assert (found.provider.name, found.provider.secret) == (name, "of the client")
    found.provider = Scripted()
    return found


def returned(found: Any, **more: Any) -> Given:
    came = Returned(found.made("state", TICKET), None, TICKET, BACK)
    return Given(None, "the code", returned=replace(came, **more))


def id_token(found: Any, **more: Any) -> str:
    return signed(**{"nonce": found.made("nonce", TICKET), "sub": "s-1", **PERSON, **more})


def told(found: Any, given: Given) -> Any:
    return asyncio.run(found.told(given))


def refusal(found: Any, given: Given) -> str:
    with pytest.raises(Refused) as caught:
        told(found, given)
    return str(caught.value)


# -- on the way there


def test_a_browser_leaves_with_what_only_its_ticket_makes() -> None:
    found = way(scopes=("openid", "groups", "groups"))
    begins: object = found
    assert isinstance(begins, Redirecting)
    address = asyncio.run(found.start(TICKET, BACK))
    assert address.startswith(f"{ISSUER}/auth?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    verifier = found.made("verifier", TICKET)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert query == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "openid groups",
        "state": found.made("state", TICKET),
        "nonce": found.made("nonce", TICKET),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert not any("=" in value for value in query.values())


def test_everything_that_is_made_of_a_ticket_is_another_one() -> None:
    """Else one of them, which addresses show, would tell another one, which is secret."""
    made = [
        one.made(what, ticket)
        for one in (way(), way(name="twin"))
        for what in ("state", "nonce", "verifier")
        for ticket in (TICKET, "another")
    ]
    assert len(set(made)) == 12
    assert {len(each) for each in made} == {43}
    assert not [each for each in made if TICKET in each]


def test_openid_is_always_asked_for() -> None:
    address = asyncio.run(way(scopes=("email",)).start(TICKET, BACK))
    assert "scope=openid+email" in address


def test_a_query_goes_on_where_the_address_has_one() -> None:
    assert joined("https://a/b", {"c": "d&e"}) == "https://a/b?c=d%26e"
    assert joined("https://a/b?x=1", {"c": "d"}) == "https://a/b?x=1&c=d"


def test_who_signs_out_here_signs_out_there_where_the_settings_say_so() -> None:
    assert asyncio.run(way().leave(BACK)) is None
    leaving = way(end_session=True)
    address = asyncio.run(leaving.leave(BACK))
    assert address.startswith(f"{ISSUER}/end?client_id={CLIENT}&post_logout_redirect_uri=https")
    leaving.provider.document = Metadata(ISSUER, "a", "t", "j")
    assert asyncio.run(leaving.leave(BACK)) is None


# -- on the way back


def test_who_comes_back_is_who_the_token_says() -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, sid="p-7"), "refresh")
    person, provided = told(found, returned(found))
    assert person == external.told("company", "s-1", ["analysts"], "Ann Lee", "ann.lee")
    assert provided == Provided("company", "p-7")
    verifier = found.made("verifier", TICKET)
    assert found.provider.asked == [("exchange", "the code", verifier, BACK), ("keys", FRESH_S)]


@pytest.mark.parametrize("sid", [7, None, ["p"]])
def test_a_session_of_a_provider_has_a_name_or_none(sid: Any) -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, sid=sid))
    assert told(found, returned(found))[1] == Provided("company", None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"ticket": ""}, "did not begin this sign-in"),
        ({"ticket": "another"}, "the state is not of"),
        ({"state": ""}, "the state is not of"),
        ({"state": "\ud800"}, "the state is not of"),
        ({"state": way(name="twin").made("state", TICKET)}, "the state is not of"),
        ({"state": way().made("nonce", TICKET)}, "the state is not of"),
        ({"issuer": "https://evil.example"}, "is of the issuer 'https://evil.example'"),
        ({"issuer": ""}, "is of the issuer ''"),
    ],
)
def test_what_another_browser_or_provider_began_is_not_exchanged(
    more: dict[str, str], reason: str
) -> None:
    found = way()
    assert reason in refusal(found, returned(found, **more))
    assert found.provider.asked == []


def test_a_browser_that_brings_nothing_back_is_refused() -> None:
    assert "did not begin" in refusal(way(), Given(None, "the code"))


@pytest.mark.parametrize("issuer", [None, ISSUER])
@pytest.mark.parametrize("says", [True, False])
def test_a_provider_that_says_who_it_is_must_do_so(issuer: str | None, says: bool) -> None:
    found = way()
    found.provider.document = Metadata(
        ISSUER, "a", "t", "j", authorization_response_iss_parameter_supported=says
    )
    found.provider.tokens = Tokens("access", id_token(found))
    given = returned(found, issuer=issuer)
    if issuer is None and says:
        assert refusal(found, given) == "the answer is of the issuer None"
    else:
        assert told(found, given)[0].user == "ann.lee"


def test_a_token_of_another_sign_in_or_none_is_refused() -> None:
    found = way()
    assert refusal(found, returned(found)) == "the provider sent no ID token"
    found.provider.tokens = Tokens("access", id_token(found, nonce=way().made("nonce", "another")))
    assert "not for this sign-in" in refusal(found, returned(found))


def test_new_keys_of_the_provider_are_asked_for_once() -> None:
    found = way()
    other = key_set({"keys": [RSAKey.generate_key(2048, {"kid": "two"}).as_dict(private=False)]})
    found.provider.key_sets = [other, KEYS]
    found.provider.tokens = Tokens("access", id_token(found))
    assert told(found, returned(found))[0].user == "ann.lee"
    assert found.provider.asked[1:] == [("keys", FRESH_S), ("keys", AGAIN_S)]
    found.provider.key_sets, found.provider.asked = [other], []
    assert "key" in refusal(found, returned(found))
    assert found.provider.asked[1:] == [("keys", FRESH_S), ("keys", AGAIN_S)]


# -- who it is


def test_only_what_is_missing_is_asked_of_the_user_info() -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, groups=None))
    found.provider.info = {"sub": "s-1", "groups": ["analysts"], "preferred_username": "mallory"}
    person, _ = told(found, returned(found))
    assert (person.user, person.groups) == ("ann.lee", ("analysts",)), "the token goes before"
    assert ("userinfo", "access") in found.provider.asked
    found.provider.info["sub"] = "s-2"
    assert refusal(found, returned(found)) == "the provider's user info is of somebody else"
    del found.provider.info["sub"]
    assert refusal(found, returned(found)) == "the provider's user info is of somebody else"


@pytest.mark.parametrize("user", [None, "", 7, ["ann"]])
def test_who_has_no_name_is_nobody(user: Any) -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, preferred_username=user))
    assert refusal(found, returned(found)) == "the claim 'preferred_username' has no name"


def test_a_name_that_cannot_be_one_is_refused() -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, preferred_username="\u200b"))
    assert "cannot be shown" in refusal(found, returned(found))


@pytest.mark.parametrize(
    ("verified", "good"), [(True, True), (False, False), (None, False), ("true", False), (1, False)]
)
def test_an_address_that_nobody_verified_is_no_name(verified: Any, good: bool) -> None:
    """Anybody could give the address of somebody else."""
    found = way(user_claim="email")
    more = {"email": "ann@example.com", "email_verified": verified}
    found.provider.tokens = Tokens("access", id_token(found, **more))
    if good:
        assert told(found, returned(found))[0].user == "ann@example.com"
    else:
        assert refusal(found, returned(found)) == "the e-mail address is not verified"


@pytest.mark.parametrize("name", [None, 7, ["Ann"]])
def test_without_a_name_to_show_it_is_the_user(name: Any) -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, name=name))
    assert told(found, returned(found))[0].display_name == "ann.lee"


@pytest.mark.parametrize(
    ("groups", "read"),
    [
        (["a", "b"], ("a", "b")),
        ("a", ("a",)),
        ([], ()),
        ({"a": 1}, "is not a list of names"),
        (7, "is not a list of names"),
        (["a", 7], "is not a list of names"),
        (["g"] * GROUPS_MAX, ("g",) * GROUPS_MAX),
        (["g"] * (GROUPS_MAX + 1), "has more than 2,000 groups"),
        (None, "is missing; the provider must send it, empty too"),
    ],
)
def test_groups_are_read_or_the_sign_in_is_refused(groups: Any, read: Any) -> None:
    found = way()
    found.provider.tokens = Tokens("access", id_token(found, groups=groups))
    if isinstance(read, tuple):
        assert told(found, returned(found))[0].groups == read
    else:
        assert read in refusal(found, returned(found))


def test_without_a_rule_of_groups_none_need_be_told() -> None:
    found = way(rules=(Rule(number=1, team="*", role=Role.VIEWER, user="ann.lee"),))
    found.provider.tokens = Tokens("access", id_token(found, groups=None))
    assert told(found, returned(found))[0].groups == ()
    assert way(rules=(*RULES, *found.rules)).needs_groups


# -- what the session is there


def test_a_session_that_is_refreshed_keeps_its_token_encrypted() -> None:
    found = way(refresh_minutes=5)
    found.provider.tokens = Tokens("access", id_token(found), "refresh-1")
    provided = told(found, returned(found))[1]
    assert (provided.source, provided.refresh_s) == ("company", 300.0)
    assert b"refresh-1" not in provided.token
    found.provider.tokens = Tokens("access", id_token(found))
    assert refusal(found, returned(found)) == NO_REFRESH


def test_proof_is_of_the_person_or_tells_the_reason_to_the_audit_only() -> None:
    found = way(session_hours=2)
    found.provider.tokens = Tokens("access", id_token(found))
    proof: Proof = asyncio.run(found.prove(returned(found), None))
    assert proof.find.func is external.admit  # type: ignore[attr-defined]
    assert proof.find.keywords["told"].user == "ann.lee"  # type: ignore[attr-defined]
    assert proof.find.keywords["rules"] == RULES  # type: ignore[attr-defined]
    assert (proof.lifetime_s, proof.reason) == (7_200.0, "no role")
    assert proof.provided == Provided("company", None)
    bad = asyncio.run(found.prove(returned(found, ticket=""), None))
    assert (bad.find, bad.provided) == (nobody, None)
    assert "did not begin" in bad.reason


def sealed(found: Any) -> bytes:
    token: bytes = found.sealed("refresh-1")
    return token


def test_a_refresh_is_of_the_same_person_and_keeps_the_next_token() -> None:
    found = way(refresh_minutes=5)
    found.provider.tokens = Tokens("access", signed(nonce=None, sub="s-1", **PERSON), "refresh-2")
    renewed = asyncio.run(found.renew(sealed(found), "s-1"))
    assert renewed.told.user == "ann.lee"
    assert (renewed.rules, renewed.after_s) == (RULES, 300.0)
    assert found.provider.asked[0] == ("refresh", "refresh-1")
    asyncio.run(found.renew(renewed.sealed, "s-1"))
    assert ("refresh", "refresh-2") in found.provider.asked
    found.provider.tokens = Tokens("access", signed(nonce=None, sub="s-1", **PERSON))
    asyncio.run(found.renew(renewed.sealed, "s-1"))
    assert found.provider.asked[-2:] == [("refresh", "refresh-2"), ("keys", FRESH_S)], "kept"


def test_a_refresh_without_an_id_token_asks_the_user_info() -> None:
    found = way()
    found.provider.tokens = Tokens("access", None)
    found.provider.info = {"sub": "s-1", **PERSON}
    renewed = asyncio.run(found.renew(sealed(found), "s-1"))
    assert (renewed.told.subject, renewed.after_s) == ("s-1", 60.0)
    found.provider.info["sub"] = "s-2"
    with pytest.raises(Refused, match="of somebody else"):
        asyncio.run(found.renew(sealed(found), "s-1"))


def test_a_refresh_of_somebody_else_is_refused() -> None:
    found = way()
    found.provider.tokens = Tokens("access", signed(nonce=None, sub="s-2", **PERSON))
    with pytest.raises(Refused, match="the session of somebody else"):
        asyncio.run(found.renew(sealed(found), "s-1"))


def test_a_token_of_another_way_or_client_is_not_sent() -> None:
    found = way()
    other: Any = Oidc("company", found.oidc, "another secret", RULES)
    for token in (sealed(way(name="twin")), other.sealed("refresh-1"), b"", b"x" * 40):
        with pytest.raises(Refused, match="cannot be decrypted"):
            asyncio.run(found.renew(token, "s-1"))
    assert found.provider.asked == []


def test_a_logout_token_is_checked_by_the_keys_of_this_provider() -> None:
    found = way()
    assert asyncio.run(found.logout(signed(**GOOD))).subject == "ann"
    other = key_set({"keys": [RSAKey.generate_key(2048, {"kid": "one"}).as_dict(private=False)]})
    found.provider.key_sets = [other]
    with pytest.raises(Refused):
        asyncio.run(found.logout(signed(**GOOD)))
    assert KEY.kid == "one"
