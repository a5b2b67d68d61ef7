"""``sql``: statements in a real PostgreSQL and in SQLite, their rows, and what is said of mistakes."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from headway import DAG, Fail, sql, task
from headway.authoring.operators.sql import StatementFailed
from headway.core.connections import Connection
from headway.testing import run_dag


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the connection ``warehouse``, of each type."""
    found = str(request.param)
    if found == "sqlite":
        uri = f"sqlite://{quote(str(tmp_path / 'warehouse.db'), safe='')}"
    else:
        uri = postgres_uri(request.getfixturevalue("database"))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    return found


def postgres_uri(dsn: str) -> str:
    found = psycopg.conninfo.conninfo_to_dict(dsn)
    return Connection(
        conn_type="postgres",
        schema=str(found["dbname"]),
        login=str(found["user"]),
        extra={"host": str(found["host"])},
    ).uri


def rows(*statements: str, **arguments: object) -> Any:
    """Return the result of one ``sql`` task, or raise its error."""
    text: object = list(statements) if len(statements) > 1 else statements[0]
    with DAG("flow", params={"name": "Ada's"}) as flow:
        sql("ask", conn_id="warehouse", sql=text, **arguments)
    found = run_dag(flow)["ask"]
    if found.error is not None:
        raise found.error
    return found.value


SETUP = "CREATE TABLE guest (name text, n int); INSERT INTO guest VALUES ('a;b', 1), ('c', 2)"


def test_the_rows_of_the_last_statement_are_the_result(kind: str) -> None:
    found = rows(f"{SETUP}; SELECT name, n FROM guest ORDER BY n;")
    assert found == [{"name": "a;b", "n": 1}, {"name": "c", "n": 2}]
    assert rows("INSERT INTO guest VALUES ('d', 3)", "DELETE FROM guest WHERE n = 1") is None
    assert rows("SELECT count(*) AS n FROM guest") == [{"n": 2}]
    assert rows("SELECT name FROM guest WHERE n > 100") == []


def test_values_are_bound_and_never_part_of_the_text(kind: str) -> None:
    place = ":who" if kind == "sqlite" else "%(who)s"
    found = rows(f"SELECT {place} AS who", parameters={"who": "{{ params.name }}"})
    assert found == [{"who": "Ada's"}]


def test_what_fails_leaves_nothing(kind: str) -> None:
    rows(SETUP)
    with pytest.raises(StatementFailed, match="nowhere"):
        rows(
            "INSERT INTO guest VALUES ('x', 9); CREATE TABLE more (n int); INSERT INTO nowhere VALUES (1)"
        )
    assert rows("SELECT n FROM guest WHERE n = 9") == []
    with pytest.raises(StatementFailed, match="more"):
        rows("SELECT * FROM more")


def test_a_script_is_a_template_in_the_dag_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day.sql").write_text("-- of {{ ds }}\nSELECT '{{ ds_nodash }}' AS day")
    assert len(rows("day.sql")[0]["day"]) == len("20130102")
    with pytest.raises(Fail, match=r"no script nowhere\.sql in the DAG folder"):
        rows("nowhere.sql")


def test_two_columns_of_one_name_are_refused(kind: str) -> None:
    with pytest.raises(Fail, match='two columns "n"; name them apart'):
        rows("SELECT 1 AS n, 2 AS n")


def test_types_of_postgres_arrive(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", postgres_uri(database))
    found = rows(
        "SELECT 1.50::numeric AS price, date '2013-01-02' AS day, 'x'::bytea AS raw, ARRAY[1, 2] AS list, "
        "'{\"a\": [true]}'::jsonb AS doc"
    )
    assert found == [
        {
            "price": Decimal("1.50"),
            "day": date(2013, 1, 2),
            "raw": b"x",
            "list": [1, 2],
            "doc": {"a": [True]},
        }
    ]
    assert rows("VACUUM", autocommit=True) is None


def test_rows_are_mapped_over(kind: str) -> None:
    rows(SETUP)
    with DAG("flow") as flow:

        @task
        def greet(name: str, n: int) -> str:
            return f"{name} {n}"

        greet.expand_kwargs(sql("ask", conn_id="warehouse", sql="SELECT name, n FROM guest"))
    assert sorted(run_dag(flow)["greet"].values) == ["a;b 1", "c 2"]


@pytest.mark.parametrize(
    ("uri", "arguments", "said"),
    [
        ("mysql://h/x", {}, "sql cannot use a connection of type 'mysql'; it can be postgres, sqlite"),
        ("postgres-ql://h/x", {}, "did you mean"),
        ("sqlite://", {"sql": 5}, "sql must be a string, not int"),
        ("sqlite://", {"conn_id": 5}, "conn_id must be a string, not int"),
        ("sqlite://", {"parameters": 5}, "parameters must be a dict or a list, not int"),
    ],
)  # fmt: skip
def test_mistakes_are_told(
    uri: str, arguments: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    with DAG("flow") as flow:
        sql("ask", **{"conn_id": "warehouse", "sql": "SELECT 1", **arguments})
    error = run_dag(flow)["ask"].error
    assert isinstance(error, Fail)
    assert said in str(error)


def test_a_relative_path_that_cannot_be_opened_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "sqlite:///data/shop.db")
    with pytest.raises(StatementFailed, match=r"an absolute one, as in sqlite:////data/shop\.db"):
        rows("SELECT 1")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "sqlite:////nowhere/shop.db")
    with pytest.raises(StatementFailed, match=r"unable to open database file$"):
        rows("SELECT 1")


def test_a_database_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://127.0.0.1:1/x?connect_timeout=2")
    with pytest.raises(StatementFailed, match="Connection refused"):
        rows("SELECT 1")
