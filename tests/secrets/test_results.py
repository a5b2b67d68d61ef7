"""What the code of a task asks for of results: read whole, in order, and no more than one answer may hold."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.errors import NotAllowed
from headway.secrets import results
from headway.store.transact import Session

ASKED: dict[str, Any] = {"run_id": "r1", "task_id": "t", "key": "k", "map_index": None}
NOBODY: Any = None  # instead of a connection, where nothing may be read


@pytest.fixture
def stored(owner_conn: Session, tmp_path: Path) -> Session:
    """Results of three instances, the last but one in a file; each revealed a secret, two of them the same."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results/1.json").write_text('"large"')
    owner_conn.execute("SET session_replication_role = replica")  # nobody asks for their attempts
    for index, value, file, secret in (
        (2, "3", None, "b"),
        (0, "1", None, "b"),
        (1, None, "results/1.json", "a"),
    ):
        owner_conn.execute(
            "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, file, size, secrets)"
            " VALUES (1, 'r1', 't', %s, 'k', 1, %s, %s, 8, jsonb_build_array(%s::text))",
            [index, value, file, secret],
        )
    owner_conn.execute("RESET session_replication_role")
    return owner_conn


def ask(conn: Session, data: Path, **question: object) -> tuple[Any, list[str]]:
    text, secrets = results.read(conn, 1, data, msgspec.json.encode({**ASKED, **question}).decode())
    return msgspec.json.decode(text), secrets


def test_all_instances_are_told_in_order_from_rows_and_files(
    stored: Session, tmp_path: Path
) -> None:
    whole = [
        {"map_index": index, "value": value} for index, value in ((0, 1), (1, "large"), (2, 3))
    ]
    assert ask(stored, tmp_path) == (whole, ["a", "b"])
    assert ask(stored, tmp_path, map_index=1) == (whole[1:2], ["a"])
    assert ask(stored, tmp_path, key="other") == ([], [])


def test_results_beyond_one_answer_are_refused(
    stored: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "BYTES_MAX", 24)
    assert len(ask(stored, tmp_path)[0]) == 3, "the limit itself is within it"
    monkeypatch.setattr(results, "BYTES_MAX", 23)
    with pytest.raises(NotAllowed, match="the results of task 't' have"):
        ask(stored, tmp_path)


HUGE = '{"run_id": "r1", "task_id": "t", "key": "return_value", "map_index": 2147483648}'


@pytest.mark.parametrize("text", ["", "null", "{}", '{"run_id": "r1"}', HUGE, "[" * 100_000])
def test_a_question_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotAllowed, match="the question for a result cannot be read"):
        results.read(NOBODY, 1, tmp_path, text)


@pytest.mark.parametrize("part", ["run_id", "task_id", "key"])
def test_what_no_database_can_hold_is_not_there(tmp_path: Path, part: str) -> None:
    assert ask(NOBODY, tmp_path, **{part: "a\0"}) == ([], [])


def test_a_question_names_no_team(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="cannot be read"):
        ask(NOBODY, tmp_path, team_id=2)
