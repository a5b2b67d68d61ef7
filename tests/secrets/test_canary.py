"""A secret that a task gets, prints and fails with in every usual encoding is found nowhere afterwards."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headway import clock
from headway.agent.masking import forms
from headway.client import Client, client_of
from headway.config import Layout
from headway.errors import HeadwayError
from tests.cli.conftest import PATIENCE_S, copy_data, headway, start, stop
from tests.leaks.routes import operations

pytestmark = pytest.mark.long

CANARY = "c4nary 'S3cret'/with+odd=chars\"&ä"
KEY = "-----BEGIN KEY-----\nq7Zk41mWc4naryLineOne\nq7Zk41mWc4naryLineTwo\n-----END KEY-----"
DAGS = """
import base64
import json
import logging
import os
import shlex
import subprocess
import sys
from urllib.parse import quote, quote_plus

from headway import bash, connection, dag, task, variable


@dag()
def canary():
    @task
    def leak(bucket: str = "") -> str:
        warehouse = connection("warehouse")
        secret, key = warehouse.password, variable("private_key")
        assert len(secret) > 10 and warehouse.extra["api_key"] == secret, "it is the real one"
        for text in (secret, key):
            data = text.encode()
            print(text, repr(text), json.dumps(text), json.dumps({"x": [text]}, ensure_ascii=False))
            print(quote(text), quote(text, safe=""), quote_plus(text), shlex.quote(text), data.hex())
            for before in ("", "a", "ab"):
                print(base64.b64encode(before.encode() + data).decode())
                print(base64.urlsafe_b64encode(before.encode() + data).decode())
            print("\\n".join("  | " + line for line in text.splitlines()))
            logging.getLogger("x").warning("it is %s", text)
            subprocess.run(["printf", "%s\\n", text], check=True)
            sys.stdout.flush()
            for number in range(1, len(data)):
                os.write(1, b"cut: " + data[:number])
                os.write(1, data[number:] + b"\\n")
        print(warehouse.uri, warehouse)
        return variable("bucket")

    @task(retries=0)
    def fail(previous: str) -> None:
        raise ValueError(f"cannot connect to {connection('warehouse').uri} with {connection('warehouse').password}")

    bash(task_id="shell", command="echo {{ conn.warehouse.password | quote }} {{ var.bucket }}; "
    "printf %q {{ var.value.private_key | quote }}; echo; echo done")
    bash(task_id="last_line", command="echo {{ conn.warehouse.password | quote }}")
    fail(leak())


@dag()
def other():
    @task
    def denied() -> list[str]:
        found = []
        for name in ("restricted", "theirs", "../warehouse", "WAREHOUSE"):
            try:
                connection(name)
                found.append(name)
            except LookupError:
                pass
        return [*found, variable("nothing", default="default"), connection("warehouse").host]

    denied()
"""

TASKS = ("give", "take", "each", "large", "fail", "shell")
MAPPED = ("each", "update")
PASSED_ON = "c4nary 'passed'/on+by=results\"&ä"
HANDED = """
import base64
import hashlib
import json

from headway import Asset, Run, bash, connection, dag, get_current_context, task

lake = Asset("lake")


@dag()
def handed():
    @task(outlets=[lake])
    def give(run: Run) -> dict[str, object]:
        secret = connection("lake").password
        run.outlet_events[lake].extra["by"] = secret
        keys = [secret, b"_" + secret.encode()]
        return {"dsn": f"s3://{secret}@lake", "json": json.dumps({"p": secret}), "keys": keys}

    @task
    def take(got: dict[str, object]) -> list[str]:
        # Nothing was handed to this task but a result.
        text = got["keys"][0]
        print("sha:", hashlib.sha256(text.encode()).hexdigest(), text)
        print(repr(got), base64.b64encode(text.encode()).decode())
        return [f"again: {text}", "harmless"]

    @task(map_index_template="of {{ name }}")
    def each(text: str) -> int:
        get_current_context()["name"] = text
        return len(text)

    @task
    def large() -> list[str]:
        return [connection("lake").password] * 5_000

    @task(retries=0)
    def fail(texts: list[str]) -> None:
        print("large:", len(texts), texts[7])
        raise ValueError(f"cannot use {texts[8]}")

    given = give()
    each.expand(text=take(given))
    bash(task_id="shell", command="echo $DSN $KEYS", env={"DSN": given["dsn"], "KEYS": given["json"]})
    fail(large())
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("canary")
    (folder / "dags").mkdir()
    (folder / "dags" / "canary.py").write_text(DAGS)
    (folder / "dags" / "handed.py").write_text(HANDED)
    copy_data(data, folder)
    process = start(folder)
    deadline = clock.monotonic() + PATIENCE_S
    while "other" not in headway("ls", cwd=folder).stdout:
        assert clock.monotonic() < deadline, "the DAGs were not loaded"
    give(
        folder,
        CANARY,
        "conn",
        "set",
        "warehouse",
        "--type",
        "postgres",
        "--host",
        "db",
        "--password",
    )
    give(
        folder,
        json.dumps({"api_key": CANARY}),
        "conn",
        "set",
        "warehouse",
        "--type",
        "postgres",
        "--host",
        "db",
        "--extra",
        "-",
    )
    lake = ("conn", "set", "lake", "--type", "aws", "--password")
    give(folder, PASSED_ON, *lake)
    give(folder, "", "conn", "set", "restricted", "--type", "http", "--dag", "canary")
    give(folder, KEY, "var", "set", "private_key")
    give(folder, "", "var", "set", "bucket", "raw-data")
    yield folder
    stop(process)


