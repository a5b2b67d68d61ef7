"""``headway team apply``: the plan first, then the changes, and nothing the second time."""

from pathlib import Path

import pytest

from headway.cli import team_file
from headway.core.roles import Role
from headway.errors import UsageError
from tests.cli.conftest import Command

FILE = """
teams:
  growth:
    title: Growth
    slots: 40
    weight: 2
    limits: {open_runs: 500, running_tasks: null}
    members: {dora: admin, emil: viewer}
    pools: {default: 64, etl: 4}
    asks: {quiet: {nightly: [start, see_runs]}}
  quiet:
"""
PLAN = """\
+ team growth: title Growth, slots 40, weight 2.0, open_runs 500
+ pool default of growth: 64 slots
+ pool etl of growth: 4 slots
+ member dora of growth: admin
+ member emil of growth: viewer
+ team quiet: default settings
+ ask: may growth see the runs of nightly of quiet?
+ ask: may growth start nightly of quiet?
"""


def test_the_plan_then_the_changes_then_nothing(cli: Command, tmp_path: Path) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text(FILE)
    for user in ("dora", "emil", "fay"):
        assert cli("user", "create", user).returncode == 0
    shown = cli("team", "apply", str(file), "--dry-run")
    assert (shown.returncode, shown.stdout) == (0, PLAN), shown.stderr
    assert "not in the file, and left alone: default" in shown.stderr
    assert "growth" not in cli("team", "ls").stdout
    unsure = cli("team", "apply", str(file))
    assert (unsure.returncode, "add --yes, or --dry-run" in unsure.stderr) == (2, True)
    done = cli("team", "apply", str(file), "--yes")
    assert (done.returncode, done.stdout) == (0, PLAN), done.stderr
    again = cli("team", "apply", str(file), "--yes")
    assert (again.stdout, "nothing to do" in again.stderr) == ("", True)

    cli("user", "add", "fay", "--team", "growth")
    cli("user", "role", "emil", "author", "--team", "growth")
    cli("pool", "set", "etl", "9", "--team", "growth")
    cli("team", "set", "growth", "--weight", "default", "--limit", "running_tasks=7")
    drift = cli("team", "apply", str(file), "--dry-run").stdout
    assert drift.splitlines() == [
        "~ team growth: weight 1.0 → 2.0, running_tasks 7 → None",
        "~ pool etl of growth: 9 → 4 slots",
        "~ member emil of growth: author → viewer",
        "- member fay of growth: viewer",
    ]
    assert cli("team", "apply", str(file), "--yes").returncode == 0
    assert cli("team", "apply", str(file), "--dry-run").stdout == ""


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 0, "the file is empty"),
        ("- a", 1, "the file must have keys"),
        ("team:\n  a:", 1, "the file has no key 'team'"),
        ("teams:\n  a:\n    slotz: 1", 3, "the team a has no key 'slotz'"),
        ("teams:\n  a:\n    slots: many", 3, "slots must be a whole number, not 'many'"),
        ("teams:\n  a:\n    slots: -1", 3, "slots must be 0 to"),
        ("teams:\n  a:\n    weight: .nan", 3, "weight must be a number"),
        ("teams:\n  a:\n    weight: 0", 3, "a weight must be above 0"),
        ("teams:\n  a:\n    limits: {runs: 1}", 3, "limits has no key 'runs'"),
        ("teams:\n  a:\n    limits:\n      open_runs: -1", 4, "open_runs must be 0 to"),
        ("teams:\n  A_b: {}", 2, "'A_b' is not a valid team name"),
        ("teams:\n  a: {}\n  a: {}", 3, "'a' is there twice"),
        ("teams:\n  a:\n    members:\n      ann: owner", 4, "'owner' is not a role"),
        ("teams:\n  a:\n    members: [ann]", 3, "members must have keys"),
        ("teams:\n  a:\n    pools: {etl: [1]}", 3, "the slots of etl must be one value"),
        ("teams:\n  a:\n    grants: {b: {d: see_runs}}", 3, "d must have a list"),
        (
            "teams:\n  a:\n    grants: {b: {d: [use]}}",
            3,
            "'use' is not something that a grant allows",
        ),
        ("teams:\n  a:\n    grants: {a: {d: [start]}}", 3, "a grant is between two teams"),
        ("teams:\n  a:\n    asks: {B: {d: [start]}}", 3, "'B' is not a valid team name"),
        ("teams:\n  a: {", 2, "not valid YAML"),
        ("teams: !!python/object:os.system {}", 1, ""),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text(text)
    if not said:
        assert team_file.read(file) == []  # a tag is no more than a word
        return
    with pytest.raises(UsageError) as raised:
        team_file.read(file)
    assert said in raised.value.message
    assert raised.value.where == (f"{file}:{line}" if line else str(file))


@pytest.mark.parametrize("key", team_file.ELSEWHERE)
def test_what_is_not_in_the_file_is_told_with_its_place(tmp_path: Path, key: str) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text(f"teams:\n  a:\n    {key}: {{x: y}}")
    with pytest.raises(UsageError) as raised:
        team_file.read(file)
    assert raised.value.message == f"the team a has no key '{key}'"
    assert (raised.value.where, raised.value.hint) == (f"{file}:3", team_file.ELSEWHERE[key])


def test_what_is_left_out_is_not_looked_after(tmp_path: Path) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text("teams:\n  a: {slots: null, members: {ann: viewer}}\n  b:\n")
    one, two = team_file.read(file)
    assert (one.slots, one.members, one.pools) == (None, {"ann": Role.VIEWER}, None)
    assert two == team_file.FileTeam("b")
