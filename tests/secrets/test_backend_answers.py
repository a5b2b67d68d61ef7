"""What backends on this machine find, and for whom: rows, files, the environment; and their settings."""

import json
from pathlib import Path
from typing import Any

import pytest

from headway.errors import NotAllowed, NotReachable, UsageError
from headway.secrets.backends import builtin, environment, files
from headway.secrets.backends.base import (
    CONNECTION,
    VARIABLE,
    Found,
    Question,
    found,
)
from headway.secrets.envelope import close, place_of
from headway.secrets.keys import LocalKeys
from headway.secrets.settings import settings_of
from headway.store import connections, variables
from tests.secrets.test_backends import KEY, URI

KEYS = LocalKeys(None, KEY)


def read(*_: object) -> Any:
    raise AssertionError("only the builtin one reads the database")


def asked(name: str = "w", kind: str = CONNECTION, dag_id: str | None = "d") -> Question:
    dags = None if dag_id is None else frozenset((dag_id,))
    return Question(1, "a", dags, kind, name)


# -- what is found


def test_all_of_a_connection_is_told_but_its_name_and_what_is_secret_is_named() -> None:
    told = found(asked("my-conn"), "postgres://u:pw@h:5/db?api_key=k&mode=fast")
    fields = json.loads(told.text)
    assert "conn_id" not in fields
    assert (fields["login"], fields["port"], fields["extra"]) == (
        "u",
        5,
        {"api_key": "k", "mode": "fast"},
    )
    assert told.secrets == ["pw", "k"]


def test_a_variable_from_outside_is_secret_as_a_whole() -> None:
    assert found(asked(kind=VARIABLE), "text") == Found("text", ["text"])


def test_what_is_not_a_connection_is_named_and_never_repeated() -> None:
    with pytest.raises(UsageError, match="connection 'w'") as caught:
        found(asked(), "hunter2")
    assert "hunter2" not in str(caught.value)


# -- Headway's own store


class Rows:
    """The database, which holds one row of team 1."""

    def __init__(self, row: object) -> None:
        self.row = row

    def __call__(self, find: object, team_id: int, name: str) -> object:
        kinds = {connections.find: CONNECTION, variables.find: VARIABLE}
        wanted = CONNECTION if isinstance(self.row, connections.Stored) else VARIABLE
        return self.row if (kinds[find], team_id, name) == (wanted, 1, "w") else None  # type: ignore[index]


def variable(*, secret: bool, dags: list[str] | None = None) -> variables.Stored:
    place = place_of(1, VARIABLE, "w")
    envelope = close(KEYS, place, {"value": "text"}) if secret else None
    return variables.Stored(
        key="w", value=None if secret else "text", envelope=envelope, description="", dags=dags
    )


def test_a_secret_variable_is_masked_and_another_one_is_not() -> None:
    for secret in (True, False):
        backend = builtin.opened({}, KEYS, Rows(variable(secret=secret)))
        assert backend.get(asked(kind=VARIABLE)) == Found("text", ["text"] * secret)
        assert backend.get(asked("other", VARIABLE)) is None
        assert backend.get(asked()) is None


def test_a_connection_is_opened_with_its_secrets() -> None:
    envelope = close(
        KEYS, place_of(1, CONNECTION, "w"), {"password": "pw", "extra": {"token": "t"}}
    )
    row = connections.Stored(
        conn_id="w", conn_type="http", host="h", port=None, schema=None, login="u",
        extra={"mode": "fast"}, hidden=["password", "extra.token"], description="", dags=None,
        envelope=envelope,
    )  # fmt: skip
    told = builtin.opened({}, KEYS, Rows(row)).get(asked())
    assert told is not None
    assert json.loads(told.text)["extra"] == {"mode": "fast", "token": "t"}
    assert told.secrets == ["pw", "t"]


@pytest.mark.parametrize(
    ("dags", "dag_id", "given"),
    [
        (None, "d", True),
        (["d"], "d", True),
        (["other", "d"], "d", True),
        (["other"], "d", False),
        (["other"], None, True),  # a test of the connection, which is of no DAG
        (None, None, True),
    ],
)
def test_a_row_is_for_the_dags_that_it_names(
    dags: list[str] | None, dag_id: str | None, given: bool
) -> None:
    backend = builtin.opened({}, KEYS, Rows(variable(secret=True, dags=dags)))
    assert (backend.get(asked(kind=VARIABLE, dag_id=dag_id)) is not None) == given


