"""TLS between agents and gateways, on connections whose bytes somebody else moves.

Both ends are ours: TLS 1.3 only. The gateway shows a certificate, which the agent compares with the name that it
connects to; an agent shows its token, after that.
"""

import ssl
from pathlib import Path
from typing import Final

from headway.errors import UsageError

READ_BYTES: Final = 1 << 18


class Channel:
    """One end of a connection. ``is_open``: the handshake is over, and the other end has not said goodbye."""

    def __init__(
        self, context: ssl.SSLContext, *, server: bool, hostname: str | None = None
    ) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server, hostname)
        self.is_open = False
        self.is_over = False  # the other end said goodbye
        if not server:
            self.shake()

    def shake(self) -> None:
        try:
            self.tls.do_handshake()
            self.is_open = True
        except ssl.SSLWantReadError:
            return

    def feed(self, data: bytes) -> bytes:
        """Take what came, and return what it says. Something may have to be sent then.

        Raises ssl.SSLError, also for what comes after a goodbye: nobody would read it, and it would be kept.
        """
        if self.is_over:
            raise ssl.SSLError("it went on after its goodbye")
        self.incoming.write(data)
        if not self.is_open:
            self.shake()
        found = []
        while self.is_open:
            try:
                part = self.tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                break
            if not part:
                self.is_over, self.is_open = True, False
                break
            found.append(part)
        return b"".join(found)

    def write(self, data: bytes) -> None:
        self.tls.write(data)

    def to_send(self) -> bytes:
        """Return what is to be sent next."""
        return self.outgoing.read()


class Certificate:
    """The certificate of a gateway, from files that somebody renews."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises UsageError if they cannot be used."""
        self.certificate, self.key = certificate, key
        self.context: (
            ssl.SSLContext
        )  # a new one for new files: half of a renewal spoils the one that it is loaded into
        self.loaded: tuple[int, int] | None = None
        self.load()

    def load(self) -> bool:
        """Load the files if they changed. Returns whether they did. Raises UsageError; then the old one stays."""
        try:
            files = (self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns)
            if files == self.loaded:
                return False
            self.loaded = files
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            # Without a password OpenSSL asks at the terminal, and waits.
            context.load_cert_chain(self.certificate, self.key, password="")
            self.context = context
        except (ssl.SSLError, OSError) as error:
            raise UsageError(
                f"cannot use the certificate of the gateway: {reason_of(error)}",
                where=f"{self.certificate}, {self.key}",
                hint="both files are PEM, the key is that of the certificate and has no password",
            ) from error
        return True


def trusting(ca: str | None) -> ssl.SSLContext:
    """Return the context of an agent. ``ca``: certificates in PEM; None: those that the system trusts.

    Raises UsageError.
    """
    try:
        if ca is not None and not ca.strip():  # the system's would be trusted in its place
            raise ValueError("there are none")
        context = ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            f"cannot use the certificates of the CA: {reason_of(error)}",
            hint="give a file with certificates in PEM",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def reason_of(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)
