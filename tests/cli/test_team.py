"""Teams on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.slapd import BASE, PASSWORD, READER, slapd


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
    limited = cli(
        "team", "set", "marketing", "--limit", "open_runs=9", "--limit", "running_tasks=5"
    )
    assert "(open_runs): 0 now, at most 9" in limited.stderr
    cli("team", "set", "marketing", "--limit", "open_runs=default")
    shown = cli("team", "show", "marketing").stdout
    assert "runs that have not ended (open_runs): 0 now, no limit" in shown
    assert "tasks that run at the same time (running_tasks): 0 now, at most 5" in shown
    unsure = cli("team", "delete", "marketing")
    assert (unsure.returncode, "add --yes" in unsure.stderr) == (2, True)
    assert cli("team", "delete", "marketing", "--yes").returncode == 0
    gone = cli("team", "show", "marketing")
    assert (gone.returncode, "there is no team 'marketing'" in gone.stderr) == (2, True)
    lost = cli("ls", "--team", "marketing")
    assert (lost.returncode, "not a member of team 'marketing'" in lost.stderr) == (3, True)


def test_mistakes_are_one_sentence(cli: Command) -> None:
    for arguments, said in (
        (("create", "Marketing"), "'Marketing' is not a valid team name"),
        (("create", "all"), "is reserved"),
        (("set", "default"), "nothing to change"),
        (("set", "default", "--slots", "many"), "is not a number of slots"),
        (("set", "default", "--weight", "nan"), "is not a weight"),
        (("set", "default", "--limit", "open_run=1"), "'open_run' is not a limit"),
        (("set", "default", "--limit", "open_runs=few"), "does not give a number"),
        (("set", "nobody", "--slots", "1"), "there is no team 'nobody'"),
    ):
        done = cli("team", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_who_may_tells_what_the_role_map_gives_and_by_which_line(
    cli: Command, tmp_path: Path
) -> None:
    file = tmp_path / "sign-in.toml"
    file.write_text(
        '[[rule]]\ngroup = "dw-{team}"\ngrant = "{team}:author"\n\n'
        '[[rule]]\nuser = "ann"\ndeny = "sales"\n\n[[rule]]\ngroup = "x"\ngrant = "ops:admin"\n'
    )

    def asked(*words: str) -> object:
        found = cli("team", "who-may", "sales", "--file", str(file), "-o", "json", *words)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    first = {"team": "sales", "role": "author", "rule": "group dw-{team} → {team}:author"}
    second = {"team": "sales", "role": None, "rule": "user ann → deny sales"}
    assert asked() == [first | {"number": 1, "line": 1}, second | {"number": 2, "line": 5}]
    groups = ("--groups", "other, DW-sales")
    assert asked("--user", "bob", *groups) == first | {"number": 1, "line": 1}
    assert asked("--user", "ann", *groups) == second | {"number": 2, "line": 5}
    nothing = {"team": "sales", "role": None, "rule": None, "number": None, "line": None}
    assert asked("--groups", "x") == nothing
    table = cli("team", "who-may", "sales", "--file", str(file), "--user", "ann")
    assert "denied" in table.stdout
    missing = cli("team", "who-may", "sales", "--file", str(tmp_path / "none"))
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)
    assert "there is no role map" in cli("team", "who-may", "sales").stderr


def test_a_wrong_file_stops_the_start(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sign-in.toml"
    file.write_text('[proxy.company]\nlabel = "x"\ntrusted = ["0.0.0.0/0"]\n')
    monkeypatch.setenv("HEADWAY_SIGN_IN", str(file))
    found = cli("up", "--data", str(tmp_path / "data"), "--port", "0")
    assert found.returncode == 2
    assert "would let every client say who it is" in found.stderr
    assert str(file) in found.stderr


def test_who_may_asks_a_directory_for_the_groups(cli: Command, tmp_path: Path) -> None:
    with slapd() as directory:
        directory.group("dw-sales", directory.group("inner", directory.person("ann")))
        file = tmp_path / "sign-in.toml"
        (tmp_path / "reader").write_text(PASSWORD)
        file.write_text(
            f'[ldap.company]\nlabel = "x"\nservers = ["{directory.ldaps}"]\nca-file = "{directory.ca}"\n'
            f'bind-dn = "{READER}"\nbind-password-file = "reader"\n'
            f'user-base = "{BASE}"\ngroup-base = "{BASE}"\n\n'
            '[[rule]]\ngroup = "dw-{team}"\ngrant = "{team}:author"\n'
        )
        asked = ("team", "who-may", "sales", "--file", str(file), "--directory")
        found = cli(*asked, "company", "--user", "Ann", "-o", "json")
        assert "ann is in 2 groups: dw-sales, inner" in found.stderr
        assert json.loads(found.stdout)["role"] == "author"
        nobody = cli(*asked, "company", "--user", "eve")
        assert (nobody.returncode, "has 0 entries of this name" in nobody.stderr) == (2, True)
        wrong = cli(*asked, "compny", "--user", "ann")
        assert (wrong.returncode, "there is no [ldap.compny]" in wrong.stderr) == (2, True)
