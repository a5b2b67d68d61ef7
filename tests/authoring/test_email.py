"""Mails, through a real server."""

import email
import json
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from headway import DAG
from headway import email as email_word
from headway.authoring.mailing import MailFailed
from headway.authoring.run import Fail
from headway.testing import run_dag
from tests.certificates import Authority, authority

SENDER = "flows@example.org"


class Mailbox:
    """What came. It refuses receivers whose name begins with ``no``."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(
        self,
        server: Protocol,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address.startswith("no"):
            return "550 unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 OK"

    def login(
        self, server: Protocol, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


class Server(Controller):
    """At a port that the system chooses, which the first one to look would have to know."""

    def _trigger_server(self) -> None:
        self.port = port_of(self)
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def mailbox(trusted: Authority) -> Iterator[tuple[Mailbox, Controller]]:
    """A server that takes mails after STARTTLS and a login."""
    mailbox = Mailbox()
    controller = Server(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        ready_timeout=60,
        tls_context=context(trusted),
        require_starttls=True,
        authenticator=mailbox.login,
        auth_required=True,
    )
    yield from served(mailbox, controller)


def context(trusted: Authority) -> ssl.SSLContext:
    certificate, key = trusted.sign("mail", "127.0.0.1")
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate, key)
    return made


def served(mailbox: Mailbox, controller: Controller) -> Iterator[tuple[Mailbox, Controller]]:
    controller.start()
    yield mailbox, controller
    controller.stop()


def port_of(controller: Controller) -> int:
    assert controller.server is not None
    return int(controller.server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]


@pytest.fixture
def connected(
    mailbox: tuple[Mailbox, Controller], trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> Mailbox:
    connect(monkeypatch, port_of(mailbox[1]), trusted)
    return mailbox[0]


def connect(monkeypatch: pytest.MonkeyPatch, port: int, trusted: Authority, **given: Any) -> None:
    extra = {"disable_ssl": True, "from_email": f"Flows <{SENDER}>", "ca_file": str(trusted.ca)}
    made = {
        "conn_type": "smtp", "host": "127.0.0.1", "port": port, "login": "flows",
        "password": "right", "extra": extra | given.pop("extra", {}), **given,
    }  # fmt: skip
    monkeypatch.setenv("HEADWAY_CONN_SMTP_DEFAULT", json.dumps(made))


def sent(**given: Any) -> object:
    """What the task returns. Raises what it raised."""
    with DAG("d") as made:
        email_word("mail", **{"to": "ann@example.org", "subject": "hello", "text": "x"} | given)
    found = run_dag(made)["mail"]
    if found.error is not None:
        raise found.error
    return found.value


def test_a_mail_is_sent_with_all_its_parts(connected: Mailbox, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("a,b\n1,2\n")
    message_id = sent(
        to="Ann <ann@example.org>; bob@example.org",
        cc=["eve@example.org"],
        bcc="max@example.org",
        subject="Numbers of {{ dag_id }} – done",
        html_content="<p>{{ dag_id }}</p>",
        text="plain {{ dag_id }}",
        files=[report],
    )
    ((receivers, mail),) = connected.mails
    assert receivers == [f"{name}@example.org" for name in ("ann", "bob", "eve", "max")]
    assert (mail["Subject"], mail["From"]) == ("Numbers of d – done", f"Flows <{SENDER}>")
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == (
        "ann@example.org, bob@example.org",
        "eve@example.org",
        None,
    )
    assert mail["Message-ID"] == message_id
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert html.get_content().strip() == "<p>d</p>"
    assert text.get_content().strip() == "plain d"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("report.csv", "text/csv")
    assert connected.logins == [(b"flows", b"right")]


def test_a_login_that_is_refused_is_told_without_its_password(
    connected: Mailbox, mailbox: tuple[Mailbox, Controller], trusted: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connect(monkeypatch, port_of(mailbox[1]), trusted, password="wrong-secret")
    with pytest.raises(MailFailed, match="refused the login flows") as caught:
        sent()
    assert "wrong-secret" not in str(caught.value)
    assert connected.mails == []


def test_a_certificate_of_nobody_is_refused(
    connected: Mailbox, mailbox: tuple[Mailbox, Controller], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connect(monkeypatch, port_of(mailbox[1]), authority(tmp_path))
    with pytest.raises(MailFailed, match="certificate verify failed"):
        sent()
    assert connected.logins == [], "the password is not told to whoever listens there"


def test_receivers_that_are_refused(connected: Mailbox) -> None:
    with pytest.raises(MailFailed, match="refused all receivers: 550 unknown here"):
        sent(to="nobody@example.org")
    with pytest.raises(Fail, match=r"refused nobody@example\.org, the mail went to the others"):
        sent(to=["ann@example.org", "nobody@example.org"])
    assert [receivers for receivers, _ in connected.mails] == [["ann@example.org"]]


def test_tls_from_the_first_byte(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    controller = Server(
        mailbox, hostname="127.0.0.1", port=0, ready_timeout=60, ssl_context=context(trusted)
    )
    for _ in served(mailbox, controller):
        extra = {"disable_ssl": False}
        connect(monkeypatch, port_of(controller), trusted, login=None, password=None, extra=extra)
        sent()
    assert len(mailbox.mails) == 1


def test_a_server_that_is_not_there(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, 1, trusted)
    with pytest.raises(MailFailed, match=r"127.0.0.1:1 cannot be used: .*[Rr]efused"):
        sent()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"to": ""}, "to must have the addresses of mails, not ''"),
        ({"to": "ann"}, "to must have the addresses of mails, not 'ann'"),
        ({"cc": "a@b@c"}, "cc must have the addresses of mails"),
        ({"to": "a@b.org\nBcc: x@y.org"}, "to must have the addresses of mails"),
        ({"subject": "a\nBcc: x@y.org"}, "the mail cannot be written"),
        ({"subject": 3}, "subject must be a string, not int"),
        ({"files": "a.csv"}, "files must be a list of paths, not 'a.csv'"),
        ({"files": ["/nowhere"]}, "the file /nowhere cannot be attached: No such file"),
    ],
)
def test_a_mistake_is_told(connected: Mailbox, given: dict[str, Any], why: str) -> None:
    with pytest.raises(Fail) as caught:
        sent(**given)
    assert why in str(caught.value)
    assert connected.mails == []


def test_a_mail_needs_a_sender(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, 1, trusted, extra={"from_email": None})
    with pytest.raises(Fail, match="the mail has no sender: give from_email"):
        sent()
