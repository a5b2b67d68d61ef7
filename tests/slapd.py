"""A real directory: OpenLDAP's slapd, as lax as one can be configured, so that it is we who refuse."""

import importlib.util
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from headway import clock
from tests.certificates import Authority, authority
from tests.own_postgres import PATIENCE_S
from tests.ports import free_port

PROGRAM: Final = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/local/libexec")
MISSING: Final = "there is no slapd, or no python-ldap (Debian: apt-get install slapd)"
BASE: Final = "dc=example,dc=com"
ROOT: Final = f"cn=root,{BASE}"
READER: Final = f"cn=reader,{BASE}"
DOMAIN: Final = bytes.fromhex("010500000000000515000000aabbccdd11223344a1b2c3d4")
PASSWORD: Final = "of the directory, for the tests"

CONFIG: Final = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
# As Active Directory has them: the SID of a primary group is that of its domain, with the number.
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.6 NAME 'securityPrincipal' SUP top AUXILIARY MAY ( objectSid $ primaryGroupID ) )
pidfile {folder}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
{tls}
# Servers exist that say yes to a name with an empty password: this one does.
allow bind_anon_cred bind_anon_dn
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{password}"
directory {folder}
# Few entries at once, and all of them page by page.
limits dn.exact="{reader}" size.soft=20 size.hard=20 size.pr=100 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""
TLS: Final = """
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
"""


@dataclass
class Slapd:
    port: int
    secure_port: int
    log: Path
    ca: Path

    @property
    def starttls(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps(self) -> str:
        return f"ldaps://127.0.0.1:{self.secure_port}"

    @contextmanager
    def root(self) -> Iterator[Any]:
        import ldap

        connection = ldap.initialize(f"ldap://127.0.0.1:{self.port}")
        connection.simple_bind_s(ROOT, PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()

    def person(self, uid: str, **more: str) -> str:
        """Add a person, whose password is PASSWORD, and return the DN."""
        from ldap.dn import escape_dn_chars

        name = more.get("cn", uid)
        dn = f"cn={escape_dn_chars(name)},ou=people,{BASE}"
        self.add(dn, "inetOrgPerson", uid=uid, sn=name, userPassword=PASSWORD, **more)
        return dn

    def group(self, name: str, *members: str) -> str:
        """Add a group, or give it these members, and return the DN."""
        import ldap

        dn = f"cn={name},ou=groups,{BASE}"
        everybody = [each.encode() for each in (ROOT, *members)]  # a group has one member at least
        with self.root() as connection:
            try:
                connection.modify_s(dn, [(ldap.MOD_REPLACE, "member", everybody)])
            except ldap.NO_SUCH_OBJECT:
                added = [("objectClass", [b"groupOfNames"]), ("member", everybody)]
                connection.add_s(dn, added)
        return dn

    def add(self, dn: str, kind: str, **attributes: str) -> None:
        with self.root() as connection:
            connection.add_s(dn, [("objectClass", [kind.encode()]), *encoded(attributes)])

    def principal(self, dn: str, number: int, primary: int | None = None) -> None:
        """Make an entry one of a domain of Active Directory, with the number of its primary group."""
        import ldap

        changes = [(ldap.MOD_ADD, "objectClass", [b"securityPrincipal"])]
        changes.append((ldap.MOD_ADD, "objectSid", [DOMAIN + number.to_bytes(4, "little")]))
        if primary is not None:
            changes.append((ldap.MOD_ADD, "primaryGroupID", [str(primary).encode()]))
        with self.root() as connection:
            connection.modify_s(dn, changes)

    def rename(self, dn: str, cn: str, uid: str) -> str:
        import ldap

        with self.root() as connection:
            connection.rename_s(dn, f"cn={cn}")
            renamed = f"cn={cn},ou=people,{BASE}"
            connection.modify_s(renamed, [(ldap.MOD_REPLACE, "uid", [uid.encode()])])
        return renamed

    def clear(self) -> None:
        """Delete all people and groups."""
        import ldap

        with self.root() as connection:
            for unit in ("people", "groups"):
                place = f"ou={unit},{BASE}"
                for dn, _ in connection.search_s(place, ldap.SCOPE_ONELEVEL, attrlist=["1.1"]):
                    connection.delete_s(dn)


def encoded(attributes: Mapping[str, str]) -> list[tuple[str, list[bytes]]]:
    return [(name, [value.encode()]) for name, value in attributes.items()]


@contextmanager
def slapd(*, tls: bool = True, host: str = "127.0.0.1") -> Iterator[Slapd]:
    """One with a certificate for ``host``, or without StartTLS; with the reader, and no other people."""
    if PROGRAM is None or importlib.util.find_spec("ldap") is None:
        pytest.skip(MISSING)
    with TemporaryDirectory(prefix="headway-slapd-") as name:
        folder = Path(name)
        signs = authority(folder)
        config = folder / "slapd.conf"
        config.write_text(
            CONFIG.format(
                **{"folder": folder, "base": BASE, "root": ROOT, "reader": READER},
                password=PASSWORD,
                tls=tls_lines(signs, host) if tls else "",
            )
        )
        with started(folder, config, signs.ca, tls=tls) as found:
            for dn, kind, more in (
                (BASE, "domain", {"dc": "example"}),
                (READER, "organizationalRole", {}),
                (f"ou=people,{BASE}", "organizationalUnit", {}),
                (f"ou=groups,{BASE}", "organizationalUnit", {}),
            ):
                found.add(dn, kind, **more)
            with found.root() as connection:
                import ldap

                kinds = (ldap.MOD_ADD, "objectClass", [b"simpleSecurityObject"])
                secret = (ldap.MOD_ADD, "userPassword", [PASSWORD.encode()])
                connection.modify_s(READER, [kinds, secret])
            yield found


def tls_lines(signs: Authority, host: str) -> str:
    certificate, key = signs.sign("server", host)
    return TLS.format(ca=signs.ca, certificate=certificate, key=key)


@contextmanager
def started(folder: Path, config: Path, ca: Path, *, tls: bool) -> Iterator[Slapd]:
    assert PROGRAM is not None
    for _ in range(5):  # somebody else may take a port that was free
        ports = free_port(), free_port()
        urls = f"ldap://127.0.0.1:{ports[0]}" + (f" ldaps://127.0.0.1:{ports[1]}" if tls else "")
        with (folder / "log").open("wb") as log:
            command = [PROGRAM, "-f", str(config), "-h", urls, "-d", "stats"]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            if answers(process, ports[0]):
                yield Slapd(*ports, folder / "log", ca)
                return
        finally:
            process.kill()
            process.wait(PATIENCE_S)
    pytest.fail((folder / "log").read_text(errors="replace")[-2_000:])


def answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it listens. Return False if it ended instead."""
    deadline = clock.monotonic() + PATIENCE_S
    while process.poll() is None and clock.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
        except OSError:
            clock.sleep(0.02)
        else:
            return True
    return False
