"""Sessions that a provider refreshes and ends, against a real one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from headway import clock
from headway.api.renewal import end_named
from headway.api.server import HttpServer
from headway.config import Layout
from headway.identity.id_token import Refused
from headway.identity.logout_token import Logout
from headway.identity.settings import checked
from headway.store import provider_sessions
from headway.store.provider_sessions import Ended
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api.conftest import served
from tests.api.idp import SECRET, Idp, Visitor, running
from tests.api.test_sign_in_by_oidc import SETTINGS, refusals, roles

REFRESHED = SETTINGS.replace('label = "Company account"', 'label = "C"\nrefresh-minutes = 5')


@pytest.fixture(scope="module")
def started() -> Iterator[Idp]:
    with running() as idp:
        yield idp


@pytest.fixture
def server(
    database: str, layout: Layout, owner_conn: Session, started: Idp, tmp_path: Path
) -> Iterator[HttpServer]:
    (tmp_path / "secret").write_text(SECRET)
    settings = checked(REFRESHED.format(issuer=started.issuer), tmp_path)
    with served(database, layout.data, sign_in=settings) as server:
        yield server


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1")


@pytest.fixture
def idp(started: Idp, url: str) -> Idp:
    started.serve(f"{url}/login/company", refreshes=True)
    started.knows("ann", groups=["analysts"])
    return started


def come_due(conn: Session) -> None:
    conn.execute("UPDATE browser_session SET refresh_at = now() WHERE refresh_at IS NOT NULL")


def ended(conn: Session) -> list[tuple[str, str, str, str]]:
    return conn.execute(
        "SELECT actor, via, subject, detail->>'reason' FROM audit WHERE action = 'session.ended'"
    ).fetchall()


def test_a_refresh_reads_the_groups_of_now(url: str, idp: Idp, owner_conn: Session) -> None:
    ann = Visitor(url)
    assert roles(ann.sign_in()) == {"default": "viewer"}
    idp.knows("ann", groups=["dw-default-authors"])
    assert roles(ann.ours.get("/session")) == {"default": "viewer"}  # not due yet
    for _ in range(2):  # the second time with the token that the first brought
        come_due(owner_conn)
        assert roles(ann.ours.get("/session")) == {"default": "author"}
    idp.knows("ann", groups=["strangers"])
    come_due(owner_conn)
    assert ann.ours.get("/session").status_code == 401


def test_of_many_requests_one_refreshes(url: str, idp: Idp, owner_conn: Session) -> None:
    ann = Visitor(url)
    assert ann.sign_in().status_code == 200
    come_due(owner_conn)
    # Each refresh token is good for once: used twice, the provider would end the session.
    with ThreadPoolExecutor(6) as several:
        found = list(several.map(lambda _: ann.ours.get("/session").status_code, range(12)))
    assert set(found) == {200}
    come_due(owner_conn)
    assert ann.ours.get("/session").status_code == 200
    assert ended(owner_conn) == []


def test_a_session_ends_when_the_provider_refuses_the_refresh(
    url: str, idp: Idp, owner_conn: Session
) -> None:
    ann = Visitor(url)
    assert ann.sign_in().status_code == 200
    ann.leave(idp.issuer)
    assert ann.ours.get("/session").status_code == 200
    come_due(owner_conn)
    assert ann.ours.get("/session").status_code == 401
    reason = "the provider refused the refresh: invalid_grant"
    assert ended(owner_conn) == [("identity provider", "company", "ann", reason)]
    assert owner_conn.execute("SELECT count(*) FROM browser_session").fetchone() == (0,)


def test_sessions_go_on_while_the_provider_does_not_answer(
    database: str, layout: Layout, owner_conn: Session, url: str, idp: Idp, tmp_path: Path
) -> None:
    ann = Visitor(url)
    assert ann.sign_in().status_code == 200
    secret = dict(ann.ours.cookies)
    nowhere = checked(REFRESHED.format(issuer="http://127.0.0.1:9"), tmp_path)
    come_due(owner_conn)
    with served(database, layout.data, sign_in=nowhere) as other:
        visitor = Visitor(url_of(other.listener, "127.0.0.1"))
        visitor.ours.cookies.update(secret)
        assert roles(visitor.ours.get("/session")) == {"default": "viewer"}
    left = owner_conn.execute(
        "SELECT refresh_at - now() BETWEEN '30 s' AND '1 min' FROM browser_session"
    )
    assert left.fetchall() == [(True,)]
    assert ended(owner_conn) == []


def test_refresh_tokens_are_encrypted_and_must_be_sent(
    url: str, idp: Idp, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Visitor(url).sign_in().status_code == 200
    ((sealed,),) = owner_conn.execute("SELECT refresh_token FROM browser_session").fetchall()
    assert not sealed.isascii()
    monkeypatch.setattr("headway.identity.oidc.AGAIN_S", 0.0)
    idp.serve(f"{url}/login/company", kid="second")
    assert Visitor(url).sign_in().status_code == 401
    assert refusals(owner_conn) == [
        "the provider sent no refresh token: add offline_access to scopes, or remove refresh-minutes"
    ]


def test_who_signs_out_at_the_provider_is_signed_out_here(
    url: str, idp: Idp, owner_conn: Session
) -> None:
    told = f"{url}/api/v1/backchannel-logout".replace("localhost", "127.0.0.1")
    idp.serve(f"{url}/login/company", refreshes=True, told=told)
    ann, elsewhere = Visitor(url), Visitor(url)
    assert ann.sign_in().status_code == 200
    assert elsewhere.sign_in().status_code == 200  # another browser, another session there
    ann.leave(idp.issuer)
    assert ann.ours.get("/session").status_code == 401
    assert elsewhere.ours.get("/session").status_code == 200
    assert ended(owner_conn) == [
        ("identity provider", "company", "ann", "signed out at the provider")
    ]
    ((source, kept),) = owner_conn.execute(
        "SELECT source, expires_at - now() BETWEEN '0 s' AND '5 min' FROM used_logout_token"
    ).fetchall()
    assert (source, kept) == ("company", True)


def test_what_is_no_logout_token_ends_nothing(url: str, idp: Idp, owner_conn: Session) -> None:
    ann = Visitor(url)
    assert ann.sign_in().status_code == 200
    address = f"{url}/api/v1/backchannel-logout"
    for odd in ("", "x", "a.b.c", "x" * 9_000):
        assert httpx.post(address, data={"logout_token": odd}, timeout=60).status_code == 400
    assert httpx.post(address, json={"logout_token": "a.b.c"}, timeout=60).status_code in (400, 415)
    assert ann.ours.get("/session").status_code == 200


def test_a_logout_token_counts_once(url: str, idp: Idp, owner_conn: Session) -> None:
    assert Visitor(url).sign_in().status_code == 200
    until = clock.now() + timedelta(minutes=2)
    for expected in ([Ended(1, "ann")], None):
        found = provider_sessions.end(owner_conn, "company", None, "ann", b"of a token", until)
        assert found == expected
    logout = Logout(None, "ann", b"of a token", until)
    with pytest.raises(Refused, match="was used before"):
        end_named(owner_conn, "company", logout)