def give(folder: Path, secret: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "headway", *arguments],
        cwd=folder, input=secret, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_secret_is_found_nowhere(home: Path) -> None:
    done = headway("run", "canary", cwd=home)
    assert done.returncode == 1, done.stderr
    with closing(client_of(Layout(home / ".headway"))) as client:
        (run,) = client.runs(1, dag_id="canary")
    written = (home / ".headway/logs" / run.run_id).rglob("*.log")
    logs = headway("logs", run.run_id, cwd=home).stdout + "".join(f.read_text() for f in written)
    assert logs.count("***") > 100
    assert "raw-data" in logs, "what is not secret is not masked"
    shown = headway("show", run.run_id, "--output", "json", cwd=home).stdout
    assert "cannot connect to" in shown
    hidden = {form for text in (CANARY, KEY) for form in forms(text)}
    hidden |= {text.encode() for text in KEY.splitlines()[1:3]}
    told = "\n".join((logs, shown, done.stdout, done.stderr)).encode()
    assert [form for form in hidden if form in told] == []
    found = [
        (str(file), form)
        for file in sorted((home / ".headway").rglob("*"))
        if file.is_file() and file.name != "secrets.key"
        for content in [file.read_bytes()]
        for form in hidden
        if form in content
    ]
    assert found == []


def test_what_a_result_holds_is_seen_by_tasks_and_by_nobody_else(home: Path) -> None:
    done = headway("run", "handed", cwd=home)
    assert done.returncode == 1, done.stdout + done.stderr
    client = client_of(Layout(home / ".headway"))
    with closing(client):
        (run,) = client.runs(1, dag_id="handed")
        told = [done.stdout, done.stderr, *everything_of(client, run.run_id)]
        results = {one.task_id: one for one in client.xcoms(run.run_id) if one.map_index < 0}
        lengths = client.xcoms(run.run_id, task_id="each")
    assert results["give"].value["dsn"] == "s3://***@lake"
    assert results["take"].value == ["again: ***", "harmless"]
    assert {name for name, one in results.items() if one.masked} == {"give", "take"}
    assert results["shell"].value.startswith("s3://***@lake ")
    assert [one.value for one in lengths] == [len(f"again: {PASSED_ON}"), len("harmless")]
    for command in (("xcom", run.run_id), ("xcom", run.run_id, "give"), ("show", run.run_id)):
        told += [headway(*command, "--output", how, cwd=home).stdout for how in ("table", "json")]
    folder = home / ".headway"
    private = (
        folder / "postgres",
        folder / "xcom",
        folder / "secrets.key",
    )  # of the server and its tasks
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(file.is_relative_to(one) for one in private):
            told.append(file.read_bytes().decode(errors="replace"))
    whole = "\n".join(told)
    assert f"sha: {hashlib.sha256(PASSED_ON.encode()).hexdigest()} ***" in whole, (
        "a task gets it whole"
    )
    assert "large: 5000 ***" in whole
    assert "cannot use ***" in whole
    assert "of again: ***" in whole
    assert [form for form in forms(PASSED_ON) if form in whole.encode()] == []


def everything_of(
    client: Client, run_id: str, dag_id: str = "handed", tasks: Sequence[str] = TASKS, **more: str
) -> Iterator[str]:
    """Yield what each route that reads answers about a run, its tasks and its DAG. ``more``: other ids."""
    day = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    ids = {
        "run_id": run_id,
        "dag_id": dag_id,
        "conn_id": "lake",
        "version": "1",
        "with": run_id,
        "q": "again",
        **day,
        **more,
    }
    read = 0
    for operation in operations():
        if operation.method != "GET" or operation.streams:
            continue
        for task in tasks:
            given = {**ids, "task_id": task, "map_index": "0" if task in MAPPED else "-1"}
            if not given.keys() >= set(operation.path_names):
                continue
            path = operation.path.removeprefix("/api/v1").format(**given)
            asked = {
                n: given[n]
                for n in operation.query_names
                if n in given and n not in ("dag_id", "version")
            }
            try:
                answer, _ = client.ask("GET", path, None, asked)
            except HeadwayError as error:
                yield error.message
            else:
                read += 1
                yield answer.decode(errors="replace")
    assert read > 25 * len(tasks), "most of them answer"


def test_a_dag_gets_what_it_may_have_and_nothing_tells_of_the_rest(home: Path) -> None:
    done = headway("run", "other", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(client_of(Layout(home / ".headway"))) as client:
        (run,) = client.runs(1, dag_id="other")
        (result,) = client.xcoms(run.run_id, task_id="denied")
    assert "default" in str(result.value)
    assert "restricted" not in str(result.value)
    assert "db" in str(result.value)


def test_an_agent_of_the_team_tries_a_connection(home: Path) -> None:
    url = urlsplit(client_of(Layout(home / ".headway")).url)
    give(
        home,
        "",
        "conn",
        "set",
        "itself",
        "--type",
        "http",
        "--host",
        str(url.hostname),
        "--port",
        str(url.port),
    )
    done = headway("conn", "test", "itself", cwd=home)
    assert (done.returncode, "works" in done.stdout) == (0, True), done.stdout + done.stderr
    failed = headway("conn", "test", "warehouse", cwd=home)
    assert failed.returncode == 1, failed.stderr
    assert "cannot log in" in failed.stdout
    assert "nary" not in failed.stdout + failed.stderr
    missing = headway("conn", "test", "wareuse", cwd=home)
    assert (missing.returncode, "warehouse" in missing.stderr) == (2, True), missing.stderr
