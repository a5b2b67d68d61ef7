"""Sign-in by Kerberos tickets, with a real KDC and a real directory."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from headway import clock, wire
from headway.api.server import HttpServer
from headway.client import client
from headway.config import Layout
from headway.errors import NotAuthenticated, UsageError
from headway.identity.settings import checked, from_environment
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser
from tests.api.conftest import served
from tests.api.test_sign_in_by_ldap import SETTINGS, refusals
from tests.kdc import REALM, SKEW_S, Kdc, kdc
from tests.slapd import BASE, PASSWORD, READER, Slapd, slapd

pytestmark = pytest.mark.long

KERBEROS: Final = """
[kerberos.tickets]
label = "Kerberos"
keytab = "{keytab}"
realms = ["{realm}"]
directory = "company"
"""
NEGOTIATE: Final = f"{API}/session/negotiate"


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Kdc, Slapd]]:
    with kdc() as keys, slapd() as directory:
        yield keys, directory


@pytest.fixture
def keys(started: tuple[Kdc, Slapd], monkeypatch: pytest.MonkeyPatch) -> Kdc:
    """The library finds the realm by the environment, in this process, too."""
    for name, value in started[0].environment.items():
        if name.startswith("KRB5"):
            monkeypatch.setenv(name, value)
    return started[0]


@pytest.fixture
def directory(started: tuple[Kdc, Slapd]) -> Slapd:
    started[1].clear()
    started[1].group("analysts", started[1].person("ann", cn="Ann Lee"))
    return started[1]


@pytest.fixture
def server(
    database: str, layout: Layout, keys: Kdc, directory: Slapd, tmp_path: Path
) -> Iterator[HttpServer]:
    (tmp_path / "reader").write_text(PASSWORD)
    text = SETTINGS.format(servers=[directory.ldaps], ca=directory.ca, reader=READER, base=BASE)
    text += KERBEROS.format(keytab=keys.principal("HTTP/localhost"), realm=REALM)
    with served(database, layout.data, sign_in=checked(text, tmp_path)) as server:
        yield server


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1").replace("127.0.0.1", "localhost")


def ticket(cache: Path, service: str = "localhost") -> bytes:
    """Return what a program sends to prove who it is."""
    import gssapi

    context = gssapi.SecurityContext(
        creds=gssapi.Credentials(usage="initiate", store={"ccache": f"FILE:{cache}"}),
        name=gssapi.Name(f"HTTP@{service}", gssapi.NameType.hostbased_service),
        mech=gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
        usage="initiate",
    )
    return bytes(context.step())


def enter(url: str, token: bytes | None) -> Answer:
    given = "" if token is None else base64.b64encode(token).decode()
    headers = {} if token is None else {"Authorization": f"Negotiate {given}"}
    return Browser(url).ask("POST", NEGOTIATE, headers=headers)


def roles(session: wire.Session) -> dict[str, str]:
    return {each.name: each.role for each in session.teams}


def test_our_client_signs_in_and_again_when_the_ticket_is_over(
    url: str, keys: Kdc, directory: Slapd, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{keys.tickets('ann')}")
    ours = client(url, kerberos=True)
    try:
        session = ours.session()
        assert roles(session) == {"default": "viewer"}
        assert session.user.display_name == "Ann Lee"
        assert session.expires_at is not None
        # As the ticket, and as much as clocks may differ.
        assert session.expires_at < clock.now() + timedelta(seconds=62 + SKEW_S)
        # Over: the next request signs in again, with a renewed ticket and the groups of now.
        keys.tickets("ann")
        owner_conn.execute("UPDATE browser_session SET expires_at = now()")
        directory.group("dw-default-authors", f"cn=Ann Lee,ou=people,{BASE}")
        assert roles(ours.session()) == {"default": "author"}
    finally:
        ours.close()


def test_curl_signs_in(url: str, keys: Kdc) -> None:
    environment = keys.environment | {"KRB5CCNAME": f"FILE:{keys.tickets('ann')}"}
    curl = ["curl", "--silent", "--show-error", "--negotiate", "-u", ":", "-X", "POST"]
    done = subprocess.run(
        [*curl, "--write-out", "%{http_code}", f"{url}{NEGOTIATE}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "does not support" in done.stderr or "not supported" in done.stderr:
        pytest.skip("this curl knows no Kerberos")
    assert (done.returncode, done.stdout[-3:]) == (0, "200"), done
    assert '"teams":[{"name":"default","role":"viewer"}]' in done.stdout


def test_the_command_line_signs_in(url: str, keys: Kdc) -> None:
    environment = dict(os.environ) | {"HEADWAY_URL": url, "HEADWAY_KERBEROS": "1"}
    environment.pop("HEADWAY_TOKEN", None)

    def whoami(cache: Path) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "headway"), "whoami"]
        given = environment | {"KRB5CCNAME": f"FILE:{cache}"}
        return subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)

    shown = whoami(keys.tickets("ann"))
    assert (shown.returncode, "viewer" in shown.stdout) == (0, True), shown.stderr
    refused = whoami(keys.folder / "nobody")
    assert (refused.returncode, "kinit" in refused.stderr) == (3, True), refused.stderr


def test_the_session_is_a_bearers_and_of_the_person_of_the_directory(
    url: str, keys: Kdc, owner_conn: Session
) -> None:
    found = enter(url, ticket(keys.tickets("ann")))
    assert found.status == 200, found.body
    assert found.headers["www-authenticate"].startswith("Negotiate ")
    assert "set-cookie" not in found.headers
    headers = {"Authorization": f"Bearer {found.json['token']}"}
    assert Browser(url, headers=headers).ask("GET", f"{API}/session").json["role"] == "viewer"
    body = {"name": "ann", "password": PASSWORD, "way": "company"}
    assert Browser(url).ask("POST", f"{API}/session", body).status == 200
    told = owner_conn.execute("SELECT source, name FROM person WHERE source IS NOT NULL").fetchall()
    assert told == [("company", "ann")]
    ways = owner_conn.execute("SELECT via FROM audit WHERE action = 'session.sign_in' ORDER BY seq")
    assert ways.fetchall() == [("tickets",), ("company",)]


def test_what_is_no_good_ticket_is_refused(url: str, keys: Kdc, watch: Watch) -> None:
    cache = keys.tickets("ann")
    keys.principal("HTTP/other")
    keys.principal("host/localhost")
    used = ticket(cache)
    assert enter(url, used).status == 200
    ntlm = b"NTLMSSP\0\1\0\0\0" + bytes(32)
    wrapped = bytes.fromhex("604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a0428")
    tried = {
        "a replay": used,
        "for another service": ticket(cache, "other"),
        "NTLM": ntlm,
        "NTLM in SPNEGO": wrapped + ntlm[:40],
        "changed": used[:-1] + bytes([used[-1] ^ 1]),
        "cut off": ticket(cache)[:-20],
        "empty": b"",
        "random": b"\xff" * 300,
        "of nobody in the directory": ticket(keys.tickets("eve")),
    }
    with watch.attack(entries=len(tried)) as told:
        answers = {what: enter(url, token) for what, token in tried.items()}
    assert {(who, action) for who, action, _, _ in told} == {("nobody", "session.refused")}
    assert {what for what, answer in answers.items() if answer.status != 401} == set()
    assert len({answer.body for answer in answers.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {"Negotiate"}
    assert any("replay" in reason for *_, reason in told)
    asked = enter(url, None)
    assert (asked.status, asked.headers["www-authenticate"]) == (401, "Negotiate")
    twice = {"Authorization": f"Negotiate {base64.b64encode(ticket(cache)).decode()}"}
    with watch.attack() as told:
        assert Browser(url).ask("GET", f"{API}/dags", headers=twice).status == 401  # elsewhere
    assert told == [("nobody", "access.refused", "any request", 401)]


def brief_ticket(keys: Kdc) -> tuple[bytes, int]:
    """Return one that is over soon, and its seconds: more of them where the machine is too busy to get it in time."""
    import gssapi

    for life_s in (1, 4, 15):
        try:
            return ticket(keys.tickets("ann", life=f"{life_s}s")), life_s
        except gssapi.exceptions.GSSError:
            continue
    return ticket(keys.tickets("ann")), 60


def test_an_expired_ticket_is_refused(
    url: str, keys: Kdc, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, life_s = brief_ticket(keys)
    monkeypatch.setenv("KRB5_CONFIG", str(keys.exact()))
    over = clock.monotonic() + life_s + 3  # with the second by which clocks may differ
    while clock.monotonic() < over:
        clock.sleep(0.2)
    with watch.attack() as told:
        assert enter(url, token).status == 401
    ((_, action, _, reason),) = told
    assert (action, "expired" in reason) == ("session.refused", True)


def test_another_realm_is_refused(
    database: str, layout: Layout, keys: Kdc, directory: Slapd, tmp_path: Path, owner_conn: Session
) -> None:
    (tmp_path / "reader").write_text(PASSWORD)
    text = SETTINGS.format(servers=[directory.ldaps], ca=directory.ca, reader=READER, base=BASE)
    text += KERBEROS.format(keytab=keys.principal("HTTP/localhost"), realm="OTHER.COM")
    with served(database, layout.data, sign_in=checked(text, tmp_path)) as server:
        url = url_of(server.listener, "127.0.0.1")
        with Watch(server, owner_conn).attack():
            assert enter(url, ticket(keys.tickets("ann"))).status == 401
    assert refusals(owner_conn) == [f"ann@{REALM} is of a realm that is not in realms"]


def test_a_client_without_a_ticket_is_told(
    url: str, keys: Kdc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{keys.folder}/nobody")
    with pytest.raises(NotAuthenticated, match="there is no Kerberos ticket") as found:
        client(url, kerberos=True)
    assert "kinit" in str(found.value.hint)
    with pytest.raises(UsageError, match="needs an https address"):
        client("http://headway.example.com", kerberos=True)


def test_settings_are_checked(
    keys: Kdc, directory: Slapd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reader").write_text(PASSWORD)
    ldap = SETTINGS.format(servers=[directory.ldaps], ca=directory.ca, reader=READER, base=BASE)
    keytab = tmp_path / "keytab"
    keytab.write_bytes(keys.principal("HTTP/localhost").read_bytes())
    keytab.chmod(0o644)
    good: dict[str, Any] = {"keytab": keys.principal("HTTP/localhost"), "realm": REALM}
    for text, part in (
        (KERBEROS.format(keytab="none", realm=REALM), "none cannot be read"),
        (KERBEROS.format(keytab=keytab, realm=REALM), "other users can read the keytab"),
        (KERBEROS.format(**good).replace("company", "other"), "there is no [ldap.other]"),
        (KERBEROS.format(**good).replace(f'"{REALM}"', ""), "realms is empty"),
        (
            KERBEROS.format(**good) + KERBEROS.format(**good).replace("tickets", "more"),
            "there can be one [kerberos.NAME]",
        ),
    ):
        with pytest.raises(UsageError) as found:
            checked(ldap + text, tmp_path)
        assert part in found.value.message
    file = tmp_path / "sign-in.toml"
    file.write_text(ldap + KERBEROS.format(**good))
    monkeypatch.setenv("HEADWAY_SIGN_IN", str(file))
    assert list(from_environment().kerberoses) == ["tickets"]
