"""Airflow's own client against its API: what each answer holds, field by field; runs, instances and results."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from headway.api.airflow.facade import pattern_of
from headway.api.airflow.routes import NOT_ANSWERED, ROUTES
from headway.spec.model import Param
from headway.store.transact import Session
from tests.api import seed
from tests.api.airflows import (
    NOON,
    airflow,
    api,
    caller,
    described,
    flow_of_assets,
    refused,
    world,
)
from tests.api.browser import Browser

__all__ = ["api", "caller", "described", "flow_of_assets", "world"]


# -- the whole


def test_each_path_of_airflow_is_answered_or_told_why_not(described: dict[str, Any]) -> None:
    """None is left to a 404 that says nothing."""
    told = [(method, path) for method, path, _ in NOT_ANSWERED]
    for path, operations in described["paths"].items():
        example = "".join("x" if part in "{}" else part for part in path)
        for method in operations:
            if path.startswith("/api/v2/auth/"):
                continue
            answered = [
                r for r in ROUTES if r.method == method.upper() and r.pattern.fullmatch(example)
            ]
            assert answered or any(
                each == method.upper() and matches(pattern, example) for each, pattern in told
            ), (method, path)


def matches(path: str, example: str) -> bool:
    return pattern_of(path).fullmatch(example) is not None


def test_what_is_not_answered_says_why_in_airflows_form(caller: Browser) -> None:
    for method, path in (
        ("GET", "/api/v2/dags/d/dagRuns/r/taskInstances/t/links"),
        ("DELETE", "/api/v2/dags/d"),
        ("GET", "/api/v2/jobs"),
        ("PATCH", "/api/v2/pools"),
        ("DELETE", "/api/v2/assets/1/queuedEvents"),
        ("GET", "/api/v2/dags?is_favorite=true"),
    ):
        answer = caller.ask(method, path, {} if method == "PATCH" else None)
        assert answer.status == 501, (method, path, answer)
        assert set(answer.json) == {"detail"}
        assert "docs/from-airflow.md" in answer.json["detail"]


ANSWERS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("GET", "/dags", {}),
    ("GET", "/dags/d", {}),
    ("GET", "/dags/d/details", {}),
    ("GET", "/dags/d/tasks", {}),
    ("GET", "/dags/d/tasks/t1", {}),
    ("GET", "/dags/d/dagVersions", {}),
    ("GET", "/dags/d/dagVersions/1", {}),
    ("GET", "/dagStats?dag_ids=d", {}),
    ("GET", "/dagTags", {}),
    ("GET", "/dagWarnings", {}),
    ("GET", "/importErrors", {}),
    ("GET", "/dags/d/dagRuns", {}),
    ("GET", "/dags/d/dagRuns/r1", {}),
    ("POST", "/dags/d/dagRuns/list", {"page_limit": 2}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances", {}),
    ("POST", "/dags/d/dagRuns/r1/taskInstances/list", {"dag_ids": ["d"]}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t1", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t2/1", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t2/listMapped", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t1/tries", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t1/tries/1", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t2/1/tries", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t2/1/tries/1", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t1/dependencies", {}),
    ("GET", "/dags/d/dagRuns/r1/taskInstances/t0/xcomEntries", {}),
    ("POST", "/dags/d/clearTaskInstances", {"dag_run_id": "r1", "only_failed": False}),
    ("POST", "/dags/d/dagRuns/r1/clear", {}),
    ("GET", "/assets", {}),
    ("GET", "/assets/events", {}),
    ("GET", "/dags/reads/assets/queuedEvents", {}),
    ("GET", "/backfills?dag_id=d", {}),
    (
        *("POST", "/backfills/dry_run"),
        {"dag_id": "d", "from_date": "2026-01-01", "to_date": "2026-01-03"},
    ),
    (
        *("POST", "/backfills"),
        {"dag_id": "d", "from_date": "2026-01-01", "to_date": "2026-01-03"},
    ),
    ("GET", "/pools", {}),
    ("GET", "/version", {}),
    ("GET", "/monitor/health", {}),
)


def test_each_answer_has_the_fields_of_airflows(
    caller: Browser, world: None, flow_of_assets: None, described: dict[str, Any]
) -> None:
    caller.ask("POST", "/api/v1/assets/events", {"asset": "orders"})
    for method, path, body in ANSWERS:
        answer = caller.ask(method, f"/api/v2{path}", body if method == "POST" else None)
        assert answer.status in (200, 201), (path, answer)
        schema = schema_of(described, method, f"/api/v2{path.partition('?')[0]}", answer.status)
        assert not list(misfits(described, schema, answer.json, path)), path


def schema_of(described: dict[str, Any], method: str, path: str, status: int) -> Any:
    parts = path.split("/")
    fitting = []
    for pattern, operations in described["paths"].items():
        names = pattern.split("/")
        if len(names) != len(parts) or method.lower() not in operations:
            continue
        if all(n == p or n.startswith("{") for n, p in zip(names, parts, strict=True)):
            fitting.append((sum(n.startswith("{") for n in names), pattern))
    operation = described["paths"][min(fitting)[1]][method.lower()]
    return operation["responses"][str(status)]["content"]["application/json"]["schema"]


def misfits(described: dict[str, Any], schema: Any, value: Any, place: str) -> Iterator[str]:
    """Yield what a value lacks or has too much: required fields, unknown ones, kinds."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema or "oneOf" in schema:
        parts = schema.get("anyOf") or schema["oneOf"]
        if all(any(True for _ in misfits(described, part, value, place)) for part in parts):
            yield f"{place}: {value!r} is none of {parts}"
        return
    kind = schema.get("type")
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
        "number": (int, float), "null": type(None),
    }  # fmt: skip
    if kind and not isinstance(value, kinds[kind]):
        yield f"{place}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not among {schema['enum']}"
    if kind == "array":
        for each in value:
            yield from misfits(described, schema.get("items", {}), each, f"{place}[]")
    if kind == "object" and "properties" in schema:
        for name in set(schema.get("required", ())) - set(value):
            yield f"{place}.{name} is missing"
        for name, each in value.items():
            if name not in schema["properties"]:
                yield f"{place}.{name} is unknown to Airflow"
            else:
                yield from misfits(described, schema["properties"][name], each, f"{place}.{name}")


