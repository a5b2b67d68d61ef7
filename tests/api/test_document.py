"""The OpenAPI document is complete, and true: schemathesis asks what it allows, and what it does not."""

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from headway.api.document import document
from headway.api.live import watcher
from headway.api.routes import runs as run_routes
from headway.client import Client
from headway.config import Layout
from headway.paths import log_path
from headway.store.transact import Session
from tests.api import seed as rows
from tests.api.conftest import TOKEN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 2  # of each operation and mode; `make stress` asks with two hundred
# Names that exist, so that not every question ends at "there is no such thing".
KNOWN: dict[str, list[str | int]] = {
    "run_id": ["r1", "@latest", "@failed"],
    "dag_id": ["d"],
    "task_id": ["t0", "t1"],
    "name": ["default", "admin"],
    "version": [1],
    "number": [1],
    "backfill_id": ["f1"],
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_operation_says_what_it_is() -> None:
    found = list(operations())
    names = Counter(operation["operationId"] for _, _, operation in found)
    assert [name for name, count in names.items() if count > 1] == []
    for method, path, operation in found:
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["tags"], where
        assert {"400", "401", "403", "404", "429"} <= set(operation["responses"]), where
        for parameter in operation["parameters"]:
            assert "$ref" in parameter or parameter.get("description"), f"{where}: {parameter}"


def test_the_server_has_the_same_document(client: Client) -> None:
    assert client.document() == msgspec.json.decode(msgspec.json.encode(document()))


@pytest.fixture
def busy(conn: Session, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something of everything; and nobody waits long."""
    rows.dag(conn, "d")
    rows.run(conn, "d", "r1")
    rows.run(conn, "d", "r2", state="failed")
    conn.execute(
        "INSERT INTO backfill (team_id, backfill_id, dag_id, first_date, last_date, max_active_runs,"
        " created_by, created_at) VALUES (1, 'f1', 'd', now(), now(), 2, 'user:admin', now())"
    )
    for task, state in (("t0", "success"), ("t1", "failed")):
        for run in ("r1", "r2"):
            rows.instance(conn, run, task, state)
            rows.attempt(conn, run, task, detail="ValueError: no flights")
            log = layout.data / log_path(run, task, -1, 1)
            log.parent.mkdir(parents=True)
            log.write_bytes(b"one\ntwo \xff\n")
    monkeypatch.setattr(watcher, "LIFE_S", 0.05)
    monkeypatch.setattr(run_routes, "WAIT_S_MAX", 0.05)


def examples() -> int:
    return int(os.environ.get("HEADWAY_EXAMPLES", EXAMPLES))


def failures(url: str, count: int) -> list[str]:
    """All that is wrong, not only the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema: Any = schemathesis.openapi.from_dict(document())
        return [
            trouble
            for found in schema.get_all_operations()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            for trouble in judged(found.ok(), mode, url, count)
        ]


def judged(operation: Any, mode: GenerationMode, url: str, count: int) -> list[str]:
    found: list[str] = []

    @seed(2013)
    @settings(
        max_examples=count,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            # What exists first: the first example of all is the one in which every draw is the least.
            if name in KNOWN and not data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(KNOWN[name]))
        # Who asks is not drawn, and a cookie that is no header would end at the parser, before any route.
        for name in ("Authorization", "Headway-Team", "Cookie"):
            (case.headers or {}).pop(name, None)
        (case.cookies or {}).clear()
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
        try:
            case.validate_response(response, checks=CHECKS)
        except (Exception, BaseExceptionGroup) as error:
            found.append(f"{operation.label}: {error}")

    try:
        ask()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:
            found.append(f"{operation.label}: {type(error).__name__}: {error}")
    return found[:2]


@pytest.mark.long
@pytest.mark.usefixtures("busy")
def test_answers_are_as_declared(url: str) -> None:
    assert failures(url, examples()) == []


@pytest.mark.stress
@pytest.mark.usefixtures("busy")
def test_answers_are_as_declared_for_longer(url: str) -> None:
    assert failures(url, 200) == []
