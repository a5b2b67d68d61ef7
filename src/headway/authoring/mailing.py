"""Mails of tasks: written, and sent through the server of a connection (``operators.email``)."""

import mimetypes
import smtplib
import ssl
from collections.abc import Iterable, Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid
from pathlib import Path
from typing import Final

from headway.authoring.rendered import show
from headway.authoring.run import Fail
from headway.authoring.secrets import connection
from headway.core.connections import Connection

CONN_ID: Final = "smtp_default"
TIMEOUT_S: Final = 30.0
SSL_PORT: Final = 465
PORT: Final = 587
FILES_BYTES_MAX: Final = 25_000_000  # all attachments together


class MailFailed(Exception):
    """The server was not reached, or did not take the mail."""


def mail(given: Mapping[str, object]) -> str:
    """Send the mail of a task, and return its id.

    Raises Fail for arguments that are wrong and for receivers that are refused while others are not, and MailFailed
    for what another attempt may fix.
    """
    conn_id = given.get("conn_id") or CONN_ID
    if not isinstance(conn_id, str):
        raise Fail(f"conn_id must be a string, not {type(conn_id).__name__}")
    found = connection(conn_id)
    made = mail_of(given, found)
    receivers = [
        address for name in ("to", "cc", "bcc") for address in addresses(name, given.get(name))
    ]
    show(to=", ".join(receivers), subject=str(made["Subject"]))
    refused = send(found, made, receivers)
    if refused:  # the others have it: another attempt would send it to them again
        raise Fail(f"the server refused {', '.join(sorted(refused))}, the mail went to the others")
    return str(made["Message-ID"])


def mail_of(given: Mapping[str, object], found: Connection) -> EmailMessage:
    """Return the mail. Raises Fail for what cannot be in one, such as a line break in the subject."""
    sender = text_of("from_email", given.get("from_email")) or text_of(
        "the extra from_email", found.extra.get("from_email")
    )
    sender = sender or (found.login if found.login and "@" in found.login else "")
    if not sender:
        raise Fail(
            f"the mail has no sender: give from_email, or set the extra from_email of the connection {found.conn_id}"
        )
    text, html = (
        text_of("text", given.get("text")),
        text_of("html_content", given.get("html_content")),
    )
    mail = EmailMessage()
    try:
        mail["Subject"] = text_of("subject", given["subject"])
        mail["From"] = sender
        for name in ("to", "cc"):  # those of bcc are not told to the others
            if listed := addresses(name, given.get(name)):
                mail[name.capitalize()] = ", ".join(listed)
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or "localhost")
    except (MessageError, ValueError) as error:
        raise Fail(f"the mail cannot be written: {error}") from None
    mail.set_content(text if text or not html else "This mail has only an HTML part.")
    if html:
        mail.add_alternative(html, subtype="html")
    attach(mail, given.get("files"))
    return mail


def text_of(name: str, given: object) -> str:
    if given is None or isinstance(given, str):
        return given or ""
    raise Fail(f"{name} must be a string, not {type(given).__name__}")


def addresses(name: str, given: object) -> list[str]:
    """Return the addresses of a text, with commas or semicolons between them, or of a list of texts."""
    texts = given if isinstance(given, list | tuple) else [] if given is None else [given]
    parts = [text_of(name, text).replace(";", ",") for text in texts]
    found = [address for _, address in getaddresses([part for part in parts if part.strip()])]
    wrong = any(one.count("@") != 1 for one in found) or not all(map(str.isprintable, parts))
    if wrong or (name == "to" and not found):
        raise Fail(f"{name} must have the addresses of mails, not {given!r}")
    return found


def attach(mail: EmailMessage, files: object) -> None:
    if files is None:
        return
    if isinstance(files, str) or not isinstance(files, Iterable):
        raise Fail(f"files must be a list of paths, not {files!r}")
    left = FILES_BYTES_MAX
    for file in map(Path, map(str, files)):
        try:
            with file.open("rb") as opened:
                content = opened.read(left + 1)
        except OSError as error:
            raise Fail(f"the file {file} cannot be attached: {error.strerror}") from None
        left -= len(content)
        if left < 0:
            raise Fail(
                f"the files have more than {FILES_BYTES_MAX // 1_000_000} MB; send a link instead"
            )
        kind, encoding = mimetypes.guess_type(file.name)
        main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition(
            "/"
        )
        mail.add_attachment(content, maintype=main, subtype=sub, filename=file.name)


def send(found: Connection, mail: EmailMessage, receivers: list[str]) -> list[str]:
    """Send it. Returns the receivers that the server refused. Raises MailFailed."""
    if not found.host:
        raise Fail(f"the connection {found.conn_id} has no host")
    where = f"{found.host}:{port_of(found)}"
    try:
        with opened(found) as server:
            if found.login:
                server.login(found.login, found.password or "")
            return list(server.send_message(mail, to_addrs=receivers))
    except smtplib.SMTPAuthenticationError as error:
        raise MailFailed(
            f"{where} refused the login {found.login}: {said(error.smtp_error)}"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        code, why = next(iter(error.recipients.values()))
        raise MailFailed(f"{where} refused all receivers: {code} {said(why)}") from None
    except smtplib.SMTPResponseException as error:
        raise MailFailed(
            f"{where} refused the mail: {error.smtp_code} {said(error.smtp_error)}"
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(f"{where} cannot be used: {error}") from None


def opened(found: Connection) -> smtplib.SMTP:
    timeout_s = timeout_of(found)
    context = ssl.create_default_context(cafile=found.extra.get("ca_file"))
    place = (str(found.host), port_of(found))
    if not is_true(found, "disable_ssl"):
        return smtplib.SMTP_SSL(*place, timeout=timeout_s, context=context)
    server = smtplib.SMTP(*place, timeout=timeout_s)
    if not is_true(found, "disable_tls"):
        server.starttls(context=context)
    return server


def timeout_of(found: Connection) -> float:
    given = found.extra.get("timeout") or TIMEOUT_S
    try:
        return float(given)
    except (TypeError, ValueError):
        raise Fail(
            f"the extra timeout of the connection {found.conn_id} must be a number of seconds"
        ) from None


def port_of(found: Connection) -> int:
    return found.port or (PORT if is_true(found, "disable_ssl") else SSL_PORT)


def is_true(found: Connection, name: str) -> bool:
    return str(found.extra.get(name, False)).lower() in ("true", "1", "yes")


def said(answer: object) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(text.split())[:300]