# -- runs


def test_a_run_has_the_id_that_its_caller_gives(api: Any, world: None, caller: Browser) -> None:
    runs = airflow.DagRunApi(api)
    body = airflow.TriggerDAGRunPostBody(
        dag_run_id="ci__2026-01-01T00:00:00+00:00", logical_date=None
    )
    made = runs.trigger_dag_run("d", body)
    assert made.dag_run_id == "ci__2026-01-01T00:00:00+00:00"
    status, why = refused(runs.trigger_dag_run, "d", body)
    assert (status, "already" in why) == (409, True)
    assert runs.get_dag_run("d", made.dag_run_id).dag_run_id == made.dag_run_id
    runs.trigger_dag_run("other", body)  # an id is of one DAG
    assert refused(runs.get_dag_run, "other", "orders-17")[0] == 404
    listed = runs.get_dag_runs("d", run_id_pattern="ci__%").dag_runs
    assert [each.dag_run_id for each in listed] == [made.dag_run_id]
    for wrong in ("a b", "a/b", "a\n"):
        wanted = {"dag_run_id": wrong, "logical_date": None}
        assert caller.ask("POST", "/api/v2/dags/d/dagRuns", wanted).status == 400


def test_two_callers_with_one_id_start_one_run(caller: Browser, world: None) -> None:
    """Ours says so too: ``given_id`` is refused the second time, an idempotency key is not."""
    path = "/api/v1/dags/d/runs"
    assert caller.ask("POST", path, {"given_id": "x"}).status == 201
    assert caller.ask("POST", path, {"given_id": "x"}).status == 409
    assert caller.ask("POST", path, {"idempotency_key": "x"}).status == 201
    assert caller.ask("POST", path, {"given_id": "y", "idempotency_key": "y"}).status == 400
    assert caller.ask("GET", "/api/v1/runs?given_id=x").status == 400
    found = caller.ask("GET", "/api/v1/runs?given_id=x&dag_id=d").json["items"]
    assert [each["given_id"] for each in found] == ["x"]


