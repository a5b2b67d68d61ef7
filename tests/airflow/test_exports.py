"""What Airflow exports is taken over: a plan first, then once. Secrets are set and never shown."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from headway.cli.airflow_exports import Named, pools_of
from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import Server
from tests.cli.conftest import headway

pytestmark = pytest.mark.long

SECRET: Final = "hunter2-of-the-warehouse"
CONNECTIONS: Final = {
    "json_lake": {
        "conn_type": "http",
        "description": "of shoes",
        "login": "me",
        "password": SECRET,
        "host": "lake.example",
        "port": 8080,
        "schema": "s",
        "extra": '{"timeout": 3}',
    },
    "json_file": "file:///tmp/x",
}
VARIABLES: Final = {
    "plain": "red",
    "number": 5,
    "shape": {"a": [1, 2]},
    "smtp_password": SECRET,
    "told": {"value": "x", "description": "a word"},
}
POOLS: Final = {
    "narrow": {"description": "", "include_deferred": False, "slots": 2},
    "default_pool": {"description": "Default pool", "include_deferred": False, "slots": 77},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    for name, content in (("c", CONNECTIONS), ("v", VARIABLES), ("p", POOLS)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "c.yaml").write_text(
        f"yaml_lake:\n  conn_type: http\n  host: y.example\n  password: {SECRET}\n  extra: null\n"
    )
    (folder / "c.env").write_text(f"env_lake=http://me:{SECRET}@e.example:80/s\n")
    (folder / "v.env").write_text("from_env=blue\n")
    (folder / "v.yaml").write_text("from_yaml: green\n")
    return folder


def given(folder: Path) -> list[str]:
    return [
        *("--connections", str(folder / "c.json"), "--variables", str(folder / "v.json")),
        *("--pools", str(folder / "p.json")),
    ]


def planned(server: Server, *options: str) -> dict[tuple[str, str], str]:
    done = headway("import-airflow", *options, "--output", "json", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["plan"]
    return {(each["kind"], each["name"]): each["action"] for each in found}


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with closing(client_of(Layout(server.folder / ".headway"))) as found:
        yield found


def test_a_plan_changes_nothing_and_a_second_import_neither(
    server: Server, client: Any, files: Path
) -> None:
    before = [pool.slots for pool in client.pools() if pool.name == "default"]
    first = planned(server, *given(files))
    assert first == {
        ("connection", "json_lake"): "create",
        ("connection", "json_file"): "create",
        **{("variable", key): "create" for key in VARIABLES},
        ("pool", "narrow"): "create",
        ("pool", "default"): "change",
    }
    assert "json_lake" not in {each.conn_id for each in client.connections()}
    assert planned(server, *given(files), "--apply") == first
    lake = client.connection("json_lake")
    assert (lake.host, lake.port, lake.login, lake.has_password) == (
        "lake.example",
        8080,
        "me",
        True,
    )
    assert (lake.extra, lake.description) == ({"timeout": 3}, "of shoes")
    values = {each.key: each.value for each in client.variables()}
    assert (values["plain"], values["number"], values["shape"]) == ("red", "5", '{"a": [1, 2]}')
    assert (values["told"], values["smtp_password"]) == ("x", None)
    assert {p.name: p.slots for p in client.pools()}["default"] == 77 != before[0]
    again = planned(server, *given(files), "--apply")
    assert {place: action for place, action in again.items() if action != "keep"} == {
        ("connection", "json_lake"): "set again",
        ("variable", "smtp_password"): "set again",
    }
    client.set_pool("default", before[0])


def test_yaml_and_env_files_are_read(server: Server, client: Any, files: Path) -> None:
    for kind in ("yaml", "env"):
        exports = [
            "--connections",
            str(files / f"c.{kind}"),
            "--variables",
            str(files / f"v.{kind}"),
        ]
        planned(server, *exports, "--apply")
        assert client.connection(f"{kind}_lake").has_password
        assert client.variable(f"from_{kind}").value == {"yaml": "green", "env": "blue"}[kind]


def test_a_bad_file_is_one_sentence_without_its_secrets(
    server: Server, files: Path, tmp_path: Path
) -> None:
    for name, option, text in (
        ("a.json", "--connections", f'{{"x": "{SECRET}"'),
        ("b.yaml", "--connections", f"x: [{SECRET}"),
        ("c.json", "--connections", json.dumps({"x": {"password": SECRET}})),
        ("d.json", "--variables", json.dumps({"x": None})),
        ("e.json", "--pools", json.dumps({"p": {"slots": -2}})),
        ("f.env", "--variables", SECRET),
    ):
        (tmp_path / name).write_text(text)
        done = headway("import-airflow", option, str(tmp_path / name), "--apply", cwd=server.folder)
        assert done.returncode == 2, (name, done.stderr)
        assert SECRET not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    nothing = headway("import-airflow", cwd=server.folder)
    assert (nothing.returncode, "nothing to import" in nothing.stderr) == (2, True)


def test_a_pool_without_a_limit_has_as_many_slots_as_a_pool_can_have() -> None:
    pools = pools_of(Named({"any": {"slots": -1}, "none": {"slots": 0}}, "pools.json"))
    assert pools == {"any": 2**31 - 1, "none": 0}


def test_what_cannot_be_kept_is_left_out_and_the_rest_is_set(
    server: Server, client: Any, tmp_path: Path
) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps({"my variable": "x", "a_long_one": "x" * 64_001, "fits": "blue"}))
    (tmp_path / "c.json").write_text(json.dumps({"my connection": "http://h", "fits": "http://h"}))
    options = ["--variables", str(file), "--connections", str(tmp_path / "c.json"), "--apply"]
    assert planned(server, *options) == {
        ("connection", "my connection"): "leave out",
        ("connection", "fits"): "create",
        ("variable", "my variable"): "leave out",
        ("variable", "a_long_one"): "leave out",
        ("variable", "fits"): "create",
    }
    assert client.variable("fits").value == "blue"
    done = headway("import-airflow", *options, cwd=server.folder)
    assert "3 are left out: a name has letters" in " ".join(done.stderr.split())


def test_the_report_is_a_page_that_needs_nothing_else(server: Server, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/odd.py").write_text("from airflow.sdk import <b>\n")
    page = tmp_path / "report.html"
    done = headway("import-airflow", "dags", "--html", str(page), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    text = page.read_text()
    assert "odd.py:1" in text
    assert "prefers-color-scheme: dark" in text
    for outside in ("<script", "http://", "https://", "<b>\n", "src=", "@import"):
        assert outside not in text
