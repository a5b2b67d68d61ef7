"""docs/isolation.md: what code of a team reaches, cell by cell, with real processes of real users."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import pytest

from headway import clock, wire
from headway.client import Client, connect
from headway.config import Layout, read_server_file
from headway.up.isolation import UIDS, out_of_reach
from tests.kdc import PROGRAMS, Kdc, kdc
from tests.tidy.tree import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts processes of other users"),
]

PATIENCE_S: Final = 90.0
TEAM, OTHER, ORDINARY = UIDS[1], UIDS[2], 65534
KERBEROS: Final = ("the team's Kerberos tickets", "the team's keytab")
HAS_KDC: Final = None not in PROGRAMS.values() and find_spec("gssapi") is not None
DOCUMENT: Final = (ROOT / "docs/isolation.md").read_text("utf-8").partition("in a pod")[0]

# Tries each thing and says what it got: "open" or "closed".
PROBE: Final = """
import json, os, socket, sys

def attempt(kind, place):
    if kind == "list":
        os.listdir(place)
    elif kind == "read":
        open(place, "rb").read(1)
    elif kind == "memory":
        open(place, "rb").seek(0)
    elif kind == "change":
        os.chmod(os.path.dirname(place), 0o755)
        os.chmod(place, 0o644)
        open(place, "ab").close()
    elif kind == "connect":
        socket.socket(socket.AF_UNIX).connect(place)
    elif kind == "signal":
        os.kill(int(place), 0)

def probe(asked):
    found = {}
    for name, tries in asked.items():
        got = set()
        for kind, place in tries:
            try:
                attempt(kind, place)
                got.add("open")
            except OSError:
                got.add("closed")
        found[name] = " and ".join(sorted(got))
    return found
"""
DAG: Final = f"""
{PROBE}
import time
from headway import dag, task

ASKED = os.environ.get("ASKED", "")
if os.path.exists(ASKED + "/import"):
    with open(ASKED + "/import") as asked:
        said = probe(json.load(asked))
    with open(os.environ["SAID"] + "/import", "w") as file:
        json.dump(said, file)

@dag
def large():
    @task
    def result():
        print("a line for the log")
        return "x" * 200_000
    result()

@dag
def probes():
    @task
    def look():
        with open(ASKED + "/task") as asked:
            said = probe(json.load(asked))
        with open(os.environ["SAID"] + "/task", "w") as file:
            json.dump(said, file)
    look()

