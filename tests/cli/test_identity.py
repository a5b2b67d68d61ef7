"""Users, tokens and links on the command line."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from headway.config import Layout, read_server_file
from tests.cli.conftest import PATIENCE_S, Command


def test_whoever_has_the_data_directory_is_its_admin(cli: Command) -> None:
    done = cli("whoami", "--output", "json")
    assert (done.returncode, json.loads(done.stdout)["role"]) == (0, "admin"), done.stderr


def test_open_prints_an_address_that_signs_in_once(cli: Command, home: Path) -> None:
    done = cli("open")
    url = done.stdout.strip()
    assert done.returncode == 0, done.stderr
    server = read_server_file(Layout(home / ".headway"))
    assert server is not None
    assert url.startswith(f"{server.url}/login#")
    assert [sign_in(url), sign_in(url)] == [200, 401]


def sign_in(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    body = json.dumps({"token": parts.fragment})
    connection.request("POST", "/api/v1/session/link", body, {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_user_and_a_token_of_theirs(cli: Command, home: Path) -> None:
    made = cli("user", "create", "ann", "--role", "operator", "--name", "Ann A.")
    assert (made.returncode, "/login#" in made.stdout) == (0, True), made.stderr
    assert cli("user", "create", "ann").returncode == 2
    token = cli("token", "create", "ci", "--user", "ann", "--role", "viewer").stdout.strip()
    assert token.startswith("hwt_")
    who = with_token(home, token, "whoami", "--output", "json")
    shown = json.loads(who.stdout)
    assert (shown["user"]["name"], shown["role"]) == ("ann", "viewer")
    assert with_token(home, token, "pause", "hello").returncode == 3
    (listed,) = json.loads(cli("token", "ls", "--output", "json").stdout)
    assert cli("token", "revoke", listed["id"]).returncode == 0
    refused = with_token(home, token, "ls")
    assert (refused.returncode, "you are not signed in" in refused.stderr) == (3, True)
    assert "ann" in cli("user", "ls").stdout
    assert "was removed from this team" in cli("user", "remove", "ann").stderr
    assert "ann" not in cli("user", "ls").stdout
    assert cli("user", "remove", "ann").returncode == 2
    assert (
        "ann now has role operator in this team"
        in cli("user", "add", "ann", "--role", "operator").stderr
    )
    assert cli("user", "add", "ann").returncode == 2
    assert cli("user", "remove", "admin").returncode == 2
    assert cli("user", "disable", "ann").returncode == 0
    assert json.loads(cli("user", "ls", "--output", "json").stdout)[1]["disabled_at"] is not None


def with_token(home: Path, token: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """From another directory: only address and token tell which server is meant."""
    server = read_server_file(Layout(home / ".headway"))
    assert server is not None
    return subprocess.run(
        [sys.executable, "-m", "headway", *arguments],
        cwd="/",
        env={**os.environ, "NO_COLOR": "1", "HEADWAY_URL": server.url, "HEADWAY_TOKEN": token},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_audit_tells_who_asked_for_what(cli: Command) -> None:
    cli("pool", "set", "audited", "3")
    listed = cli("audit", "--action", "pools.set_pool", "--output", "json")
    (latest, *_) = json.loads(listed.stdout)
    assert (latest["actor"], latest["action"]) == ("user:admin", "pools.set_pool")
    exported = cli("audit", "--export", "-").stdout.splitlines()
    assert latest["seq"] in [json.loads(line)["seq"] for line in exported]
    checked = cli("audit", "--check")
    assert (checked.returncode, "entries verified, none changed" in checked.stderr) == (0, True)
