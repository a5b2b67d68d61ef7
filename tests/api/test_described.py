"""What the OpenAPI document says of bounds, examples, refusals and headers, held against the server."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import pytest

from headway import wire
from headway.api import refusals
from headway.errors import HTTP_STATUS
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Browser
from tests.api.described import document

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
WHOLE = "urn:headway:api"
REGISTRY = jsonschema_rs.Registry([(WHOLE, DOCUMENT)])
FILLED = {"run_id": "r1", "dag_id": "d", "task_id": "t0", "version": "1", "number": "1"}

Operation = tuple[str, str, dict[str, Any]]


def operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of its body and of every answer."""
    holders = {"body": operation.get("requestBody", {}), **operation["responses"]}
    for name, holder in holders.items():
        for kind, found in resolved(holder).get("content", {}).items():
            yield f"{name} {kind}", found


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Of a part of the document; what it refers to is read from the one copy of the whole."""
    alone = json.loads(json.dumps(schema).replace('"#/', f'"{WHOLE}#/'))
    return jsonschema_rs.Draft202012Validator(alone, registry=REGISTRY)


def test_every_body_and_answer_has_an_example_that_fits_its_schema() -> None:
    wrong, count = [], 0
    for method, path, operation in operations():
        for name, found in media(operation):
            where = f"{method} {path} {name}"
            count += 1
            if "example" not in found:
                wrong.append(f"{where}: none")
                continue
            for error in validator(found["schema"]).iter_errors(found["example"]):
                wrong.append(f"{where}: {error.instance_path} {error.message}")
    assert wrong == []
    assert count > 500


def test_every_refusal_is_a_problem_with_its_codes() -> None:
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                content = resolved(answer)["content"]
                assert list(content) == ["application/problem+json"], f"{method} {path}"
                assert content["application/problem+json"]["schema"]["allOf"][1]["properties"][
                    "code"
                ]


def test_every_error_of_the_tree_is_declared_but_our_own_mistakes() -> None:
    declared = {code for status in refusals.REFUSALS for code in refusals.codes_of(status)}
    tree = {wire.code_of(kind) for kind, status in HTTP_STATUS.items() if status != 500}
    assert tree <= declared


def test_headers_are_declared_where_they_mean_something() -> None:
    takes: dict[str, set[str]] = {}
    for method, path, operation in operations():
        for parameter in operation["parameters"]:
            if "$ref" in parameter:
                takes.setdefault(resolved(parameter)["name"], set()).add(f"{method} {path}")
        if "304" in operation["responses"]:
            assert "ETag" in operation["responses"]["200"]["headers"]
    assert "get /api/v1/runs" in takes["If-None-Match"]
    assert not [each for each in takes["If-None-Match"] if not each.startswith("get")]
    assert "post /api/v1/dags/{dag_id}/runs" in takes["Idempotency-Key"]
    assert "post /api/v1/session" not in takes["Headway-Team"]
    assert "Retry-After" in DOCUMENT["components"]["responses"]["TooManyRequests"]["headers"]


# -- bounds: what is declared is enforced, and the edge itself is let in


def beyond(schema: dict[str, Any]) -> Iterator[Any]:
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield ""
    if "enum" in schema:
        yield "no such word"


def edges(schema: dict[str, Any]) -> Iterator[Any]:
    yield from (schema[name] for name in ("minimum", "maximum") if name in schema)
    yield from schema.get("enum", ())


def queries() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for method, path, operation in operations():
        if method == "get" and not path.endswith("/stream"):
            given = [each for each in operation["parameters"] if each.get("in") == "query"]
            for parameter in given:
                others = {each["name"]: needed(each) for each in given if each.get("required")}
                yield path, parameter, others


NEEDED = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-01-02T00:00:00Z",
    "q": "x",
    "with": "r1",
    "asset": "orders",
    "airflow_run": "r1",
}


def needed(parameter: dict[str, Any]) -> Any:
    return NEEDED[parameter["name"]] if parameter["schema"]["type"] == "string" else 1


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: FILLED.get(match[1], "zz"), path)


@pytest.fixture
def busy(conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    for task in ("t0", "t1", "t2"):
        seed.instance(conn, "r1", task, "success")


@pytest.mark.usefixtures("busy")
def test_bounds_of_queries_are_enforced_as_declared(url: str) -> None:
    admin, wrong, count = people.local(url), [], 0
    for path, parameter, others in queries():
        for value in beyond(parameter["schema"]):
            asked = urlencode({**others, parameter["name"]: value})
            answer = admin.ask("GET", f"{filled(path)}?{asked}")
            count += 1
            if answer.status != 400:
                wrong.append(f"{path} {parameter['name']}={str(value)[:30]}: {answer.status}")
        for value in edges(parameter["schema"]):
            if parameter["name"] == "wait_s":
                continue
            asked = urlencode({**others, parameter["name"]: value})
            answer = admin.ask("GET", f"{filled(path)}?{asked}")
            if answer.status == 400 and "Expected" in answer.json["detail"]:
                wrong.append(f"{path} {parameter['name']}={value}: {answer.json}")
    assert wrong == []
    assert count > 100


@pytest.mark.usefixtures("busy")
def test_no_integer_and_no_id_is_without_bounds(url: str) -> None:
    admin = people.local(url)
    for method, path, operation in operations():
        for parameter in map(resolved, operation["parameters"]):
            where, schema = f"{method} {path} {parameter['name']}", parameter["schema"]
            if schema.get("type") == "integer":
                assert {"minimum", "maximum", "format"} <= set(schema), where
            if parameter["in"] == "path" and schema["type"] == "string":
                assert schema["maxLength"] == 250, where
                long = filled(path.replace(f"{{{parameter['name']}}}", quote("x" * 251)))
                if method == "get":
                    assert admin.ask("GET", long).status == 400, where


def bodies() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    for method, path, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if found := content.get("application/json"):
            yield method.upper(), path, resolved(found["schema"]), found["example"]


def of_field(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("oneOf", [schema]) if kind.get("type") != "null"]
    return {**{k: v for k, v in schema.items() if k != "oneOf"}, **resolved(kinds[0])}


@pytest.mark.usefixtures("busy")
def test_bounds_of_bodies_are_enforced_as_declared(url: str) -> None:
    admin, wrong, count = people.local(url), [], 0
    people.create(url, "zz", "viewer")
    for method, path, schema, example in bodies():
        for name, field in schema["properties"].items():
            for value in beyond(of_field(field)):
                count += 1
                answer = admin.ask(method, filled(path), {**example, name: value})
                if answer.status != 400:
                    wrong.append(f"{method} {path} {name}={str(value)[:30]}: {answer.status}")
    assert wrong == []
    assert count > 20


@pytest.mark.usefixtures("busy")
def test_every_example_of_a_body_is_understood(url: str) -> None:
    """It makes sense to the server, whatever it then finds or not."""
    local: Browser = people.local(url)
    people.create(url, "zz", "viewer")
    people.create(url, "ada", "operator")
    for method, path, _, example in bodies():
        answer = local.ask(method, filled(path), example)
        assert answer.status < 300 or answer.status in (401, 404, 409), f"{path} {answer.body!r}"
    assert API
