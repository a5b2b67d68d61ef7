"""A secret that a task is handed, in whatever a task can tell: questions, callbacks, names, events; and the secrets of
webhooks and links: read through each route, and found nowhere afterwards.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway import clock, wire
from headway.agent.masking import forms
from headway.client import Client, client_of
from headway.config import Layout
from headway.core.webhooks import sign
from tests.api.test_webhooks import post
from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag, wait_until
from tests.secrets.test_canary import everything_of, give

pytestmark = pytest.mark.long

TASKS = ("sign", "pick", "fill", "fail")
CANARY = "c4nary 'told'/by+tasks=\"&ä"
DAGS = """
from headway import Asset, Param, Run, approve, ask, choose, connection, dag, get_current_context, task

lake = Asset("lake")


def tell(run: Run, when: str, reason: str, key: str) -> None:
    # Nothing was handed to this process: what it prints is what it was told.
    print("called", when, "because", reason)


@dag(on_failure_callback=tell)
def told():
    @task
    def read() -> str:
        return f"for {connection('told').password}"

    @task(outlets=[lake], map_index_template="of {{ name }}")
    def update(run: Run, at: int) -> None:
        secret = connection("told").password
        get_current_context()["name"] = secret
        run.outlet_events[lake].extra = {secret: [secret], "n": 7}

    @task(on_failure_callback=tell, retries=0)
    def fail(chosen: object) -> None:
        raise ValueError(f"cannot use {connection('told').password}")

    secret = read()
    approved = approve(task_id="sign", subject="May {{ conn.told.password }} go out?", body=secret)
    chosen = choose(task_id="pick", subject="Which?", body="{{ conn.told.password }}", options=["one", "two"])
    filled = ask(task_id="fill", subject="Fill in", body=secret, params={"n": Param(7, description="how many")})
    update.expand(at=[0, 1])
    approved >> chosen >> filled
    fail(filled)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("told")
    (folder / "dags").mkdir()
    (folder / "dags" / "told.py").write_text(DAGS)
    copy_data(data, folder)
    process = start(folder)
    for dag_id in ("told", "told.callbacks"):
        wait_for_dag(folder / ".headway", dag_id)
    give(folder, CANARY, "conn", "set", "told", "--type", "aws", "--password")
    yield folder
    stop(process)


def files_of(folder: Path) -> Iterator[str]:
    """What lies in the data directory, but for what only the server and its tasks read (ADR 50)."""
    data = folder / ".headway"
    private = (data / "postgres", data / "xcom", data / "secrets.key", data / "run" / "token")
    for file in sorted(data.rglob("*")):
        if file.is_file() and not any(file.is_relative_to(one) for one in private):
            yield file.read_bytes().decode(errors="replace")


def ended(client: Client, run_id: str) -> bool:
    return client.run(run_id).ended_at is not None


def calls(client: Client) -> list[str]:
    """Return the calls of callbacks that have ended."""
    return [run.run_id for run in client.runs(10, dag_id="told.callbacks") if run.ended_at]


def about(client: Client, run_id: str) -> Iterator[str]:
    more = {"conn_id": "told", "name": "feed", "q": "of"}
    yield from everything_of(client, run_id, "told", TASKS, **more)
    yield from everything_of(client, run_id, "told", ("update",), **{**more, "name": "lake"})


def answered(client: Client, run_id: str, task_id: str, request: wire.AnswerRequest) -> str:
    """Wait for a question and answer it. Returns what people see of it."""

    def is_open() -> bool:
        return any(each.task_id == task_id for each in client.questions(run_id=run_id))

    wait_until(is_open, f"{task_id} does not ask")
    seen = "\n".join(about(client, run_id))
    client.answer(run_id, task_id, request)
    return seen


def test_what_a_task_is_handed_is_in_nothing_that_it_tells(home: Path) -> None:
    with closing(client_of(Layout(home / ".headway"))) as client:
        run_id = client.trigger("told", wire.TriggerRequest()).run_id
        seen = [
            answered(client, run_id, "sign", wire.AnswerRequest(chosen_options=["Approve"])),
            answered(client, run_id, "pick", wire.AnswerRequest(chosen_options=["two"])),
            answered(client, run_id, "fill", wire.AnswerRequest(params_input={"n": 8})),
        ]
        wait_until(lambda: ended(client, run_id), "the run does not end")
        wait_until(lambda: len(calls(client)) >= 2, "the callbacks are not called")
        seen += [*about(client, run_id), *files_of(home)]
        for call in calls(client):
            seen += everything_of(client, call, "told.callbacks", ("call",))
    for command in (("show", run_id), ("logs", run_id), ("why", run_id), ("asset", "show", "lake")):
        seen.append(headway(*command, cwd=home).stdout)
    whole = "\n".join(seen)
    for shown in (
        "May *** go out?",
        "for ***",
        "of ***",
        "cannot use ***",
        "because",
        '"***": ["***"]',
    ):
        assert (
            shown in whole or json.dumps(shown)[1:-1] in whole or shown.replace(" ", "") in whole
        ), shown
    assert [form for form in forms(CANARY) if form in whole.encode()] == []


def test_the_secrets_of_webhooks_and_links_are_shown_once(home: Path) -> None:
    with closing(client_of(Layout(home / ".headway"))) as client:
        made = client.create_webhook(
            wire.WebhookRequest(name="feed", asset="lake", fields={"n": "n"})
        )
        body = b'{"n": 1}'
        url = client.url + made.url[made.url.index("/api/") :]
        header = sign(made.secret, clock.now(), body)
        status, _ = post(url, body, {"X-Headway-Signature": header})
        assert status in (200, 201, 202)
        post(url, body, {"X-Headway-Signature": header.replace("v1=", "v1=0")})
        rotated = client.rotate_webhook("feed", 24)
        run_id = client.trigger("told", wire.TriggerRequest()).run_id
        wait_until(lambda: bool(client.questions(run_id=run_id)), "nobody asks")
        link = client.create_answer_link(run_id, "sign", wire.AnswerLinkRequest(recipient="ann"))
        secrets = [
            made.secret,
            rotated.secret,
            header.partition("v1=")[2],
            link.url.partition("#")[2],
        ]
        assert all(len(secret) > 16 for secret in secrets), secrets
        seen = [*about(client, run_id), *files_of(home)]
        client.cancel(run_id)
    for command in (
        ("webhook", "ls"),
        ("webhook", "show", "feed"),
        ("webhook", "deliveries", "feed"),
    ):
        seen.append(headway(*command, cwd=home).stdout)
    whole = "\n".join(seen)
    assert "feed" in whole
    assert [secret for secret in secrets if secret in whole] == []
    database = [f.read_bytes() for f in (home / ".headway" / "postgres").rglob("*") if f.is_file()]
    assert [s for s in secrets if any(s.encode() in content for content in database)] == []
