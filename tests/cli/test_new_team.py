"""docs/new-team.md, followed to the letter: its files are written, its commands run, in their order, by a shell."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from headway import clock
from headway.client import connect
from headway.config import Layout, read_server_file
from tests.api.browser import API, Browser
from tests.cli.conftest import PATIENCE_S, copy_data, headway, start, stop, wait_until
from tests.slapd import BASE, PASSWORD, READER, Slapd, slapd
from tests.tidy.tree import ROOT

pytestmark = pytest.mark.long

DOCUMENT: Final = (ROOT / "docs/new-team.md").read_text("utf-8")
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RULE, DAG, BY_HAND, FILE, FROM_FILE = [text for _, text in BLOCK.findall(DOCUMENT)]
COMMANDS_MAX: Final = 7  # more than that is not "a few minutes"
URI: Final = "postgresql://etl:of-the-warehouse@db.example.org/sales"
SIGN_IN: Final = """
[ldap.company]
label = "Company account"
servers = ["{server}"]
ca-file = "{ca}"
bind-dn = "{reader}"
bind-password-file = "reader"
user-base = "ou=people,{base}"
group-base = "ou=groups,{base}"

"""


@pytest.fixture(scope="module")
def directory() -> Iterator[Slapd]:
    """With Ann, who has joined both teams."""
    with slapd() as found:
        ann = found.person("ann", cn="Ann Lee")
        for team in ("sales", "support"):
            found.group(f"dw-{team}-authors", ann)
        yield found


@pytest.fixture
def place(
    tmp_path: Path, data: Path, directory: Slapd, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A server as the page wants it, and what a newcomer has in hand."""
    copy_data(data, tmp_path)
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    (tmp_path / "reader").write_text(PASSWORD)
    settings = {"server": directory.ldaps, "ca": directory.ca, "reader": READER, "base": BASE}
    (tmp_path / "sign-in.toml").write_text(SIGN_IN.format(**settings) + RULE)
    (tmp_path / "nightly.py").write_text(DAG)
    (tmp_path / "teams.yaml").write_text(FILE)
    (tmp_path / "warehouse.uri").write_text(URI)
    monkeypatch.setenv("HEADWAY_SIGN_IN", str(tmp_path / "sign-in.toml"))
    server = start(tmp_path, "--dags", "teams")
    yield tmp_path
    stop(server)


def follow(place: Path, commands: str) -> list[str]:
    """Run the commands one by one, as somebody who answers no question, and return what each says."""
    lines = commands.splitlines()
    assert len(lines) <= COMMANDS_MAX
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said, began = [], clock.monotonic()
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=place,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout + done.stderr)
    print(f"{len(lines)} commands took {clock.monotonic() - began:.1f} s")
    return said


def works(place: Path, team: str, role: str) -> None:
    """Ann signs in with the password of the directory, starts the team's DAG, and sees its result."""
    running = read_server_file(Layout(place / ".headway"))
    assert running is not None
    browser = Browser(running.url)
    body = {"name": "ann", "password": PASSWORD, "way": "company"}
    entered = browser.ask("POST", f"{API}/session", body)
    assert entered.status == 200, entered.body
    assert {each["name"]: each["role"] for each in entered.json["teams"]}[team] == role
    headers = {"Headway-Team": team}
    started = browser.ask("POST", f"{API}/dags/nightly/runs", {}, headers)
    assert started.status == 201, started.body
    run_id = started.json["run_id"]
    ours = connect(running, team)
    wait_until(lambda: ours.run(run_id).ended_at is not None, "the run does not end")
    (result,) = ours.xcoms(run_id)
    assert (ours.run(run_id).state, result.value) == ("success", "loading from db.example.org")
    ours.close()


def test_a_team_step_by_step(place: Path) -> None:
    said = follow(place, BY_HAND)
    assert "author" in said[1]
    works(place, "sales", "author")


def test_a_team_from_a_file(place: Path) -> None:
    _, plan, made, *_ = follow(place, FROM_FILE)
    expected = [
        "+ team support: title Support, slots 2, weight 2.0, open_runs 500, log_bytes_per_minute 50000000",
        "+ pool mail of support: 1 slots",
        "+ member bob of support: viewer",
    ]
    assert [line for line in plan.splitlines() if line in expected] == expected
    assert "4 changes planned" in plan
    assert "4 changes made" in made
    works(place, "support", "author")

    def dry() -> list[str]:
        return headway("team", "apply", "teams.yaml", "--dry-run", cwd=place).stdout.splitlines()

    again = headway("team", "apply", "teams.yaml", "--yes", cwd=place)
    assert (again.stdout, "nothing to do" in again.stderr) == ("", True)
    headway("team", "set", "support", "--slots", "9", "--limit", "open_runs=default", cwd=place)
    headway("pool", "set", "mail", "3", "--team", "support", cwd=place)
    assert dry() == [
        "~ team support: slots 9 → 2, open_runs None → 500",
        "~ pool mail of support: 3 → 1 slots",
    ]
    assert headway("team", "apply", "teams.yaml", "--yes", cwd=place).returncode == 0
    assert dry() == []
