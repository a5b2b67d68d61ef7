"""Airflow's own client against the paths of its API: what each answer holds, field by field."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from airflow_client.client.exceptions import ApiException

from headway.api.airflow.routes import NOT_ANSWERED, ROUTES
from headway.spec import model
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import Browser
from tests.api.conftest import TOKEN

NOON: Final = seed.NOON
airflow: Any = import_module(
    "airflow_client.client"
)  # with types that Airflow itself does not heed


def document() -> dict[str, Any]:
    """The OpenAPI document that the installed Airflow ships."""
    found = find_spec("airflow")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "api_fastapi/core_api/openapi"
    yaml: Any = import_module("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load((folder / "v2-rest-api-generated.yaml").read_bytes(), loader)
    return read


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


@pytest.fixture
def api(url: str) -> Iterator[Any]:
    with airflow.ApiClient(airflow.Configuration(host=url, access_token=TOKEN)) as found:
        yield found


@pytest.fixture
def caller(url: str) -> Browser:
    return people.local(url)


@pytest.fixture
def world(conn: Session) -> None:
    """Two DAGs; of one, runs with results, a mapped task, and a failure."""
    seed.dag(conn, "d")
    seed.dag(conn, "other")
    for minute, (run_id, state) in enumerate(
        (("r0", "success"), ("r1", "failed"), ("r2", "running"))
    ):
        seed.run(conn, "d", run_id, minute=minute, state=state)
    seed.run(conn, "other", "o1", minute=5, state="cancelled")
    conn.execute("UPDATE run SET run_key = 'manual:ci/17' WHERE run_id = 'r0'")
    conn.execute("UPDATE run SET run_key = 'manual:orders-17' WHERE run_id = 'r1'")
    seed.instance(conn, "r1", "t0", "success")
    seed.instance(conn, "r1", "t1", "failed")
    for index in range(3):
        seed.instance(conn, "r1", "t2", "success", index)
        seed.attempt(conn, "r1", "t2", index)
    seed.attempt(conn, "r1", "t0")
    seed.attempt(conn, "r1", "t1", detail="ValueError: no")
    values: list[tuple[str, int, str, Any]] = [
        ("t0", -1, "return_value", [1, 2]),
        ("t0", -1, "note", "hello"),
    ]
    values += [("t2", index, "return_value", index * 2) for index in range(3)]
    for task_id, index, key, value in values:
        conn.execute(
            "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, size)"
            " VALUES (1, 'r1', %s, %s, %s, 1, %s, 1)",
            [task_id, index, key, json.dumps(value)],
        )


@pytest.fixture
def flow_of_assets(conn: Session) -> None:
    seed.dag(conn, "makes")
    seed.dag(conn, "reads")
    conn.execute(
        "INSERT INTO asset VALUES (1, 'orders', 's3://orders', 'g', '{\"a\": 1}', %s)", [NOON]
    )
    conn.execute("INSERT INTO asset VALUES (1, 'rates', 's3://rates', '', '{}', %s)", [NOON])
    conn.execute("INSERT INTO asset_use VALUES (1, 'makes', 'orders', 't0', 'outlet')")
    conn.execute("INSERT INTO asset_use VALUES (1, 'reads', 'orders', 't0', 'inlet')")
    conn.execute(
        "INSERT INTO asset_consumer VALUES (1, 'reads', 'orders', 0, 3, 2, %(at)s, %(at)s)",
        {"at": NOON},
    )
    reads = model.Dag(
        dag_id="reads",
        file="reads.py",
        tasks=(model.Task(task_id="t0"),),
        schedule={"assets": "orders"},
        assets=(model.Asset(name="orders"),),
    )
    conn.execute(
        "UPDATE dag_version SET spec = %s WHERE dag_id = 'reads'", [model.encode(reads).decode()]
    )


def refused(call: Any, *given: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(ApiException) as caught:
        call(*given, **more)
    body = json.loads(str(caught.value.body))
    assert set(body) == {"detail"}
    return int(caught.value.status), str(body["detail"])


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
    from headway.api.airflow.facade import pattern_of

    return pattern_of(path).fullmatch(example) is not None


def test_what_is_not_answered_says_why_in_airflows_form(caller: Browser) -> None:
    for method, path in (
        ("GET", "/api/v2/dags/d/dagRuns/r/taskInstances/t/links"),
        ("DELETE", "/api/v2/dags/d"),
        ("GET", "/api/v2/jobs"),
        ("PATCH", "/api/v2/pools"),
        ("GET", "/api/v2/assets/aliases"),
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
    mapped = instances.patch_mapped_task_instance("d", "r1", "t2", 1, one).task_instances
    assert [(each.map_index, each.state) for each in mapped] == [(1, "failed")]
    skipped = airflow.PatchTaskInstanceBody(new_state="skipped")
    assert refused(instances.patch_task_instance, "d", "r1", "t1", skipped)[0] == 501
    past = airflow.ClearTaskInstancesBody(dag_run_id="r1", include_past=True)
    assert refused(instances.post_clear_task_instances, "d", past)[0] == 501


# -- DAGs


def test_a_dag_is_described(api: Any, world: None, conn: Session) -> None:
    dags, tasks = airflow.DAGApi(api), airflow.TaskApi(api)
    details = dags.get_dag_details("d")
    assert (details.dag_id, details.params, details.timezone) == ("d", {"size": 3}, "UTC")
    assert details.latest_dag_version.version_number == 1
    assert [each.task_id for each in tasks.get_tasks("d").tasks] == ["t0", "t1", "t2"]
    one = tasks.get_task("d", "t0")
    assert (one.downstream_task_ids, one.retry_delay.seconds) == (["t1"], 300)
    versions = airflow.DagVersionApi(api)
    assert [each.version_number for each in versions.get_dag_versions("d").dag_versions] == [1]
    assert versions.get_dag_version("d", 1).dag_id == "d"
    assert refused(versions.get_dag_version, "d", 7)[0] == 404
    (stats,) = airflow.DagStatsApi(api).get_dag_stats(dag_ids=["d"]).dags
    assert {each.state: each.count for each in stats.stats if each.count} == {
        "success": 1,
        "failed": 1,
        "running": 1,
    }
    assert dags.get_dag_tags().tags == ["demo"]
    assert [each.dag_id for each in dags.get_dags(dag_id_pattern="oth%").dags] == ["other"]
    assert [each.dag_id for each in dags.get_dags(tags=["demo"], order_by=["-dag_id"]).dags] == [
        "other",
        "d",
    ]
    conn.execute(
        "INSERT INTO import_error (team_id, file, line, message, at, since, bundle_version)"
        " VALUES (1, 'bad.py', 3, 'no', %(at)s, %(at)s, 'b1')",
        {"at": NOON},
    )
    errors = airflow.ImportErrorApi(api)
    (error,) = errors.get_import_errors().import_errors
    assert (error.filename, error.stack_trace) == ("bad.py", "bad.py:3: no")
    assert errors.get_import_error(error.import_error_id).filename == "bad.py"
    assert airflow.DagWarningApi(api).list_dag_warnings().dag_warnings == []


# -- assets


def test_assets_and_their_events(api: Any, flow_of_assets: None) -> None:
    assets = airflow.AssetApi(api)
    orders, _ = assets.get_assets(order_by=["name"]).assets
    assert (orders.name, orders.uri, orders.extra) == ("orders", "s3://orders", {"a": 1})
    assert [each.dag_id for each in orders.scheduled_dags] == ["reads"]
    assert [each.dag_id for each in orders.producing_tasks] == ["makes"]
    assert assets.get_asset(orders.id).name == "orders"
    assert refused(assets.get_asset, 7)[0] == 404
    body = airflow.CreateAssetEventsBody(asset_id=orders.id, extra={"rows": 3}, partition_key="p1")
    made = assets.create_asset_event(body)
    assert (made.name, made.extra, made.partition_key) == ("orders", {"rows": 3}, "p1")
    listed = assets.get_asset_events(asset_id=orders.id).asset_events
    assert [each.id for each in listed] == [made.id]
    assert assets.get_asset_events(source_dag_id="makes").asset_events == []
    assert [e.id for e in assets.get_asset_events(order_by=["-timestamp"]).asset_events] == [
        made.id
    ]
    for found in (
        assets.get_dag_asset_queued_events("reads"),
        assets.get_asset_queued_events(orders.id),
    ):
        assert [(e.dag_id, e.asset_id) for e in found.queued_events] == [("reads", orders.id)]
    one = assets.get_dag_asset_queued_event("reads", orders.id)
    assert (one.dag_id, one.created_at) == ("reads", NOON)
    assert refused(assets.get_dag_asset_queued_events, "makes")[0] == 404
    made_run = assets.materialize_asset(orders.id, airflow.MaterializeAssetBody(dag_run_id="now"))
    assert (made_run.dag_id, made_run.dag_run_id) == ("makes", "now")


# -- backfills


def test_a_backfill_is_tried_created_and_cancelled(api: Any, world: None) -> None:
    backfills = airflow.BackfillApi(api)
    body = airflow.BackfillPostBody(
        dag_id="d",
        from_date=datetime(2026, 2, 1, tzinfo=UTC),
        to_date=datetime(2026, 2, 3, 23, tzinfo=UTC),
        dag_run_conf={"size": 5},
        max_active_runs=2,
    )
    would = backfills.create_backfill_dry_run(body).backfills
    assert [each.logical_date.day for each in would] == [1, 2, 3]
    assert backfills.list_backfills("d").backfills == []
    made = backfills.create_backfill(body)
    assert (made.dag_id, made.max_active_runs, made.completed_at) == ("d", 2, None)
    assert [each.id for each in backfills.list_backfills("d").backfills] == [made.id]
    runs = airflow.DagRunApi(api).get_dag_runs("d", run_type=["backfill"]).dag_runs
    assert [each.conf for each in runs] == [{"size": 5}] * 3
    assert backfills.get_backfill(made.id).id == made.id
    assert backfills.cancel_backfill(made.id).completed_at is not None
    assert refused(backfills.cancel_backfill, made.id)[0] == 409
    assert refused(backfills.get_backfill, 1)[0] == 404
    assert refused(backfills.create_backfill, body)[0] == 409
    back = airflow.BackfillPostBody(**{**body.to_dict(), "run_backwards": True})
    assert refused(backfills.create_backfill, back)[0] == 501


# -- connections


def test_a_stored_connection_is_tried_by_an_agent(api: Any) -> None:
    connections = airflow.ConnectionApi(api)
    body = airflow.ConnectionBody(connection_id="lake", conn_type="http", host="lake.example")
    assert refused(connections.test_connection, body)[0] == 404
    connections.post_connection(body)
    status, why = refused(connections.test_connection, body)
    assert (status, "no agent of the team is connected" in why) == (409, True)
    other = airflow.ConnectionBody(connection_id="lake", conn_type="http", host="other.example")
    assert refused(connections.test_connection, other)[0] == 501
    found = connections.get_connections(connection_id_pattern="la%", order_by=["-connection_id"])
    assert [each.connection_id for each in found.connections] == ["lake"]
