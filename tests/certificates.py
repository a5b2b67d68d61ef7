"""A certificate authority of the tests, and what it signs."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from headway import clock


@dataclass(frozen=True)
class Authority:
    """``ca``: the file that clients trust."""

    folder: Path
    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    ca: Path

    def sign(self, label: str, *hosts: str) -> tuple[Path, Path]:
        """Make a key for these hosts, and return the files of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [named(host) for host in hosts]
        made = certificate(label, key, self.name).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        signed = made.sign(self.key, hashes.SHA256())
        return write(self.folder / label, signed, key)


def authority(folder: Path, label: str = "ca") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{label} of the tests")])
    made = certificate(f"{label} of the tests", key, name).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    public, _ = write(folder / label, made.sign(key, hashes.SHA256()), key)
    return Authority(folder, name, key, public)


def certificate(
    label: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )


def named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write(
    stem: Path, signed: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[Path, Path]:
    public, private = stem.with_suffix(".pem"), stem.with_suffix(".key")
    public.write_bytes(signed.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    return public, private