@dag
def waits():
    @task
    def wait():
        print("a log that is not finished")
        with open(os.environ["SAID"] + "/pid", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    wait()

large()
probes()
waits()
"""


@dataclass
class Installation:
    folder: Path
    python: Path
    process: subprocess.Popen[str]
    uid: int = 0

    @property
    def user(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.uid, "extra_groups": []}

    @property
    def layout(self) -> Layout:
        return Layout(self.folder / ".headway")

    @cached_property
    def client(self) -> Client:
        server = read_server_file(self.layout)
        assert server is not None
        return connect(server)

    def components(self) -> dict[str, int]:
        """Their pids by module, and the server's own."""
        found = {"up": self.process.pid}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words = (place / "cmdline").read_bytes().decode().split("\0")
                parent = int((place / "stat").read_text().rpartition(") ")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and "headway.up.tether" in words:
                found[words[words.index("headway.up.tether") + 3]] = int(place.name)
        return found


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that all users can enter."""
    folder = Path(mkdtemp(prefix="headway-isolation-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def python(place: Path) -> Path:
    """An interpreter of ours that all users can start."""
    layout = Layout(place)
    layout.agents.mkdir(exist_ok=True)
    layout.agents.chmod(0o711)
    if not out_of_reach(layout, TEAM):
        return Path(sys.executable)
    version = f"python3.{sys.version_info.minor}"
    system = shutil.which(version, path=os.defpath)
    if system is None:
        pytest.skip(f"Python is out of reach for other users, and the system has no {version}")
    subprocess.run([system, "-m", "venv", "--without-pip", str(place / "venv")], check=True)
    packages = place / "venv/lib" / version / "site-packages"
    (packages / "ours.pth").write_text(f"{ROOT / 'src'}\n{sysconfig.get_path('purelib')}\n")
    return place / "venv/bin/python"


@pytest.fixture(scope="module")
def tickets(place: Path) -> Iterator[Kdc | None]:
    """A KDC whose settings all users can read. None: there is none here, and its rows are not looked at."""
    if not HAS_KDC:
        yield None
        return
    with kdc() as made:
        shutil.copy(made.folder / "krb5.conf", place)
        yield made


def with_keytab(made: Kdc, folder: Path, owner: int) -> dict[str, str]:
    """Put a keytab for the team where its agent finds it. Returns what the server is told."""
    keytab = folder / "keytabs/default.keytab"
    keytab.parent.mkdir()
    shutil.copy(made.principal("batch"), keytab)
    os.chown(keytab, owner, owner)
    keytab.chmod(0o400)
    return {
        "HEADWAY_KEYTABS": str(keytab.parent),
        "KRB5_CONFIG": str(folder.parent / "krb5.conf"),
    }


@contextmanager
def installed(
    place: Path,
    python: Path,
    uid: int,
    *options: str,
    ships: bool = False,
    tickets: Kdc | None = None,
) -> Iterator[Installation]:
    """``ships``: it has a log store, a folder beside its data."""
    folder = place / f"of-{uid}-{len(options)}-{ships}"
    store = ["--log-store", f"file://{folder}/store"] if ships else []
    for part in ("dags", "asked", "said"):
        (folder / part).mkdir(parents=True)
    for path in (folder, folder / "dags", folder / "asked"):
        os.chown(path, uid, uid)
    (folder / "said").chmod(0o777)
    (folder / "dags/probes.py").write_text(DAG)
    personal = {"ASKED": str(folder / "asked"), "SAID": str(folder / "said"), "HOME": str(folder)}
    if tickets is not None:
        personal |= with_keytab(tickets, folder, uid or TEAM)
    process = subprocess.Popen(
        [str(python), "-m", "headway", "up", "--port", "0", *options, *store],
        cwd=folder, env={**os.environ, **personal, "CANARY_PASSWORD": "canary-7f3a"},
        user=uid, group=uid, extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        one = Installation(folder, python, process, uid)
        yield one
        if "client" in vars(one):
            one.client.close()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()


def wait_for(path: Path, process: subprocess.Popen[str]) -> str:
    deadline = clock.monotonic() + PATIENCE_S
    while not path.exists() or not path.read_text():
        assert clock.monotonic() < deadline, f"{path} did not appear"
        assert process.poll() is None, process.communicate()[0]
        clock.sleep(0.05)
    return path.read_text()


def loaded(one: Installation) -> None:
    wait_for(one.layout.server, one.process)
    all_loaded(one.client)


def all_loaded(client: Client) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while len(client.dags()) < 3:
        assert clock.monotonic() < deadline, client.import_errors()
        clock.sleep(0.1)


def finished(one: Installation, dag_id: str) -> str:
    return ended(one.client, dag_id)


def ended(client: Client, dag_id: str) -> str:
    run = client.trigger(dag_id, wire.TriggerRequest())
    deadline = clock.monotonic() + PATIENCE_S
    while (state := client.run(run.run_id).state) not in ("success", "failed"):
        assert clock.monotonic() < deadline, state
        clock.sleep(0.05)
    assert state == "success", client.log(run.run_id, "look")
    return run.run_id


def shipped(one: Installation, run_id: str) -> Path:
    """The log of a run in the log store, which is a folder."""
    log = one.folder / "store/default" / run_id / "result/-1/1.log"
    wait_for(log, one.process)
    return log


def spooled(one: Installation) -> Path:
    """The log of the task that waits, on its way to the log store."""
    folders = (one.layout.spool, one.layout.team_spools / "default")
    deadline = clock.monotonic() + PATIENCE_S
    while not (found := [log for each in folders for log in each.glob("*!wait!*")]):
        assert clock.monotonic() < deadline, "it is not in the spool"
        clock.sleep(0.05)
    return found[0]


def things(one: Installation) -> dict[str, list[tuple[str, str]]]:
    """What there is to reach, by the words of the table, after a run and while a task waits."""
    loaded(one)
    run_id = finished(one, "large")
    stored = shipped(one, run_id)
    backup = subprocess.run(
        [str(one.python), "-m", "headway", "backup"], cwd=one.folder, capture_output=True, text=True, check=True,
        **one.user,
    ).stdout.strip()  # fmt: skip
    one.client.trigger("waits", wire.TriggerRequest())
    task = wait_for(one.folder / "said/pid", one.process)
    layout, parts = one.layout, one.components()
    agent = parts.pop("headway.agent")
    (bundle,) = (path for path in (layout.data / "bundles").iterdir() if path.is_dir())
    (socket,) = layout.data.glob("*/gateway.sock")
    assert len(parts) == 4
    on_its_way = spooled(one)
    everyone = [*parts.values(), agent]
    kerberos = dict(zip(KERBEROS, of_kerberos(one), strict=True)) if HAS_KDC else {}
    return kerberos | {
        "the server's token": [
            ("read", f"{layout.run}/token"), ("read", f"{layout.server}"), ("read", f"{layout.lock}"),
            ("list", f"{layout.run}"),
        ],
        "the socket of the database": [("connect", f"{layout.data}/postgres/.s.PGSQL.5432")],
        "the environment of server": [("read", f"/proc/{pid}/environ") for pid in everyone],
        "the memory of server": [("memory", f"/proc/{pid}/mem") for pid in everyone],
        "signals to server": [("signal", str(pid)) for pid in parts.values()],
        "signals to the team's agent": [("signal", str(agent))],
        "the gateway's socket": [("connect", str(socket))],
        "the logs of the server": [
            ("list", f"{layout.server_logs}"), ("read", f"{layout.server_logs}/scheduler.log")
        ],
        "the team's bundle, to read": [("read", f"{bundle}/probes.py"), ("list", f"{bundle}")],
        "the team's bundle, to change": [("change", f"{bundle}/probes.py")],
        "the contents of all bundles": [("list", f"{layout.data}/blobs")],
        "the team's task logs": [("read", f"{layout.logs}/{run_id}/result/-1/1.log")],
        "the team's logs on their way": [("list", f"{on_its_way.parent}"), ("read", f"{on_its_way}")],
        "the log store": [("read", f"{stored}"), ("list", f"{stored.parents[3]}")],
        "the key of the secrets": [("read", f"{layout.data}/secrets.key")],
        "the backups": [("read", backup)],
        "the team's large results": [("read", f"{layout.xcom}/{run_id}/result/-1-1.json")],
        "the environment of the team's tasks": [("read", f"/proc/{task}/environ")],
        "signals to the team's tasks": [("signal", task)],
    }  # fmt: skip


def of_kerberos(one: Installation) -> list[list[tuple[str, str]]]:
    """The cache of the team's tickets, which is in a folder of its user, and the keytab from which they are."""
    layout = one.layout
    (cache,) = (*layout.agents.glob("*/tickets/*"), *layout.run.glob("tickets/*"))
    return [
        [("read", f"{cache}"), ("list", f"{cache.parent}")],
        [("read", f"{one.folder}/keytabs/default.keytab")],
    ]


def table(column: int) -> dict[str, str]:
    """The column of the document, by the beginning of its rows."""
    rows = re.findall(r"^\| (?!what|-)(.*) \|$", DOCUMENT, re.MULTILINE)
    found = {cells[0]: cells[column] for cells in (row.split(" | ") for row in rows)}
    return {row: cell for row, cell in found.items() if HAS_KDC or not row.startswith(KERBEROS)}


def by_row(found: dict[str, str], column: int) -> dict[str, str]:
    """What was found, by the rows of the document."""
    rows = table(column)
    names = {row: [name for name in found if row.startswith(name)] for row in rows}
    assert all(len(known) == 1 for known in names.values()), names
    assert len(rows) == len(found)
    return {row: found[name] for row, (name,) in names.items()}


def ask(one: Installation, who: str, asked: dict[str, Any]) -> None:
    draft = one.folder / "asked" / f"{who}.new"
    draft.write_text(json.dumps(asked))
    draft.rename(one.folder / "asked" / who)


def said(one: Installation, who: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(wait_for(one.folder / "said" / who, one.process))
    return found


def test_teams_are_isolated_by_their_users(place: Path, python: Path, tickets: Kdc | None) -> None:
    with installed(place, python, 0, "--isolate", ships=True, tickets=tickets) as one:
        asked = things(one)
        ask(one, "task", asked)
        finished(one, "probes")
        assert by_row(said(one, "task"), 2) == table(2)

        ask(one, "import", asked)
        (one.folder / "dags/probes.py").write_text(f"{DAG}\n# again")
        assert by_row(said(one, "import"), 3) == table(3)

        program = f"{PROBE}\nprint(json.dumps(probe(json.loads(sys.stdin.read()))))"
        other = subprocess.run(
            [str(python), "-I", "-c", program], input=json.dumps(asked), capture_output=True, text=True,
            check=True, cwd="/", user=OTHER, group=OTHER, extra_groups=[],
        )  # fmt: skip
        assert by_row(json.loads(other.stdout), 1) == table(1)

        run_id = finished(one, "large")
        stored, local = shipped(one, run_id), one.layout.logs / run_id / "result/-1/1.log"
        text = stored.read_bytes()
        assert text.endswith(b"a line for the log\n")
        assert text == local.read_bytes()
        shutil.rmtree(local.parents[2])
        assert shown(one, run_id).encode() == text, "it is read from the store"

        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in one.components().values()}
        status = Path(f"/proc/{one.components()['headway.agent']}/status").read_text()
        assert re.search(rf"^Uid:\s+{TEAM}\s+{TEAM}\s+{TEAM}", status, re.MULTILINE)
        assert len(owners) >= 1
        doctor = subprocess.run(
            [str(python), "-m", "headway", "doctor"], cwd=one.folder, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert "each team has a user id of its own" in doctor.stdout


def test_a_log_that_leads_elsewhere_is_not_shown(place: Path, python: Path) -> None:
    """The server reads as root what a team may have replaced by a link."""
    with installed(place, python, 0, "--isolate", "--slots", "2") as one:
        loaded(one)
        run_id = finished(one, "large")
        log = one.layout.logs / run_id / "result/-1/1.log"
        secret = one.layout.run / "token"
        log.unlink()
        log.symlink_to(secret)
        assert secret.read_text() not in shown(one, run_id)
        log.unlink()
        os.mkfifo(log)
        assert shown(one, run_id) == ""
        shutil.rmtree(log.parent)
        (one.folder / "said/1.log").write_text("elsewhere")
        log.parent.symlink_to(one.folder / "said")
        assert "elsewhere" not in shown(one, run_id)


def shown(one: Installation, run_id: str) -> str:
    from headway.errors import HeadwayError

    try:
        return one.client.log(run_id, "result")[0].decode()
    except HeadwayError:
        return ""


def test_one_user_for_all(place: Path, python: Path, tickets: Kdc | None) -> None:
    """An ordinary user: all that is closed is what the kernel hides of our own processes."""
    with installed(place, python, ORDINARY, ships=True, tickets=tickets) as one:
        ask(one, "task", things(one))
        finished(one, "probes")
        assert by_row(said(one, "task"), 4) == table(4)


def test_isolation_that_is_not_possible_is_refused(place: Path, python: Path) -> None:
    with installed(place, python, ORDINARY, "--isolate") as one:
        output, _ = one.process.communicate(timeout=PATIENCE_S)
    assert one.process.returncode != 0
    assert "teams cannot be isolated from each other: Headway does not run as root" in output
