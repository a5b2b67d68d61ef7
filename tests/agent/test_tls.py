"""TLS without sockets: what the other end sends, and what somebody does to the files of a certificate."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from headway.agent.tls import Certificate, Channel, trusting
from headway.errors import UsageError
from tests.certificates import Authority, authority


@pytest.fixture
def trusted(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@pytest.fixture
def certificate(trusted: Authority) -> Certificate:
    return Certificate(*trusted.sign("gateway", "127.0.0.1"))


def connected(certificate: Certificate, trusted: Authority) -> tuple[Channel, Channel]:
    server = Channel(certificate.context, server=True)
    context = trusting(trusted.ca.read_text())
    client = Channel(context, server=False, hostname="127.0.0.1")
    while not (server.is_open and client.is_open):
        server.feed(client.to_send())
        client.feed(server.to_send())
    return server, client


def test_what_comes_after_a_goodbye_is_not_kept(
    certificate: Certificate, trusted: Authority
) -> None:
    server, client = connected(certificate, trusted)
    client.write(b"said")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert server.feed(client.to_send()) == b"said"
    assert server.is_over
    for _ in range(3):
        with pytest.raises(ssl.SSLError, match="after its goodbye"):
            server.feed(b"x" * 100_000)
    assert server.incoming.pending == 0


def test_a_certificate_renewed_by_half_leaves_the_old_one_in_use(
    certificate: Certificate, trusted: Authority, tmp_path: Path
) -> None:
    public, private = trusted.sign("renewed", "127.0.0.1")
    certificate.certificate.write_bytes(public.read_bytes())  # the key follows later
    with pytest.raises(UsageError, match="key values mismatch"):
        certificate.load()
    connected(certificate, trusted)
    certificate.certificate.write_bytes(public.read_bytes()[:100])
    with pytest.raises(UsageError, match="cannot use the certificate"):
        certificate.load()
    connected(certificate, trusted)
    certificate.certificate.write_bytes(public.read_bytes())
    certificate.key.write_bytes(private.read_bytes())
    assert certificate.load()
    connected(certificate, trusted)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(trusted: Authority) -> None:
    public, private = trusted.sign("locked", "127.0.0.1")
    key = load_pem_private_key(private.read_bytes(), None)
    locked = BestAvailableEncryption(b"a password")
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(UsageError, match="cannot use the certificate"):
        Certificate(public, private)
