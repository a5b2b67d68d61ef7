"""Sign in by Kerberos: a ticket of the machine's user becomes a session's secret, which ends with the ticket."""

import base64
import http.client
from contextlib import closing
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import msgspec

from headway import wire
from headway.client.connection import opened, refusal
from headway.errors import NotAuthenticated, NotReachable, UsageError

SPNEGO: Final = "1.3.6.1.5.5.2"
ROUTE: Final = "/api/v1/session/negotiate"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def negotiate(url: str) -> str:
    """Return the secret of a new session, for ``Authorization: Bearer``.

    Raises:
        UsageError: gssapi is not installed, or the server is not at an https address. NotAuthenticated: there is no
            ticket, or the server does not accept it. NotReachable.
    """
    if find_spec("gssapi") is None:
        raise UsageError(
            "Kerberos needs a library that is not installed",
            hint='install it: pip install "headway[kerberos]"; docs/sign-in.md says what that needs',
        )
    import gssapi

    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise UsageError("Kerberos needs an https address", where=url)
    service = gssapi.Name(f"HTTP@{parts.hostname}", gssapi.NameType.hostbased_service)
    mutual = [gssapi.RequirementFlag.mutual_authentication]
    mechanism = gssapi.OID.from_int_seq(SPNEGO)
    try:
        context = gssapi.SecurityContext(
            name=service, usage="initiate", mech=mechanism, flags=mutual
        )
        ticket = base64.b64encode(context.step()).decode()
        content, reply = asked(url, ticket)
        context.step(base64.b64decode(reply))  # it is who the ticket is for
    except gssapi.exceptions.GSSError as error:
        raise NotAuthenticated(
            f"there is no Kerberos ticket for {service}: {error}", hint="get one with: kinit"
        ) from error
    return msgspec.json.decode(content, type=wire.Negotiated).token


def asked(url: str, ticket: str) -> tuple[bytes, str]:
    """Return the answer and what proves the server. Raises NotAuthenticated and NotReachable."""
    with closing(opened(url)) as connection:
        try:
            connection.request("POST", ROUTE, None, {"Authorization": f"Negotiate {ticket}"})
            response = connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, OSError) as error:
            raise NotReachable(f"the server at {url} does not answer: {error}") from error
    if response.status >= 400:
        raise refusal(response, content)
    scheme, _, reply = response.getheader("WWW-Authenticate", "").partition(" ")
    if scheme.lower() != "negotiate":
        raise NotReachable(f"the server at {url} did not prove who it is")
    return content, reply
