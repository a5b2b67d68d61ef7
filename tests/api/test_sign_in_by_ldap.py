"""Sign-in at a directory, against a real one."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.api.server import HttpServer
from headway.config import Layout
from headway.identity.settings import SignInSettings, checked
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api import people
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser
from tests.api.conftest import served
from tests.certificates import authority
from tests.ports import free_port
from tests.slapd import BASE, PASSWORD, READER, Slapd, slapd

pytestmark = pytest.mark.long

SETTINGS = """
[ldap.company]
label = "Company account"
servers = {servers}
ca-file = "{ca}"
bind-dn = "{reader}"
bind-password-file = "reader"
user-base = "ou=people,{base}"
group-base = "ou=groups,{base}"
session-hours = 2

[[rule]]
group = "dw-{{team}}-authors"
grant = "{{team}}:author"

[[rule]]
group = "analysts"
grant = "default:viewer"

[[rule]]
group = "suspended"
deny = "*"
"""


@pytest.fixture(scope="module")
def started() -> Iterator[Slapd]:
    with slapd() as found:
        yield found


@pytest.fixture
def directory(started: Slapd) -> Slapd:
    started.clear()
    return started


def settings(folder: Path, ca: Path, *servers: str, more: str = "") -> SignInSettings:
    (folder / "reader").write_text(f"{PASSWORD}\n")
    text = SETTINGS.format(servers=list(servers), ca=ca, reader=READER, base=BASE)
    return checked(more + text, folder)


@pytest.fixture
def server(
    database: str, layout: Layout, owner_conn: Session, directory: Slapd, tmp_path: Path
) -> Iterator[HttpServer]:
    known = settings(tmp_path, directory.ca, directory.starttls)
    with served(database, layout.data, sign_in=known) as server:
        yield server


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1")


def enter(url: str, name: str, password: str = PASSWORD) -> Answer:
    body = {"name": name, "password": password, "way": "company"}
    return Browser(url).ask("POST", f"{API}/session", body)


def roles(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return {each["name"]: each["role"] for each in answer.json["teams"]}


def refusals(conn: Session) -> list[Any]:
    rows = conn.execute(
        "SELECT detail->>'reason' FROM audit WHERE action = 'session.refused' ORDER BY seq"
    )
    return [row[0] for row in rows]


def test_groups_of_the_directory_give_roles_at_each_sign_in_anew(
    url: str, directory: Slapd, owner_conn: Session
) -> None:
    ann = directory.person("ann", cn="Ann Lee")
    directory.group("analysts", ann)
    found = enter(url, "ann")
    assert roles(found) == {"default": "viewer"}
    assert found.json["user"] == {"name": "ann", "display_name": "Ann Lee"}
    directory.group("dw-default-authors", ann)
    assert roles(enter(url, "ANN")) == {"default": "author"}  # names have no case there
    directory.group("suspended", ann)
    assert enter(url, "ann").status == 401
    rows = owner_conn.execute("SELECT source, name, length(external_id) FROM person ORDER BY 1")
    assert rows.fetchall()[0] == ("company", "ann", 36)
    assert refusals(owner_conn) == ["no role"]


def test_groups_of_groups_count_and_may_go_round(url: str, directory: Slapd) -> None:
    ann = directory.person("ann")
    inner = directory.group("inner", ann)
    middle = directory.group("middle", inner)
    outer = directory.group("dw-default-authors", middle)
    directory.group("inner", ann, outer)
    assert roles(enter(url, "ann")) == {"default": "author"}
    directory.group("middle")
    assert enter(url, "ann").status == 401


def test_every_reason_to_refuse_looks_the_same(
    url: str, directory: Slapd, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    ann = directory.person("ann")
    directory.person("bob")  # in no group
    directory.group("analysts", ann)
    secret = "a wrong one, which no log has"
    tried = [
        ("ann", secret), ("nobody", secret), ("bob", PASSWORD), ("ann", ""), ("", ""),
        ("*)(uid=*", PASSWORD), ("ann)(objectClass=*", PASSWORD), ("*", PASSWORD), ("a*", PASSWORD),
        ("bo\r\nb", PASSWORD), (f"cn=ann,ou=people,{BASE}", PASSWORD),
        ("reader", PASSWORD), ("x" * 2_000, PASSWORD), ("ann", "x" * 2_000), ("\\61nn", PASSWORD),
    ]  # fmt: skip
    with caplog.at_level(logging.DEBUG), watch.attack(entries=len(tried)) as told:
        answers = [enter(url, *each) for each in tried]
    assert {(who, action) for who, action, _, _ in told} == {("nobody", "session.refused")}
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert [reason for *_, reason in told][:4] == [
        "the directory refused the password: Invalid credentials",
        "the directory has 0 entries of this name",
        "no role",
        "the password is empty or not one",
    ]
    assert secret not in caplog.text
    assert PASSWORD not in caplog.text
    for odd in ("ann\0", "\ud800", "x" * 10_000):
        assert enter(url, odd).status in (400, 401)
        assert enter(url, "cid", odd).status in (400, 401)
    assert roles(enter(url, "ann")) == {"default": "viewer"}


def test_other_spellings_of_a_name_are_no_more_guesses(url: str, directory: Slapd) -> None:
    directory.group("analysts", directory.person("ann"))
    assert roles(enter(url, " ANN")) == {"default": "viewer"}, "the directory takes it for the same"
    guesses = [
        enter(url, name, "wrong").status for name in ("ann", "Ann", "aNn", "anN", "ANN", "aNN")
    ]
    assert guesses == [401] * 5 + [429]
    assert enter(url, "AnN").status == 429


def test_names_that_filters_and_paths_must_escape(url: str, directory: Slapd) -> None:
    odd = 'Lee, (Ann) * "=+<x>; \\ é'
    dn = directory.person("o'neill (x)*", cn=odd)
    inner = directory.group("a\\, (b)\\+*", dn)
    directory.group("analysts", inner)
    found = enter(url, "o'neill (x)*")
    assert roles(found) == {"default": "viewer"}
    assert found.json["user"] == {"name": "o-neill-x", "display_name": odd}


def test_a_person_stays_the_same_under_another_name(
    url: str, directory: Slapd, owner_conn: Session
) -> None:
    ann = directory.person("ann")
    directory.group("analysts", ann)
    assert enter(url, "ann").status == 200
    directory.group("analysts", directory.rename(ann, "Ann Meyer", "ann.meyer"))
    assert enter(url, "ann.meyer").json["user"] == {"name": "ann", "display_name": "Ann Meyer"}
    # Somebody who gets the name of before is somebody else.
    directory.group("analysts", directory.person("ann"))
    assert enter(url, "ann").json["user"]["name"] == "ann@company"
    assert owner_conn.execute(
        "SELECT count(*) FROM person WHERE source = 'company'"
    ).fetchone() == (2,)


def test_local_accounts_a_directory_and_a_provider_together(
    database: str,
    layout: Layout,
    owner_conn: Session,
    directory: Slapd,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory.group("analysts", directory.person("ann"))
    (tmp_path / "secret").write_text("of the client")
    provider = (
        '[oidc.sso]\nlabel = "Single sign-on"\nissuer = "https://idp.example.com"\n'
        'client-id = "headway"\nclient-secret-file = "secret"\n'
    )
    known = settings(tmp_path, directory.ca, directory.ldaps, more=provider)
    with served(database, layout.data, sign_in=known) as server:
        url = url_of(server.listener, "127.0.0.1")
        ways = Browser(url).ask("GET", f"{API}/sign-in").json
        assert [(way["name"], way["begins"]) for way in ways] == [
            ("sso", "redirect"),
            ("company", "form"),
            ("password", "form"),
            ("link", "link"),
        ]
        people.create(url, "ann", "operator")
        assert Browser(url).sign_in("ann", people.PASSWORD).json["role"] == "operator"
        assert Browser(url).sign_in("ann", PASSWORD).status == 401
        assert enter(url, "ann", people.PASSWORD).status == 401
        found = enter(url, "ann")
        assert (found.json["user"]["name"], found.json["role"]) == ("ann@company", "viewer")
        # Who comes from the directory gets no password and no link here.
        mine = people.local(url).ask("POST", f"{API}/login-links", {"user": "ann@company"})
        assert mine.status == 403
        link = people.local(url).ask("POST", f"{API}/login-links", {}).json["url"]
        assert Browser(url).sign_in_by(link).status == 200
    told = [each.getMessage() for each in caplog.records if each.name == "headway.api.signin"]
    assert told == ["break-glass: the local admin signed in by link from 127.0.0.1"]


def test_the_next_server_is_asked_when_one_is_down(
    database: str, layout: Layout, directory: Slapd, tmp_path: Path
) -> None:
    directory.group("analysts", directory.person("ann"))
    nobody = f"ldaps://localhost:{free_port()}"
    known = settings(tmp_path, directory.ca, nobody, directory.ldaps)
    with served(database, layout.data, sign_in=known) as server:
        url = url_of(server.listener, "127.0.0.1")
        for _ in range(2):  # the second time the one of use comes first
            assert roles(enter(url, "ann")) == {"default": "viewer"}
        assert enter(url, "ann", "wrong").status == 401


def test_a_directory_of_no_use_is_told_and_reveals_nothing(
    database: str,
    layout: Layout,
    directory: Slapd,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory.group("analysts", directory.person("ann"))
    nobody = f"ldap://localhost:{free_port()}"
    other = tmp_path / "other"
    other.mkdir()
    strange = authority(other, "strange")
    by_name = directory.ldaps.replace("127.0.0.1", "localhost")  # not in the certificate
    cases = [
        (settings(tmp_path, directory.ca, nobody), "Can't contact LDAP server"),
        (settings(tmp_path, strange.ca, directory.ldaps), "is the certificate"),
        (settings(tmp_path, strange.ca, directory.starttls), "is the certificate"),
        (settings(tmp_path, directory.ca, by_name), "is the certificate"),
    ]
    (tmp_path / "reader").write_text("wrong")
    unread = SETTINGS.format(servers=[directory.ldaps], ca=directory.ca, reader=READER, base=BASE)
    cases.append((checked(unread, tmp_path), "Invalid credentials"))
    for known, reason in cases:
        caplog.clear()
        with served(database, layout.data, sign_in=known) as server:
            url = url_of(server.listener, "127.0.0.1")
            answer = enter(url, "ann")
            assert people.local(url).ask("GET", f"{API}/session").status == 200
        assert answer.status == 503
        assert answer.json["detail"] == "the directory of Company account cannot be used"
        assert "ldap" not in answer.body.decode().replace("[ldap.company]", "")
        assert reason in caplog.text
        assert PASSWORD not in caplog.text


def test_nothing_is_sent_where_encryption_was_taken_away(
    database: str, layout: Layout, tmp_path: Path
) -> None:
    with slapd(tls=False) as plain:
        plain.group("analysts", plain.person("ann"))
        known = settings(tmp_path, plain.ca, plain.starttls)
        with served(database, layout.data, sign_in=known) as server:
            url = url_of(server.listener, "127.0.0.1")
            before = plain.log.stat().st_size
            assert enter(url, "ann").status == 503
        text = plain.log.read_bytes()[before:].decode(errors="replace")
    assert "EXT oid=1.3.6.1.4.1.1466.20037" in text  # it was asked to encrypt
    assert "BIND dn" not in text
