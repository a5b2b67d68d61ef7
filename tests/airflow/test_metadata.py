"""What is in Airflow's metadata database is taken over: connections, variables, pools, and people with their roles."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from cryptography.fernet import Fernet

from headway.cli import airflow_metadata
from headway.client import client_of
from headway.config import Layout
from headway.errors import UsageError
from tests.airflow.conftest import Server
from tests.airflow.metadata import at_home, url_of
from tests.cli.conftest import headway
from tests.postgres import empty_database

pytestmark = pytest.mark.long

SECRET: Final = "hunter2-of-the-metadata"
# As the FAB auth manager has them.
PEOPLE: Final = """
    CREATE TABLE ab_user (id integer, first_name text, last_name text, username text, active boolean);
    CREATE TABLE ab_role (id integer, name text);
    CREATE TABLE ab_user_role (id integer, user_id integer, role_id integer);
    INSERT INTO ab_user VALUES (1, 'Ann', 'Lee', 'Ann', true), (2, 'Bob', '', 'bob', true), (3, '', '', 'cyd', true),
        (4, 'Dan', '', 'dan', false);
    INSERT INTO ab_role VALUES (1, 'Viewer'), (2, 'Shop Dev'), (3, 'Admin');
    INSERT INTO ab_user_role VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 3, 3), (5, 4, 3)