# -- files


def folder(tmp_path: Path) -> Path:
    (tmp_path / "a/connections").mkdir(parents=True)
    (tmp_path / "a/variables").mkdir()
    return tmp_path


def test_a_file_is_read_up_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BYTES_MAX", 10)
    file = folder(tmp_path) / "a/variables/w"
    backend = files.opened({"folder": str(tmp_path)}, KEYS, read)
    file.write_text("x" * 10)
    assert backend.get(asked(kind=VARIABLE)) == Found("x" * 10, ["x" * 10])
    for length in (11, 12, 50):
        file.write_text("x" * length)
        with pytest.raises(NotReachable, match=r"backend files cannot .* longer than 10 bytes"):
            backend.get(asked(kind=VARIABLE))


def test_the_end_of_the_line_is_no_part_of_a_secret_and_odd_bytes_are_replaced(
    tmp_path: Path,
) -> None:
    file = folder(tmp_path) / "a/variables/w"
    backend = files.opened({"folder": str(tmp_path)}, KEYS, read)
    file.write_bytes(b"two\n\n\xff\n")
    assert backend.get(asked(kind=VARIABLE)) == Found("two\n\n\ufffd", ["two\n\n\ufffd"])


def test_what_is_not_there_is_a_miss_and_what_leads_elsewhere_a_refusal(tmp_path: Path) -> None:
    team = folder(tmp_path) / "a"
    backend = files.opened({"folder": str(tmp_path)}, KEYS, read)
    assert backend.get(asked()) is None
    (team / "connections/w").symlink_to("../nowhere")
    assert backend.get(asked()) is None, "a link to what is not there"
    (team / "connections/w").unlink()
    (team / "connections/w").symlink_to(tmp_path / "outside")
    assert backend.get(asked()) is None
    (tmp_path / "outside").write_text(URI)
    with pytest.raises(
        NotAllowed, match=r"backend files refused .* leads out of the team's folder"
    ):
        backend.get(asked())
    (team / "connections/x").write_text("")
    (team / "connections/w").unlink()
    (team / "connections/w").symlink_to("x/y")
    assert backend.get(asked()) is None, "below a file"


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (folder(tmp_path) / "a/connections/w").mkdir()
    backend = files.opened({"folder": str(tmp_path)}, KEYS, read)
    with pytest.raises(NotReachable, match=r"backend files cannot .* Is a directory"):
        backend.get(asked())


@pytest.mark.parametrize("settings", [{}, {"folder": "relative"}, {"folder": 7}])
def test_files_need_an_absolute_folder(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="absolute"):
        files.opened(settings, KEYS, read)


def test_the_environment_is_that_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_VAR__A__W", "text")
    assert environment.opened({}, KEYS, read).get(asked(kind=VARIABLE)) == Found("text", ["text"])


@pytest.mark.parametrize(
    ("team", "name"), [("x", "b__key"), ("x__b", "key"), ("a", "W"), ("A", "w"), ("a", "x.w"), ("a-b", "w")]
)  # fmt: skip
def test_a_name_that_could_be_another_teams_is_not_looked_up(team: str, name: str) -> None:
    held = {f"HEADWAY_CONN__{team.upper()}__{name.upper()}": URI, "HEADWAY_CONN__A__W": URI}
    backend = environment.Environment(held)
    assert backend.get(Question(1, team, frozenset("d"), CONNECTION, name)) is None
    told = backend.get(asked())
    assert told is not None
    assert told.secrets == ["pw-canary"]


# -- settings


def test_settings_that_are_no_toml_are_told(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text("order = [")
    with pytest.raises(UsageError, match="not valid TOML") as caught:
        settings_of(tmp_path)
    assert caught.value.where == str(tmp_path / "secrets.toml")


def test_settings_that_are_missing_are_empty_and_those_that_cannot_be_read_are_told(
    tmp_path: Path,
) -> None:
    assert settings_of(tmp_path) == {}
    (tmp_path / "secrets.toml").mkdir()
    with pytest.raises(NotReachable, match="cannot read the file") as caught:
        settings_of(tmp_path)
    assert caught.value.where == str(tmp_path / "secrets.toml")
