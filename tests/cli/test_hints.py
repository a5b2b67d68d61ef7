"""Commands in messages: they lead to the team and the data directory that this command line named."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from headway.cli import hints
from headway.cli.options import Data
from headway.cli.teamed import add_team
from tests.cli.conftest import Command, headway, wait_until

SOURCES = Path(__file__).parents[2] / "src" / "headway"


@pytest.fixture(autouse=True)
def nothing_given() -> Iterator[None]:
    hints.forget()
    yield
    hints.forget()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("to list DAGs: headway ls", "to list DAGs: headway ls --team sales --data 'my data'"),
        (
            "headway pool set etl 16; or headway why r1, or headway up",
            "headway pool set --team sales --data 'my data' etl 16; "
            "or headway why --team sales --data 'my data' r1, or headway up --data 'my data'",
        ),
        ("(headway ls)", "(headway ls --team sales --data 'my data')"),
        ("headway ls --team shop", "headway ls --data 'my data' --team shop"),
        (
            "headway ls, or name a team with --team",
            "headway ls --team sales --data 'my data', or name a team with --team",
        ),
        ("headway init NAME", "headway init NAME"),  # it asks no server
        ("my-headway ls, headway nothing, headway pool, the word headway", None),
    ],
)
def test_a_command_gets_the_options_that_it_takes(text: str, said: str | None) -> None:
    assert hints.placed(text) == text
    hints.GIVEN.update({"--team": "sales", "--data": "my data"})
    assert hints.placed(text) == (said or text)
    assert hints.placed(hints.placed(text)) == hints.placed(text)


@pytest.mark.parametrize(
    ("arguments", "environment", "given"),
    [
        (["--team", "sales", "--data", "here"], {}, {"--team": "sales", "--data": "here"}),
        ([], {"HEADWAY_TEAM": "sales", "HEADWAY_DATA": "here"}, {}),
        ([], {}, {}),
    ],
)
def test_what_is_typed_is_kept_and_what_the_environment_says_is_not(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    given: dict[str, str],
) -> None:
    monkeypatch.setenv("HEADWAY_TEAM", "")  # restored afterwards, whatever the command leaves
    monkeypatch.delenv("HEADWAY_TEAM")
    monkeypatch.delenv("HEADWAY_DATA", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()

    @app.command()
    def tell(data: Data = None) -> None:
        assert str(data) in ("here", "None")

    command = get_command(app)
    add_team(command)
    command(arguments, standalone_mode=False)
    assert given == hints.GIVEN


def test_hints_of_a_server_and_of_a_client_name_the_place(cli: Command, home: Path) -> None:
    data = os.path.relpath(home / ".headway", home)
    unknown = cli("show", "nosuch", "--data", data, "--team", "default")
    assert f"headway ls --team default --data {data}" in unknown.stderr, unknown.stderr
    away = headway("ls", "--data", "nowhere", cwd=home)
    assert "start one with headway up --data nowhere," in away.stderr
    run = cli("run", "distant", "--detach", "--data", data)
    assert f"to follow it: headway show --data {data} " in run.stderr
    started = f"headway up --data {data} --queue default --queue gpu"
    # Once a scheduler has seen that no agent serves the queue.
    wait_until(
        lambda: started in cli("why", run.stdout.strip(), "--data", data).stdout,
        "no hint names the queue",
    )
    assert cli("cancel", run.stdout.strip()).returncode == 0


def test_each_command_that_a_text_names_exists() -> None:
    """Texts in quotes, after a colon or in backquotes: what a reader would type."""
    named = re.compile(r"(?:[:(] |(?<!`)`|\(|or |run )headway ([a-z][a-z-]*(?: [a-z][a-z-]*){0,2})")
    missing = {
        f"{file.name}: headway {found[1]}"
        for file in SOURCES.rglob("*.py")
        for found in named.finditer(file.read_text("utf-8"))
        if hints.command_at(f" {found[1]}", 0)[0] is None
    }
    assert missing == set()