"""
FILL: Final = """
from airflow.models import Connection, Pool, Variable
from airflow.utils.session import create_session
with create_session() as session:
    session.add(Connection(
        conn_id="shop_db", conn_type="postgres", host="db.example", login="me", password={secret!r},
        schema="shop", port=5433, extra='{{"sslmode": "require"}}', description="of shoes",
    ))
    session.add(Connection(conn_id="other", conn_type="http", host="web.example"))
    session.add(Pool(pool="shop_narrow", slots=3, description="", include_deferred=False))
    session.add(Variable(key="shop_colour", val="red"))
    session.add(Variable(key="shop_password", val={secret!r}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIRFLOW_HOME whose database Airflow itself has made and filled, with an ``airflow.cfg``."""
    home = tmp_path_factory.mktemp("airflow-home")
    key = Fernet.generate_key().decode()
    environment = at_home(home, core=f"fernet_key = {key}\n")
    command = [sys.executable, "-c", FILL.format(secret=SECRET)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(home / "airflow.db")) as database:
        database.executescript(PEOPLE)
    assert SECRET.encode() not in (home / "airflow.db").read_bytes()
    return home


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    with empty_database(postgres) as dsn:
        yield url_of(dsn)


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with closing(client_of(Layout(server.folder / ".headway"))) as found:
        yield found


def planned(server: Server, *options: str) -> dict[tuple[str, str], str]:
    done = headway("import-airflow", *options, "--output", "json", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["plan"]
    return {(each["kind"], each["name"]): each["action"] for each in found}


def test_what_a_team_wants_is_taken_over_once(server: Server, client: Any, home: Path) -> None:
    options = [
        *("--metadata", str(home / "airflow.cfg"), "--only", "shop_*"),
        *("--role", "Shop Dev=operator", "--role", "Viewer=viewer"),
    ]
    expected = {
        ("connection", "shop_db"): "create",
        ("variable", "shop_colour"): "create",
        ("variable", "shop_password"): "create",
        ("pool", "shop_narrow"): "create",
        ("user", "ann"): "create",
        ("user", "bob"): "create",
    }
    assert planned(server, *options) == expected
    assert "shop_db" not in {each.conn_id for each in client.connections()}
    assert planned(server, *options, "--apply") == expected
    found = client.connection("shop_db")
    assert (found.host, found.port, found.login, found.schema) == ("db.example", 5433, "me", "shop")
    assert (found.has_password, found.extra, found.description) == (
        True,
        {"sslmode": "require"},
        "of shoes",
    )
    users = {each.name: (each.display_name, each.role) for each in client.users()}
    assert users["ann"] == ("Ann Lee", "operator")
    assert users["bob"] == ("Bob", "viewer")
    assert {"cyd", "dan"}.isdisjoint(users)
    again = planned(server, *options, "--apply")
    assert {place: action for place, action in again.items() if action != "keep"} == {
        ("connection", "shop_db"): "set again",
        ("variable", "shop_password"): "set again",
    }
    promoted = [*options[:4], "--role", "Viewer=operator"]
    assert planned(server, *promoted, "--apply")["user", "bob"] == "change"


def test_nobody_is_added_without_a_role(server: Server, home: Path) -> None:
    done = headway("import-airflow", "--metadata", str(home / "airflow.cfg"), cwd=server.folder)
    assert "users are not imported (2 Viewer, 1 Shop Dev, 1 Admin)" in " ".join(done.stderr.split())
    assert "ann" not in done.stdout
    done = headway(
        *("import-airflow", "--metadata", str(home / "airflow.cfg"), "--role", "Shop=viewer"),
        cwd=server.folder,
    )
    assert done.returncode == 2
    assert "nobody has the role 'Shop' in Airflow" in done.stderr


def test_a_database_of_postgresql_is_read_and_not_written(home: Path, empty_url: str) -> None:
    with closing(sqlite3.connect(home / "airflow.db")) as lite, psycopg.connect(empty_url) as full:
        full.execute(PEOPLE.encode())
        for table in ("connection", "variable", "slot_pool"):
            columns = [row[1] for row in lite.execute(f"PRAGMA table_info({table})")]
            rows = lite.execute(f"SELECT * FROM {table}").fetchall()
            kinds = [
                "boolean"
                if name.startswith("is_")
                else "integer"
                if name in ("port", "slots")
                else "text"
                for name in columns
            ]
            made = ", ".join(f'"{name}" {kind}' for name, kind in zip(columns, kinds, strict=True))
            full.execute(f"CREATE TABLE {table} ({made})".encode())
            for row in rows:
                given = [
                    bool(each)
                    if kind == "boolean"
                    else each
                    if kind == "integer"
                    else each and str(each)
                    for each, kind in zip(row, kinds, strict=True)
                ]
                places = ", ".join(["%s"] * len(columns))
                full.execute(f"INSERT INTO {table} VALUES ({places})".encode(), given)
    cfg = airflow_metadata.source_of(home / "airflow.cfg", {})
    ours = cfg._replace(url=empty_url.replace("postgresql://", "postgresql+psycopg2://"))
    assert airflow_metadata.read(ours) == airflow_metadata.read(cfg)


def test_what_cannot_be_read_is_one_sentence(home: Path, tmp_path: Path, empty_url: str) -> None:
    cfg = home / "airflow.cfg"
    other = {"AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode()}

    def at(url: str) -> dict[str, str]:
        return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}

    (tmp_path / "no.db").write_text("no database, but long enough for one to be looked at" * 20)
    (tmp_path / "nothing.cfg").write_text("[core]\n")
    (tmp_path / "odd.cfg").write_text("no section\n")
    for file, environment, told in (
        (cfg, other, "encrypted with another key"),
        (cfg, {"AIRFLOW__CORE__FERNET_KEY": "short"}, "fernet_key of [core] is not valid"),
        (cfg, at("mysql://me@db/airflow"), "a database of mysql"),
        (cfg, at(f"sqlite:///{tmp_path}/missing.db"), "missing.db"),
        (cfg, at(f"sqlite:///{tmp_path}/no.db"), "cannot be read"),
        (cfg, at("postgresql+psycopg2://me@127.0.0.1:1/airflow"), "cannot be read"),
        (cfg, at(empty_url), "not a metadata database of Airflow"),
        (tmp_path / "nothing.cfg", {}, "does not say where"),
        (tmp_path / "odd.cfg", {}, "not an airflow.cfg"),
        (tmp_path / "gone.cfg", {}, "cannot read"),
    ):
        with pytest.raises(UsageError) as caught:
            airflow_metadata.read(airflow_metadata.source_of(file, environment))
        assert told in str(caught.value), (told, str(caught.value))
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://u:{SECRET}%zz@db/airflow", "its address is not valid"),
        (f"postgresql://u:p@{SECRET}@127.0.0.1:1/airflow", "its address is not valid"),
        (f"postgresql://u:{SECRET}/et@127.0.0.1:1/airflow", "its address is not valid"),
        (f"postgresql://u@127.0.0.1:1/airflow?sslmode={SECRET}", "its address is not valid"),
        (f"u:{SECRET}@db/airflow", "its address is not valid"),
    ],
)
def test_an_address_that_is_wrong_is_not_repeated(url: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        airflow_metadata.read(airflow_metadata.Source(url, (), "airflow.cfg"))
    assert told in str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("value", "is_encrypted", "told"),
    [
        (f"cast(x'{SECRET.encode().hex()}ff' as text)", 0, "a text in it is not UTF-8"),
        (f"x'{SECRET.encode().hex()}'", 1, "the variable 'k' is not a text"),
        ("ENCRYPTED", 1, "the variable 'k' is not a text"),
    ],
)
def test_a_row_that_no_airflow_writes_is_one_sentence(
    value: str, is_encrypted: int, told: str, home: Path, tmp_path: Path
) -> None:
    cfg = airflow_metadata.source_of(home / "airflow.cfg", {})
    file = shutil.copy(home / "airflow.db", tmp_path)
    sealed = Fernet(cfg.keys[0]).encrypt(SECRET.encode() + b"\xff").decode()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM variable")
        value = value.replace("ENCRYPTED", f"'{sealed}'")
        insert = "INSERT INTO variable (key, val, is_encrypted) VALUES ('k', {}, {})"
        database.execute(insert.format(value, is_encrypted))
    with pytest.raises(UsageError) as caught:
        airflow_metadata.read(cfg._replace(url=f"sqlite:///{file}"))
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_variable_without_a_value_is_left_out(home: Path, tmp_path: Path) -> None:
    """Airflow 2 has such rows, and its tasks find no variable there."""
    cfg = airflow_metadata.source_of(home / "airflow.cfg", {})
    file = shutil.copy(home / "airflow.db", tmp_path)
    with closing(sqlite3.connect(file)) as database:
        database.executescript("""
            CREATE TABLE of_before AS SELECT * FROM variable;
            INSERT INTO of_before (key, val, is_encrypted) VALUES ('nothing', NULL, 0);
            DROP TABLE variable;
            ALTER TABLE of_before RENAME TO variable
        """)
    found = airflow_metadata.read(cfg._replace(url=f"sqlite:///{file}"))
    assert sorted(found.variables.content) == ["shop_colour", "shop_password"]
