"""``headway question``, ``headway answer`` and ``headway link``, against a real server."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.cli.conftest import Command, wait_for_dag, wait_until

DAG = """
from headway import Param, approve, ask, choose, dag

@dag
def asking():
    approve("sign", subject="Release it?", body="Version **7**.\\n\\n- 3 tables")
    choose("size", subject="Which cluster?", options=["small one", "large one"])
    ask("amount", subject="How much?", params={"percent": Param(5, type="integer", maximum=100)})

asking()
"""


@pytest.fixture(scope="module")
def asking(home: Path) -> None:
    (home / "dags" / "asking.py").write_text(DAG)
    wait_for_dag(home / ".headway", "asking")


@pytest.fixture
def run(cli: Command, asking: None) -> str:
    """A run whose three tasks ask."""
    started = cli("run", "asking", "--detach")
    assert started.returncode == 0, started.stderr
    run_id = started.stdout.split()[-1]
    wait_until(lambda: len(questions(cli, run_id)) == 3, "the tasks did not ask")
    return run_id


def questions(cli: Command, run_id: str) -> list[dict[str, object]]:
    done = cli("question", "ls", "--run", run_id, "--output", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_open_questions_are_listed_and_shown_with_the_command_that_answers(
    cli: Command, run: str
) -> None:
    table = cli("question", "ls", "--dag", "asking").stdout
    assert "Release it?" in table
    assert "Approve | Reject" in table
    assert json.loads(cli("question", "ls", "--dag", "hello", "--output", "json").stdout) == []
    shown = cli("answer", run, "sign").stdout.splitlines()
    assert shown[:4] == ["Release it?", "  Version **7**.", "  ", "  - 3 tables"]
    assert shown[-2:] == [
        f"to answer: headway answer {run[:6]} sign Approve",
        f"to answer: headway answer {run[:6]} sign Reject",
    ]
    assert cli("answer", run, "size").stdout.splitlines()[-1].endswith("size 'large one'")
    assert "-p percent=…  integer, default 5" in cli("answer", run, "amount").stdout


def test_questions_are_answered_once(cli: Command, run: str) -> None:
    done = cli("answer", run, "sign", "approve")  # the option whatever its case
    assert (done.returncode, done.stdout) == (0, "")
    assert f"answered sign of run {run}: Approve; it is success" in done.stderr
    again = cli("answer", run, "sign", "Reject")
    assert (again.returncode, "has an answer" in again.stderr) == (2, True)
    asked = cli("answer", run, "sign")
    assert (asked.returncode, "headway question ls" in asked.stderr) == (2, True)
    wrong = cli("answer", run, "size", "medium")
    assert (wrong.returncode, "small one" in wrong.stderr) == (2, True)
    too_much = cli("answer", run, "amount", "-p", "percent=500")
    assert (too_much.returncode, "at most 100" in too_much.stderr) == (2, True)
    assert cli("answer", run, "amount", "-p", "percent=20").returncode == 0
    assert [each["task_id"] for each in questions(cli, run)] == ["size"]


def test_a_link_answers_one_question_until_it_is_revoked(cli: Command, run: str) -> None:
    made = cli("link", "create", run, "--task", "sign", "--to", "ann@acme.example", "--for", "2h")
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    assert "/question#hwa_" in url
    assert "ann@acme.example can answer the question of sign" in made.stderr
    link_id = made.stderr.split()[-1]
    listed = cli("link", "ls").stdout
    assert "ann@acme.example" in listed
    assert url.partition("#")[2] not in listed  # it is shown once

    nobody = cli("link", "create", run, "--task", "sign")
    assert (nobody.returncode, "recipient" in nobody.stderr) == (2, True)
    site, _, secret = url.partition("/question#")
    assert linked(site, "linked-question", {"token": secret})["subject"] == "Release it?"
    answer = {"token": secret, "chosen_options": ["Approve"], "params_input": {}}
    assert linked(site, "linked-answer", answer)["yours"] == ["Approve"]
    assert "sign" not in [each["task_id"] for each in questions(cli, run)]
    revoked = cli("link", "revoke", link_id)
    assert (revoked.returncode, revoked.stderr.startswith("revoked the link")) == (0, True)
    gone = cli("link", "create", run, "--task", "sign", "--to", "ann@acme.example")
    assert (gone.returncode, "asks nothing now" in gone.stderr) == (2, True)


def linked(site: str, path: str, body: Mapping[str, object]) -> dict[str, object]:
    """What somebody without an account gets who has the link."""
    headers = {"content-type": "application/json"}
    request = Request(f"{site}/api/v1/{path}", json.dumps(body).encode(), headers)
    with urlopen(request) as response:
        found: dict[str, object] = json.load(response)
    return found
