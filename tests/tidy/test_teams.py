"""Which team, if nobody says? One place answers: ``headway.config.TEAM``, which only ``headway up`` asks."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import dotted, name, nodes, source_files

ANSWERS: Final = "src/headway/config.py"
APART: Final = "src/headway/up/apart.py"  # the same, for components that run by themselves
ASKS: Final = "src/headway/up/supervisor.py"


def guesses(file: Path) -> Iterator[str]:
    """Places that name a team by themselves: the default one, or one by a literal."""
    for node in nodes(file):
        match node:
            case ast.Attribute() if dotted(node) in {"teams.DEFAULT", "config.TEAM"}:
                yield f"{name(file)}:{node.lineno} {dotted(node)}"
            case ast.Name(id="TEAM") if name(file) == ANSWERS:
                yield f"{name(file)}:{node.lineno} TEAM"
            case ast.ImportFrom(module="headway.config") if "TEAM" in {n.name for n in node.names}:
                yield f"{name(file)}:{node.lineno} imports TEAM"
            case ast.keyword(arg="team" | "team_id", value=ast.Constant(value="default" | 1)):
                yield f"{name(file)}:{node.value.lineno} names a team"
            case ast.Call(args=[ast.Constant(value="--team"), *_], keywords=given):
                if any(each.arg == "default" for each in given):
                    yield f"{name(file)}:{node.lineno} --team has a default"


def test_only_the_supervisor_asks_which_team_is_meant_when_nobody_says() -> None:
    found = [place.partition(":")[0] for file in source_files() for place in guesses(file)]
    assert found == [ANSWERS, APART, ASKS]


@pytest.mark.parametrize(
    "text",
    [
        "door.of(teams.DEFAULT)",
        "connect(config.TEAM)",
        "from headway.config import TEAM",
        "Run(team_id=1)",
        "Settings(team='default')",
        "parser.add_argument('--team', default=x)",
    ],
)
def test_a_guess_is_seen(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "planted.py"
    file.write_text(text)
    monkeypatch.setattr("tests.tidy.tree.ROOT", tmp_path)
    assert list(guesses(file))
