"""An attacker with every role of its team, before a server that runs: by each route, with the true ids of what another
team really has (runs, questions, webhooks, callbacks, assets, agents), and from inside its own DAG files.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest

from headway import wire
from headway.client import Client, client_of
from headway.config import Layout, read_server_file
from tests.api import people
from tests.api.browser import API, Browser
from tests.cli.conftest import copy_data, start, stop, wait_until
from tests.leaks.routes import DAY, MAKES, Kind, Operation, operations

pytestmark = pytest.mark.long

# What deletes that which a request before has made under the same name, in the attacker's team.
OF_ITS_OWN: Final = {"delete_pool", "delete_connection", "delete_variable", "forget_airflow_runs"}
TEAM: Final = "kxqzwvk1"  # whose name nobody else needs to know
INSIDE: Final = "hjqvmzpw"  # what only that team may read
VICTIM = """
from headway import Asset, Param, Run, approve, connection, dag, task

lake = Asset("lake-{inside}")


def tell(run: Run, when: str, reason: str) -> None:
    print("{inside} called", when)


@dag(dag_id="{team}_daily", tags=["{inside}"], doc_md="{inside}", on_failure_callback=tell)
def daily(word: str = "{inside}"):
    @task(outlets=[lake], map_index_template="{inside}")
    def update(at: int) -> str:
        print("{inside} in a log")
        return "{inside}"

    @task(retries=0)
    def fail() -> None:
        raise ValueError("{inside} in an error")

    update.expand(at=[1])
    fail()
    approve(task_id="sign", subject="{inside}?", body="{inside}")


@dag(dag_id="{team}_broken")
def other():
    @task
    def nothing() -> None: ...

    nothing()


daily()
other()
"""
ATTACKER = """
import json
import os

from headway import Asset, connection, dag, task, variable


@dag(schedule=[Asset("lake-{inside}")])
def listener():
    @task
    def heard() -> None: ...

    heard()


@dag()
def thief():
    @task
    def steal() -> dict[str, object]:
        found = {{}}
        for name in ("{team}_conn", "@{team}/{team}_conn", "../{team}/{team}_conn", "{team}/{team}_conn"):
            try:
                found[name] = str(connection(name).password)
            except Exception as error:
                found[name] = type(error).__name__
            try:
                found["var " + name] = str(variable(name))
            except Exception as error:
                found["var " + name] = type(error).__name__
        return {{"found": found, "environment": dict(os.environ)}}

    steal()
