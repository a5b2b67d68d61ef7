"""Kerberos tickets of tasks, against a real KDC: a task that takes longer than its ticket still proves who it is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway.client import client_of
from headway.config import Layout
from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag
from tests.kdc import PLACES, Kdc, kdc

pytestmark = pytest.mark.long

LIFE_S = 6
SERVICE = "hdfs/localhost"
DAG = """
import base64
import os
import shutil
import time
from pathlib import Path

from headway import dag, task


def proof(cache: str) -> str:
    import gssapi

    name = gssapi.Name({service!r}, gssapi.NameType.kerberos_principal)
    mine = gssapi.Credentials(usage="initiate", store={{"ccache": cache}})
    context = gssapi.SecurityContext(name=name, creds=mine, usage="initiate")
    return base64.b64encode(context.step()).decode()


def left_s(cache: str) -> float:
    import gssapi

    try:
        return gssapi.Credentials(usage="initiate", store={{"ccache": cache}}).lifetime or 0
    except gssapi.exceptions.ExpiredCredentialsError:
        return 0


@dag()
def long_one():
    @task
    def work() -> dict[str, str]:
        cache = os.environ["KRB5CCNAME"]
        kept = Path("first").absolute()
        shutil.copy(cache.removeprefix("FILE:"), kept)
        first = proof(cache)
        while left_s(f"FILE:{{kept}}"):  # longer than the ticket with which it began
            time.sleep(0.2)
        while not left_s(cache):  # a renewer that the machine holds up
            time.sleep(0.2)
        return {{"first": first, "later": proof(cache), "mode": oct(os.stat(cache[5:]).st_mode & 0o777)}}

    work()
"""
ACCEPT = """
import base64, sys
import gssapi

context = gssapi.SecurityContext(usage="accept")
context.step(base64.b64decode(sys.argv[1]))
print(context.initiator_name)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Kdc]:
    with kdc() as found:
        yield found


@pytest.fixture
def folder(
    tmp_path: Path, data: Path, made: Kdc, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    copy_data(data, tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "dag.py").write_text(DAG.format(service=SERVICE))
    made.principal(SERVICE)
    short = made.exact()
    short.write_text(
        short.read_text().replace("[realms]", f"ticket_lifetime = {LIFE_S}s\n[realms]", 1)
    )
    keytabs = tmp_path / "keytabs"
    keytabs.mkdir()
    (keytabs / "default.keytab").write_bytes(made.principal("batch").read_bytes())
    monkeypatch.setenv("KRB5_CONFIG", str(short))
    monkeypatch.setenv("HEADWAY_KEYTABS", str(keytabs))
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    server = start(tmp_path)
    wait_for_dag(tmp_path / ".headway", "long_one")
    yield tmp_path
    stop(server)


def who(made: Kdc, proof: str) -> str:
    """Return who a service takes the bearer of a proof for."""
    environment = {
        **os.environ,
        **made.environment,
        "PATH": PLACES,
        "KRB5_KTNAME": str(made.principal(SERVICE)),
        "KRB5RCACHENAME": "none:",
    }
    done = subprocess.run(
        [sys.executable, "-c", ACCEPT, proof],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_a_task_that_takes_longer_than_its_ticket_still_authenticates(
    folder: Path, made: Kdc
) -> None:
    done = headway("run", "long_one", "-o", "json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(client_of(Layout(folder / ".headway"))) as client:
        (run,) = client.runs(1, dag_id="long_one")
        (result,) = client.xcoms(run.run_id)
    assert result.value["mode"] == "0o600"
    for name in ("first", "later"):
        assert who(made, result.value[name]) == "batch@EXAMPLE.COM"
