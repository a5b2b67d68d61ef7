"""Teams on the command line."""

import json

from tests.cli.conftest import Command


def test_a_team_from_its_creation_to_its_end(cli: Command) -> None:
    made = cli("team", "create", "marketing", "--slots", "40", "--weight", "2")
    assert (made.returncode, made.stdout[:4]) == (0, "hwa_"), made.stderr
    again = cli("team", "create", "marketing", "--slots", "40", "--weight", "2")
    assert (again.returncode, again.stdout) == (0, "")
    assert "already exists with these settings; nothing was changed" in again.stderr
    assert "marketing" in cli("team", "ls").stdout
    assert json.loads(cli("whoami", "--team", "marketing", "-o", "json").stdout)["team"] == (
        "marketing"
    )
    assert (
        "no nominal slots, weight 2" in cli("team", "set", "marketing", "--slots", "default").stderr
    )
    unsure = cli("team", "delete", "marketing")
    assert (unsure.returncode, "add --yes" in unsure.stderr) == (2, True)
    assert cli("team", "delete", "marketing", "--yes").returncode == 0
    gone = cli("team", "show", "marketing")
    assert (gone.returncode, "there is no team 'marketing'" in gone.stderr) == (2, True)
    lost = cli("ls", "--team", "marketing")
    assert (lost.returncode, "not a member of a team 'marketing'" in lost.stderr) == (3, True)


def test_mistakes_are_one_sentence(cli: Command) -> None:
    for arguments, said in (
        (("create", "Marketing"), "'Marketing' is not a valid team name"),
        (("create", "all"), "is reserved"),
        (("set", "default"), "nothing to change"),
        (("set", "default", "--slots", "many"), "is not a number of slots"),
        (("set", "default", "--weight", "nan"), "is not a weight"),
        (("set", "nobody", "--slots", "1"), "there is no team 'nobody'"),
    ):
        done = cli("team", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
