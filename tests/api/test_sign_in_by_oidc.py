"""Sign-in by OpenID Connect, against a real provider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headway.api.server import HttpServer
from headway.config import Layout
from headway.identity.settings import checked
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api.attacks import Watch
from tests.api.conftest import served
from tests.api.idp import SECRET, Idp, Visitor, running

pytestmark = pytest.mark.long

SETTINGS = """
[oidc.company]
label = "Company account"
issuer = "{issuer}"
client-id = "headway"
client-secret-file = "secret"
session-hours = 2

[oidc.twin]
label = "Another provider"
issuer = "{issuer}"
client-id = "headway"
client-secret-file = "secret"

[[rule]]
group = "dw-{{team}}-authors"
grant = "{{team}}:author"

[[rule]]
group = "analysts"
grant = "default:viewer"
"""


@pytest.fixture(scope="session")
def started() -> Iterator[Idp]:
    with running() as idp:
        yield idp


@pytest.fixture
def server(
    database: str, layout: Layout, owner_conn: Session, started: Idp, tmp_path: Path
) -> Iterator[HttpServer]:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    settings = checked(SETTINGS.format(issuer=started.issuer), tmp_path)
    with served(database, layout.data, sign_in=settings) as server:
        yield server


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1")


@pytest.fixture
def idp(started: Idp, url: str) -> Idp:
    started.serve(f"{url}/login/company", f"{url}/login/twin")
    started.knows("ann", groups=["analysts"], name="Ann Lee")
    return started


def refusals(conn: Session) -> list[Any]:
    rows = conn.execute(
        "SELECT detail->>'reason' FROM audit WHERE action = 'session.refused' ORDER BY seq"
    )
    return [row[0] for row in rows]


def roles(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {each["name"]: each["role"] for each in answer.json()["teams"]}


def test_who_the_provider_signs_in_has_the_roles_of_the_groups(
    url: str, idp: Idp, owner_conn: Session
) -> None:
    ann = Visitor(url)
    answer = ann.sign_in()
    assert roles(answer) == {"default": "viewer"}
    assert answer.json()["user"] == {"name": "ann", "display_name": "Ann Lee"}
    assert ann.ours.get("/session").status_code == 200
    for cookie in answer.headers.get_list("set-cookie"):
        words = {word.strip().lower() for word in cookie.split(";")}
        assert {"httponly", "path=/", "samesite=strict"} <= words
    assert ann.ours.delete("/session").json() == {"url": None}
    assert ann.ours.get("/session").status_code == 401
    # Signed in at the provider still: it asks nothing, and the groups are those of now.
    idp.knows("ann", groups=["dw-default-authors"], name="Ann Lee")
    assert roles(ann.sign_in()) == {"default": "author"}
    rows = owner_conn.execute("SELECT source, external_id, name FROM person WHERE source <> ''")
    assert rows.fetchall() == [("company", "ann", "ann")]


def test_the_browser_is_sent_with_pkce_state_and_nonce(url: str, idp: Idp) -> None:
    address = Visitor(url).start().json()["url"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["response_type"] == "code"
    assert query["redirect_uri"] == f"{url}/login/company"
    other = Visitor(url).start().json()["url"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name]) == 43
        assert query[name] not in other


def test_groups_that_give_nothing_are_refused(url: str, idp: Idp, owner_conn: Session) -> None:
    idp.knows("eve", groups=["strangers"])
    answer = Visitor(url).sign_in()
    assert answer.status_code == 401
    assert (
        "set-cookie" not in answer.headers or "headway_session" not in answer.headers["set-cookie"]
    )
    idp.knows("mallory")  # no claim at all
    assert Visitor(url).sign_in().status_code == 401
    assert refusals(owner_conn) == [
        "no role",
        "the claim 'groups' is missing; the provider must send it, empty too",
    ]


def test_what_comes_back_counts_once_and_in_the_browser_that_began(
    url: str, idp: Idp, owner_conn: Session, watch: Watch
) -> None:
    ann, eve = Visitor(url), Visitor(url)
    came = ann.visit(ann.start().json()["url"])
    without = {name: came[name] for name in ("code", "state")}
    with watch.attack(entries=8) as told:
        answers = [eve.come_back(came)]  # it did not begin
        eve.start()
        answers += [
            eve.come_back(came),  # it began another one
            ann.come_back(came | {"state": "x" * 43}),
            ann.come_back(came | {"state": "…"}),
            ann.come_back(came | {"iss": "https://evil.example"}),
            ann.come_back(without),  # the provider always says who it is
            ann.come_back(came, way="twin"),  # mixed up
            ann.come_back(came | {"code": "made-up"}),
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert {(who, action) for who, action, _, _ in told} == {("nobody", "session.refused")}
    assert len({reason for *_, reason in told}) == 5
    assert owner_conn.execute("SELECT count(*) FROM browser_session").fetchone() == (0,)


def test_a_code_is_good_for_once(url: str, idp: Idp, watch: Watch) -> None:
    ann = Visitor(url)
    begun = ann.start()
    ticket = dict(begun.cookies)
    came = ann.visit(begun.json()["url"])
    assert ann.come_back(came).status_code == 200
    again = Visitor(url)
    again.ours.cookies.update(ticket)
    with watch.attack() as told:
        assert again.come_back(came).status_code == 401
    reason = "the provider refused the code: invalid_grant"
    assert told == [("nobody", "session.refused", "", reason)]


def test_keys_may_be_changed(
    url: str, idp: Idp, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert roles(Visitor(url).sign_in()) == {"default": "viewer"}
    idp.serve(f"{url}/login/company", kid="second")
    monkeypatch.setattr("headway.identity.oidc.AGAIN_S", 0.0)
    assert roles(Visitor(url).sign_in()) == {"default": "viewer"}
    monkeypatch.setattr("headway.identity.oidc.AGAIN_S", 60.0)
    idp.serve(f"{url}/login/company", kid="third")
    assert Visitor(url).sign_in().status_code == 401  # asked for a moment ago
    assert "signed by a key that the provider does not have" in refusals(owner_conn)[0]


def test_a_provider_that_does_not_answer_is_told(
    database: str, layout: Layout, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    nowhere = checked(SETTINGS.format(issuer="http://127.0.0.1:9"), tmp_path)
    with served(database, layout.data, sign_in=nowhere) as server:
        answer = Visitor(url_of(server.listener, "127.0.0.1")).start()
    assert answer.status_code == 503
    assert "identity provider of Company account" in answer.json()["detail"]


def test_a_way_that_is_not_there(url: str) -> None:
    answer = Visitor(url).start("password")
    assert (answer.status_code, answer.json()["hint"]) == (404, "use one of: company, twin")


def test_another_site_cannot_begin_or_end_it(url: str, idp: Idp, watch: Watch) -> None:
    ann = Visitor(url)
    came = ann.visit(ann.start().json()["url"])
    ann.ours.headers["Sec-Fetch-Site"] = "cross-site"
    with watch.attack(entries=2) as told:
        assert ann.start().status_code == 403
        assert ann.come_back(came).status_code == 403
    assert [subject for _, _, subject, _ in told] == [
        "POST /api/v1/session/redirect",
        "POST /api/v1/session/code",
    ]


def test_secrets_are_left_nowhere(url: str, idp: Idp, owner_conn: Session) -> None:
    ann = Visitor(url)
    begun = ann.start()
    came = ann.visit(begun.json()["url"])
    assert ann.come_back(came).status_code == 200
    secrets = (came["code"], came["state"], SECRET, *begun.cookies.values())
    for table in ("audit", "browser_session", "person"):
        rows = owner_conn.execute(f"SELECT row_to_json(t)::text FROM {table} AS t".encode())
        assert not any(secret in row for (row,) in rows for secret in secrets)


def test_who_signs_out_here_may_sign_out_there(
    database: str, layout: Layout, owner_conn: Session, started: Idp, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    text = SETTINGS.replace('label = "Company account"', 'label = "Company"\nend-session = true')
    settings = checked(text.format(issuer=started.issuer), tmp_path)
    with served(database, layout.data, sign_in=settings) as server:
        url = url_of(server.listener, "127.0.0.1")
        started.serve(f"{url}/login/company", leaves=[f"{url}/login"])
        started.knows("ann", groups=["analysts"])
        ann = Visitor(url)
        assert roles(ann.sign_in()) == {"default": "viewer"}
        there = ann.ours.delete("/session").json()["url"]
        assert ann.ours.get("/session").status_code == 401
    query = parse_qs(urlsplit(there).query)
    assert query == {"client_id": ["headway"], "post_logout_redirect_uri": [f"{url}/login"]}
    assert ann.theirs.get(there).status_code == 200  # it asks whether to
