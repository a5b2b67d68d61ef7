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

from headway.agent.tls import Certificate, Channel, reason_of, trusting
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


# -- who speaks with whom


def refusal(
    certificate: Certificate, context: ssl.SSLContext, hostname: str | None
) -> ssl.SSLError:
    server = Channel(certificate.context, server=True)
    try:
        client = Channel(context, server=False, hostname=hostname)
        for _ in range(3):
            server.feed(client.to_send())
            client.feed(server.to_send())
    except ssl.SSLError as error:
        return error
    pytest.fail("they speak with each other")


def test_an_agent_speaks_first_and_a_gateway_waits(
    certificate: Certificate, trusted: Authority
) -> None:
    context = trusting(trusted.ca.read_text())
    assert Channel(context, server=False, hostname="127.0.0.1").to_send() != b""
    assert Channel(certificate.context, server=True).to_send() == b""


def test_an_agent_believes_its_authority_and_the_name_that_it_connects_to(
    certificate: Certificate, trusted: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    stranger = authority(tmp_path / "other", "stranger")
    strange = refusal(certificate, trusting(stranger.ca.read_text()), "127.0.0.1")
    assert isinstance(strange, ssl.SSLCertVerificationError)
    assert reason_of(strange) == "unable to get local issuer certificate"
    context = trusting(trusted.ca.read_text())
    other = refusal(certificate, context, "127.0.0.2")
    assert "IP address mismatch" in reason_of(other)
    assert isinstance(refusal(certificate, trusting(None), "127.0.0.1"), ssl.SSLError)


@pytest.mark.parametrize("side", ["agent", "gateway"])
def test_nothing_below_tls_1_3_is_spoken(
    certificate: Certificate, trusted: Authority, side: str
) -> None:
    ours = trusting(trusted.ca.read_text()), certificate.context
    assert [each.minimum_version for each in ours] == [ssl.TLSVersion.TLSv1_3] * 2
    old = ours[0] if side == "gateway" else ours[1]  # of the other end
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    said = reason_of(refusal(certificate, ours[0], "127.0.0.1"))
    assert "version" in said or "protocol" in said


def test_after_a_goodbye_a_channel_is_over(certificate: Certificate, trusted: Authority) -> None:
    server, client = connected(certificate, trusted)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert server.feed(client.to_send()) == b""
    assert (server.is_over, server.is_open) == (True, False)


def test_files_that_did_not_change_are_not_loaded_again(certificate: Certificate) -> None:
    context = certificate.context
    assert certificate.load() is False
    assert certificate.context is context
    certificate.key.touch()
    assert certificate.load() is True
    assert certificate.context is not context
    assert certificate.load() is False


def test_a_key_with_any_password_is_refused(trusted: Authority) -> None:
    public, private = trusted.sign("locked", "127.0.0.1")
    key = load_pem_private_key(private.read_bytes(), None)
    for password in (b"x", b"password"):
        locked = BestAvailableEncryption(password)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        with pytest.raises(UsageError, match="cannot use the certificate"):
            Certificate(public, private)


def test_what_is_no_certificate_is_told(trusted: Authority, tmp_path: Path) -> None:
    for odd in ("", "\n ", "no PEM", "-----BEGIN CERTIFICATE-----\n"):
        with pytest.raises(UsageError, match="cannot use the certificates of the CA") as caught:
            trusting(odd)
        assert caught.value.hint == "give a file with certificates in PEM"
    public, private = trusted.sign("gateway", "127.0.0.1")
    private.unlink()
    with pytest.raises(UsageError, match="gateway: No such file or directory") as gone:
        Certificate(public, private)
    assert gone.value.where == f"{public}, {private}"


def test_a_reason_is_in_words() -> None:
    assert reason_of(ValueError("odd")) == "odd"
    assert reason_of(OSError(2, "No such file")) == "No such file"