def test_runs_are_found_by_what_the_client_asks_for(api: Any, world: None) -> None:
    runs = airflow.DagRunApi(api)

    def ids(dag_id: str = "d", **query: Any) -> list[str]:
        return [each.dag_run_id for each in runs.get_dag_runs(dag_id, **query).dag_runs]

    assert ids() == ["r0", "orders-17", "r2"]  # an id with a slash is ours
    assert ids(order_by=["-logical_date"], limit=1) == ["r2"]
    assert ids(order_by=["-logical_date"], limit=1, offset=1) == ["orders-17"]
    assert ids(order_by=["state", "-run_id"]) == ["orders-17", "r2", "r0"]
    assert ids(state=["failed", "running"]) == ["orders-17", "r2"]
    assert ids("~", state=["failed"]) == ["orders-17", "o1"]
    assert ids("~", dag_id_pattern="oth%") == ["o1"]
    assert ids(run_type=["manual"]) == ["r0", "orders-17", "r2"]
    assert ids(run_type=["scheduled"]) == []
    assert ids(logical_date_gt=NOON, logical_date_lte=NOON + timedelta(minutes=1)) == ["orders-17"]
    assert ids(run_after_gte=NOON + timedelta(minutes=2)) == ["r2"]
    assert ids(end_date_lte=NOON) == ["r0"]
    assert ids(duration_gte=0.0, start_date_lt=NOON + timedelta(minutes=1)) == ["r0"]
    assert ids(run_id_prefix_pattern="orders") == ["orders-17"]
    assert ids(conf_contains="nothing") == []
    assert refused(runs.get_dag_runs, "d", order_by=["size"])[0] == 400
    batch = airflow.DAGRunsBatchBody(dag_ids=["d", "other"], states=["failed"], page_limit=10)
    found = runs.get_list_dag_runs_batch("~", batch)
    assert [each.dag_run_id for each in found.dag_runs] == ["orders-17", "o1"]


def test_a_wait_tells_the_state_until_the_run_has_ended(
    api: Any, url: str, world: None, conn: Session
) -> None:
    runs = airflow.DagRunApi(api)
    done = runs.wait_dag_run_until_finished("d", "orders-17", interval=1, result=["t0", "t2"])
    assert done == {"state": "failed", "results": {"t0": [1, 2], "t2": [0, 2, 4]}}
    answer = runs.wait_dag_run_until_finished_without_preload_content("d", "r2", interval=0.01)
    lines = iter(answer.stream(1))
    first = b""
    while not first.endswith(b"\n"):
        first += next(lines)
    assert json.loads(first) == {"state": "running"}
    conn.execute("UPDATE run SET state = 'success', ended_at = now() WHERE run_id = 'r2'")
    rest = b"".join(lines).splitlines()
    assert json.loads(rest[-1]) == {"state": "success"}
    assert refused(runs.wait_dag_run_until_finished, "d", "nosuch", interval=1)[0] == 404


def test_a_run_is_cleared_and_marked(api: Any, world: None) -> None:
    runs = airflow.DagRunApi(api)
    body = airflow.DAGRunClearBody(only_failed=True)
    # The client cannot read this answer, of Airflow neither: two of its types fit an instance.
    would = runs.clear_dag_run_without_preload_content("d", "orders-17", body)
    found = json.loads(would.data)["task_instances"]
    assert "t1" in [each["task_id"] for each in found]
    assert runs.get_dag_run("d", "orders-17").state == "failed"
    runs.clear_dag_run("d", "orders-17", airflow.DAGRunClearBody(dry_run=False, note="again"))
    cleared = runs.get_dag_run("d", "orders-17")
    assert (cleared.state in ("queued", "running"), cleared.note) == (True, "again")
    marked = runs.patch_dag_run("d", "r2", airflow.DAGRunPatchBody(state="failed"))
    assert marked.dag_run_id == "r2"


# -- task instances and results


def test_results_are_listed_and_read_also_of_mapped_instances(api: Any, world: None) -> None:
    xcoms = airflow.XComApi(api)
    listed = xcoms.get_xcom_entries("d", "orders-17", "t0").xcom_entries
    assert [(each.key, each.map_index) for each in listed] == [("note", -1), ("return_value", -1)]
    every = xcoms.get_xcom_entries("d", "r1", "~", limit=100)
    assert (every.total_entries, len(every.xcom_entries)) == (5, 5)
    mapped = xcoms.get_xcom_entries("d", "r1", "t2", map_index=2).xcom_entries
    assert [(each.key, each.map_index) for each in mapped] == [("return_value", 2)]
    only = xcoms.get_xcom_entries("d", "r1", "t0", xcom_key="note").xcom_entries
    assert [each.key for each in only] == ["note"]

    def entry(task_id: str, key: str, **more: Any) -> Any:
        place = {"dag_id": "d", "dag_run_id": "r1", "task_id": task_id, "xcom_key": key}
        return xcoms.get_xcom_entry(**place, **more)

    def value(task_id: str, key: str, **more: Any) -> Any:
        return entry(task_id, key, **more).to_dict()["value"]

    assert value("t0", "return_value") == [1, 2]
    assert value("t0", "return_value", stringify=True) == "[1, 2]"
    assert value("t2", "return_value", map_index=2) == 4
    assert refused(entry, "t2", "return_value")[0] == 404
    assert refused(entry, "t0", "note", deserialize=True)[0] == 501