"""


@dataclass
class Stage:
    attacker: Browser
    theirs: Client
    own: Client
    ids: dict[str, str]


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Iterator[Path]:
    copy_data(data, tmp_path)
    for team, text in ((TEAM, VICTIM), ("rivals", ATTACKER)):
        place = tmp_path / "teams" / team
        place.mkdir(parents=True)
        (place / f"{team}_file.py").write_text(text.format(team=TEAM, inside=INSIDE))
    (tmp_path / "teams" / TEAM / "bad.py").write_text(
        f"from headway import dag\nraise ValueError('{INSIDE}')\n"
    )
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    server = start(tmp_path, "--dags", "teams")
    yield tmp_path
    stop(server)


@pytest.fixture
def stage(folder: Path) -> Iterator[Stage]:
    layout = Layout(folder / ".headway")
    server = read_server_file(layout)
    assert server is not None
    with closing(client_of(layout)) as admin:
        wait_until(lambda: {TEAM, "rivals"} <= {each.name for each in admin.teams()}, "no teams")
    boss = people.bearer(server.url, server.token)
    boss.headers["Headway-Team"] = "rivals"
    user = {"name": "eve", "role": "admin", "password": people.PASSWORD}
    assert boss.ask("POST", f"{API}/users", user).status == 201
    wanted = {"name": "eve-token", "user": "eve", "role": "admin"}
    token = boss.ask("POST", f"{API}/tokens", wanted).json["token"]
    attacker = people.bearer(server.url, token)
    with closing(client_of(layout, TEAM)) as theirs, closing(client_of(layout, "rivals")) as own:
        yield Stage(attacker, theirs, own, happened(theirs, own))


def happened(theirs: Client, own: Client) -> dict[str, str]:
    """Let the other team have one of everything, as people and tasks make it. Returns the true ids."""
    wait_until(lambda: len(theirs.dags()) >= 2 and len(own.dags()) >= 2, "the DAGs are not loaded")
    theirs.set_connection(f"{TEAM}_conn", wire.ConnectionRequest(conn_type="http", password=INSIDE))
    theirs.set_variable(f"{TEAM}_key", wire.VariableRequest(value=INSIDE))
    theirs.set_pool(f"{TEAM}_pool", 3)
    run_id = theirs.trigger(f"{TEAM}_daily", wire.TriggerRequest()).run_id
    theirs.write_note(run_id, INSIDE)
    wait_until(lambda: bool(theirs.questions()), "nobody asks")
    wait_until(lambda: bool(theirs.asset_events(f"lake-{INSIDE}", 5)), "no event")
    hook = theirs.create_webhook(wire.WebhookRequest(name=f"{TEAM}_hook", asset=f"lake-{INSIDE}"))
    link = theirs.create_answer_link(run_id, "sign", wire.AnswerLinkRequest(recipient=INSIDE))
    return {
        "dag_id": f"{TEAM}_daily",
        "run_id": run_id,
        "with": run_id,
        "task_id": "sign",
        "conn_id": f"{TEAM}_conn",
        "key": f"{TEAM}_key",
        "link_id": link.id,
        "name": f"{TEAM}_hook",
        "asset": f"lake-{INSIDE}",
        "slug": hook.id,
        "file": f"{TEAM}_file.py",
        "version": "1",
        "number": "1",
        "q": INSIDE,
        "token_id": "1",
        "grant_id": "1",
        "backfill_id": "1",
        **DAY,
    }


def path_of(operation: Operation, ids: dict[str, str], *, named: bool) -> str:
    path = operation.path.format(
        **{name: quote(ids.get(name, "x"), safe="") for name in operation.path_names}
    )
    asked = {name: ids[name] for name in operation.query_names if named and name in ids}
    return f"{path}?{urlencode(asked)}" if asked else path


def test_with_true_ids_each_route_tells_and_does_nothing(stage: Stage) -> None:
    before = state_of(stage.theirs)
    told, done = [], []
    for operation in operations():
        if operation.streams or operation.kind in (Kind.OPEN, Kind.HERE):
            continue
        if operation.kind is Kind.OWN and operation.method != "GET":
            continue
        body = filled(operation.body, stage.ids)
        answer = stage.attacker.ask(
            operation.method, path_of(operation, stage.ids, named=True), body
        )
        said = answer.body.decode(errors="replace").replace(f"lake-{INSIDE}", "what it brought")
        if operation.query_names and '"q"' not in said:
            said = said.replace(f"{INSIDE!r}", "what it brought")
        if INSIDE in said:
            told.append((operation.name, answer.status, said[:300]))
        is_done = operation.kind is Kind.THING and answer.status < 400
        if is_done and operation.name not in (MAKES | OF_ITS_OWN):
            done.append((operation.name, answer.status, said[:300]))
        assert answer.status < 500, (operation.name, said)
    assert (told, done) == ([], [])
    assert state_of(stage.theirs) == before


def test_without_an_id_no_answer_names_the_other_team(stage: Stage) -> None:
    for operation in operations():
        if operation.method != "GET" or operation.streams or operation.path_names:
            continue
        query = {name: DAY[name] for name in operation.query_names if name in DAY}
        path = f"{operation.path}?{urlencode(query)}" if query else operation.path
        answer = stage.attacker.ask("GET", path)
        whole = answer.body.decode(errors="replace") + json.dumps(answer.headers)
        for word in (TEAM, INSIDE):
            known = word == INSIDE and operation.name in (
                "list_assets",
                "list_dependencies",
                "show_dag",
                "list_dags",
                "search",
            )
            assert word not in (whole.replace(f"lake-{INSIDE}", "") if known else whole), (
                operation.name,
                whole[:400],
            )


def test_from_inside_nothing_of_the_other_team_is_reached(stage: Stage) -> None:
    run_id = stage.own.trigger("thief", wire.TriggerRequest()).run_id
    wait_until(lambda: stage.own.run(run_id).ended_at is not None, "the thief does not end")
    (result,) = stage.own.xcoms(run_id)
    assert INSIDE not in json.dumps(result.value)
    assert len(result.value["found"]) == 8
    assert stage.own.runs(5, dag_id="listener") == [], "an event of another team starts nothing"


def filled(body: dict[str, Any] | None, ids: dict[str, str]) -> dict[str, Any] | None:
    if body is None:
        return None
    return {
        name: ([ids[name]] if isinstance(value, list) else ids[name]) if name in ids else value
        for name, value in body.items()
    }


def state_of(theirs: Client) -> Any:
    """What the other team has, as it sees it; without what moves by itself."""
    return (
        sorted((run.run_id, run.dag_id, run.note) for run in theirs.runs(50)),
        sorted(dag.dag_id for dag in theirs.dags() if dag.paused_at is None),
        [(question.task_id, question.run_id) for question in theirs.questions()],
        [hook.name for hook in theirs.webhooks()],
        [pool.name for pool in theirs.pools()],
        [each.conn_id for each in theirs.connections()],
        [each.key for each in theirs.variables()],
    )
