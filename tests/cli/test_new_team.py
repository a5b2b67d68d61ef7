"""A new team from zero, as the documents say: its people from a directory, a secret and a DAG."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headway.client import connect
from headway.config import Layout, read_server_file
from tests.api.browser import API, Browser
from tests.cli.conftest import PATIENCE_S, copy_data, headway, start, stop, wait_until
from tests.slapd import BASE, PASSWORD, READER, slapd

DAG = """
from headway import connection, dag, task


@dag()
def nightly():
    @task
    def load() -> str:
        warehouse = connection("warehouse")
        assert warehouse.password == "of the warehouse"
        return warehouse.host

    load()
"""
SIGN_IN = """
[ldap.company]
label = "Company account"
servers = ["{server}"]
ca-file = "{ca}"
bind-dn = "{reader}"
bind-password-file = "reader"
user-base = "ou=people,{base}"
group-base = "ou=groups,{base}"

[[rule]]
group = "dw-{{team}}-authors"
grant = "{{team}}:author"
"""
TEAMS = "teams:\n  sales: {title: Sales, slots: 4, pools: {default: 8}}\n"


def secret(folder: Path, team: str) -> None:
    words = ["conn", "set", "warehouse", "--type", "postgres", "--host", team, "--password"]
    done = subprocess.run(
        [sys.executable, "-m", "headway", *words, "--team", team],
        cwd=folder,
        input="of the warehouse",
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr


def test_a_team_with_people_of_a_directory_secrets_and_a_dag(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_data(data, tmp_path)
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    (tmp_path / "teams.yaml").write_text(TEAMS)
    (tmp_path / "reader").write_text(PASSWORD)
    with slapd() as directory:
        ann = directory.person("ann", cn="Ann Lee")
        file = tmp_path / "sign-in.toml"
        file.write_text(
            SIGN_IN.format(server=directory.ldaps, ca=directory.ca, reader=READER, base=BASE)
        )
        monkeypatch.setenv("HEADWAY_SIGN_IN", str(file))
        server = start(tmp_path, "--dags", "teams")
        try:
            applied = headway("team", "apply", "teams.yaml", "--yes", cwd=tmp_path)
            assert applied.returncode == 0, applied.stderr
            created = headway("team", "create", "support", "--slots", "2", cwd=tmp_path)
            assert created.returncode == 0, created.stderr
            for team in ("sales", "support"):
                directory.group(f"dw-{team}-authors", ann)
                asked = ("team", "who-may", team, "--directory", "company", "--user", "ann")
                told = headway(*asked, cwd=tmp_path)
                assert (told.returncode, "author" in told.stdout) == (0, True), told.stderr
                secret(tmp_path, team)
                (tmp_path / "teams" / team).mkdir()
                (tmp_path / "teams" / team / "nightly.py").write_text(DAG)
            works_for(tmp_path, "sales")
            works_for(tmp_path, "support")
        finally:
            stop(server)


def works_for(folder: Path, team: str) -> None:
    """Ann signs in with the password of the directory, starts the team's DAG, and sees its result."""
    running = read_server_file(Layout(folder / ".headway"))
    assert running is not None
    ours = connect(running, team)
    wait_until(
        lambda: any(dag.dag_id == "nightly" for dag in ours.dags()), f"{team} has no DAG yet"
    )
    browser = Browser(running.url)
    body = {"name": "ann", "password": PASSWORD, "way": "company"}
    entered = browser.ask("POST", f"{API}/session", body)
    assert entered.status == 200, entered.body
    assert {each["name"]: each["role"] for each in entered.json["teams"]}[team] == "author"
    headers = {"Headway-Team": team}
    started = browser.ask("POST", f"{API}/dags/nightly/runs", {}, headers)
    assert started.status in (200, 201), started.body
    run_id = started.json["run_id"]
    wait_until(lambda: ours.run(run_id).ended_at is not None, "the run does not end")
    assert ours.run(run_id).state == "success"
    ours.close()