def test_tries_of_an_instance_are_told(api: Any, world: None) -> None:
    instances = airflow.TaskInstanceApi(api)
    tries = instances.get_task_instance_tries("d", "r1", "t1").task_instances
    assert [(each.try_number, each.state, each.hostname) for each in tries] == [
        (1, "failed", "local")
    ]
    one = instances.get_mapped_task_instance_try_details("d", "r1", "t2", 1, 1)
    assert (one.map_index, one.try_number) == (1, 1)
    assert refused(instances.get_task_instance_try_details, "d", "r1", "t1", 7)[0] == 404


def test_instances_are_found_by_what_the_client_asks_for(api: Any, world: None) -> None:
    instances = airflow.TaskInstanceApi(api)

    def found(run_id: str = "r1", dag_id: str = "d", **query: Any) -> list[tuple[str, int]]:
        page = instances.get_task_instances(dag_id, run_id, **query)
        return [(each.task_id, each.map_index) for each in page.task_instances]

    assert found(state=["failed"]) == [("t1", -1)]
    assert found(task_id="t0") == [("t0", -1)]
    assert found(map_index=[1]) == [("t2", 1)]
    assert found(order_by=["-map_index"], limit=1) == [("t2", 2)]
    assert found("~", state=["failed"]) == [("t1", -1)]
    assert found("~", "~", state=["failed"]) == [("t1", -1)]
    batch = airflow.TaskInstancesBatchBody(dag_ids=["d"], state=["failed"])
    page = instances.get_task_instances_batch("~", "~", batch)
    assert [each.task_id for each in page.task_instances] == ["t1"]


def test_instances_are_cleared_and_marked(api: Any, world: None) -> None:
    instances = airflow.TaskInstanceApi(api)

    def clear(**body: Any) -> list[tuple[str, int]]:
        wanted = airflow.ClearTaskInstancesBody.from_dict(body)
        page = instances.post_clear_task_instances("d", wanted)
        return sorted((each.task_id, each.map_index) for each in page.task_instances)

    assert clear(dag_run_id="orders-17") == [("t1", -1)]  # failed ones, as a dry run
    some = {"dag_run_id": "r1", "only_failed": False}
    assert clear(**some, task_ids=[["t2", 1]]) == [("t2", 1)]
    assert clear(**some, task_ids=["t0"]) == [("t0", -1)]
    assert ("t1", -1) in clear(**some, task_ids=["t0"], include_downstream=True)
    assert clear(start_date=NOON + timedelta(minutes=1)) == [("t1", -1)]
    assert clear(end_date=NOON) == []
    assert instances.get_task_instance("d", "r1", "t1").state == "failed"

    body = airflow.PatchTaskInstanceBody(new_state="success")
    would = instances.patch_task_instance_dry_run("d", "r1", "t1", body)
    assert [each.task_id for each in would.task_instances] == ["t1"]
    assert instances.get_task_instance("d", "r1", "t1").state == "failed"
    marked = instances.patch_task_instance("d", "r1", "t1", body).task_instances
    assert [(each.task_id, each.state) for each in marked] == [("t1", "success")]
    one = airflow.PatchTaskInstanceBody(new_state="failed")
    mapped = instances.patch_task_instance_by_map_index("d", "r1", "t2", 1, one).task_instances
    assert [(each.map_index, each.state) for each in mapped] == [(1, "failed")]
    skipped = airflow.PatchTaskInstanceBody(new_state="skipped")
    assert refused(instances.patch_task_instance, "d", "r1", "t1", skipped)[0] == 501
    past = airflow.ClearTaskInstancesBody(dag_run_id="r1", include_past=True)
    assert refused(instances.post_clear_task_instances, "d", past)[0] == 501


def test_conf_obeys_the_schema_of_params(api: Any, conn: Session) -> None:
    day = Param(
        name="day", type="integer", default=1, schema={"maximum": 31}, title="Day", description="of"
    )
    seed.dag(conn, "asked", params=(day,))
    runs = airflow.DagRunApi(api)
    status, why = refused(
        runs.trigger_dag_run,
        "asked",
        airflow.TriggerDAGRunPostBody(dag_run_id="x", logical_date=NOON, conf={"day": 32}),
    )
    assert status in (400, 422)
    assert "is 32, but must be at most 31" in str(why)
    body = airflow.TriggerDAGRunPostBody(dag_run_id="x", logical_date=NOON, conf={"day": 31})
    assert runs.trigger_dag_run("asked", body).conf == {"day": 31}
    params = airflow.DAGApi(api).get_dag_details("asked").params
    assert params["day"] == {
        "value": 1,
        "schema": {"type": "integer", "maximum": 31, "title": "Day"},
        "description": "of",
        "source": "dag",
    }
