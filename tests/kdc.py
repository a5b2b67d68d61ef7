"""A real KDC of MIT Kerberos, with a realm of its own."""

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from headway import clock
from tests.own_postgres import PATIENCE_S
from tests.ports import free_port

PLACES: Final = f"{os.defpath}:/usr/sbin:/usr/local/sbin"
PROGRAMS: Final = {
    name: shutil.which(name, path=PLACES)
    for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
}
MISSING: Final = "there is no KDC, or no gssapi (Debian: krb5-kdc krb5-admin-server krb5-user)"
REALM: Final = "EXAMPLE.COM"
SKEW_S: Final = 300

CLIENT: Final = """
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
clockskew = {skew_s}
[realms]
{realm} = {{
    kdc = 127.0.0.1:{port}
}}
"""
SERVER: Final = """
[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
    max_life = 60s
}}
[logging]
kdc = FILE:{folder}/log
"""


@dataclass
class Kdc:
    folder: Path
    environment: dict[str, str]

    def principal(self, name: str) -> Path:
        """Add a principal with a random key, and return its keytab."""
        keytab = self.folder / f"{name.replace('/', '-')}.keytab"
        if not keytab.exists():
            self.run("kadmin.local", "-q", f"addprinc -randkey {name}@{REALM}")
            self.run("kadmin.local", "-q", f"ktadd -norandkey -k {keytab} {name}@{REALM}")
        return keytab

    def tickets(self, name: str, life: str = "60s") -> Path:
        """Return a cache with a ticket of this person, renewed if it was there."""
        cache = self.folder / f"{name}.cache"
        keytab = str(self.principal(name))
        self.run("kinit", "-c", str(cache), "-l", life, "-k", "-t", keytab, name)
        return cache

    def exact(self) -> Path:
        """Return a configuration by which tickets are over at the second that they say, not minutes later."""
        strict = self.folder / "strict.conf"
        text = (self.folder / "krb5.conf").read_text()
        strict.write_text(text.replace(f"clockskew = {SKEW_S}", "clockskew = 1"))
        return strict

    def run(self, program: str, *words: str) -> None:
        path = PROGRAMS[program]
        assert path is not None
        done = subprocess.run(
            [path, *words], env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def kdc() -> Iterator[Kdc]:
    if None in PROGRAMS.values() or importlib.util.find_spec("gssapi") is None:
        pytest.skip(MISSING)
    with TemporaryDirectory(prefix="headway-kdc-") as name:
        folder = Path(name)
        environment = {
            "PATH": PLACES,
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5RCACHENAME": f"dfl:{folder}/replays",
            "LANG": "C",
        }
        made = Kdc(folder, environment)
        configure(made, free_port())
        made.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of the tests")
        with started(made):
            yield made


def configure(made: Kdc, port: int) -> None:
    values = {"realm": REALM, "port": port, "folder": made.folder, "skew_s": SKEW_S}
    (made.folder / "krb5.conf").write_text(CLIENT.format(**values))
    (made.folder / "kdc.conf").write_text(SERVER.format(**values))


@contextmanager
def started(made: Kdc) -> Iterator[None]:
    program = PROGRAMS["krb5kdc"]
    assert program is not None
    for _ in range(5):  # somebody else may take a port that was free
        port = free_port()
        configure(made, port)
        process = subprocess.Popen(
            [program, "-n", "-r", REALM],
            env=made.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if answers(process, port):
                yield
                return
        finally:
            process.kill()
            process.wait(PATIENCE_S)
    pytest.fail((made.folder / "log").read_text(errors="replace")[-2_000:])


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
