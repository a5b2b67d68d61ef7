"""Airflow's REST API v2, as Airflow's own Python client calls it: only the address differs."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

import httpx
import pytest
from airflow_client.client.exceptions import ApiException

from headway import wire
from headway.client import client_of
from headway.config import Layout, read_server_file
from tests.airflow.conftest import Server

pytestmark = pytest.mark.long

airflow: Any = import_module(
    "airflow_client.client"
)  # with types that Airflow itself does not heed
PASSWORD: Final = "a long password"


@pytest.fixture(scope="module")
def layout(server: Server) -> Layout:
    return Layout(server.folder / ".headway")


@pytest.fixture(scope="module")
def api(layout: Layout) -> Iterator[Any]:
    server = read_server_file(layout)
    assert server is not None
    settings = airflow.Configuration(host=server.url, access_token=server.token)
    with airflow.ApiClient(settings) as found:
        yield found


def test_a_run_is_triggered_and_read(api: Any) -> None:
    runs, instances = airflow.DagRunApi(api), airflow.TaskInstanceApi(api)
    body = airflow.TriggerDAGRunPostBody(conf={"size": 2}, logical_date=None, note="from CI")
    run = runs.trigger_dag_run("flow", body)
    assert (run.dag_id, run.conf, run.note) == ("flow", {"size": 2, "note": "a"}, "from CI")
    deadline = time.monotonic() + 120
    while run.state not in ("success", "failed"):
        assert time.monotonic() < deadline, run
        time.sleep(0.2)
        run = runs.get_dag_run("flow", run.dag_run_id)
    assert (run.state, run.run_type) == ("success", "manual")
    assert run.dag_run_id in [each.dag_run_id for each in runs.get_dag_runs("flow").dag_runs]
    found = instances.get_task_instances("flow", run.dag_run_id)
    states = {(each.task_id, each.map_index): each.state for each in found.task_instances}
    assert states["double", 1] == "success"
    assert found.total_entries == len(states)
    one = instances.get_mapped_task_instance("flow", run.dag_run_id, "double", 1)
    assert (one.map_index, one.max_tries, one.pool) == (1, 1, "default_pool")
    log = instances.get_log("flow", run.dag_run_id, "add", 1)
    assert "adding [2, 4]" in log.to_json()


def test_dags_are_listed_and_paused(api: Any) -> None:
    dags = airflow.DAGApi(api)
    assert "flow" in [each.dag_id for each in dags.get_dags(limit=100).dags]
    assert {each.name for each in dags.get_dag("flow").tags} == {"a", "b"}
    assert dags.patch_dag("own", airflow.DAGPatchBody(is_paused=True)).is_paused
    assert not dags.patch_dag("own", airflow.DAGPatchBody(is_paused=False)).is_paused


def test_variables_connections_and_pools_are_kept(api: Any) -> None:
    variables, pools = airflow.VariableApi(api), airflow.PoolApi(api)
    connections = airflow.ConnectionApi(api)
    variables.post_variable(airflow.VariableBody(key="size", value="3", description="of shoes"))
    changed = airflow.VariableBody(key="size", value="4")
    assert variables.patch_variable("size", changed).description == "of shoes"
    assert variables.get_variable("size").value == "4"
    variables.delete_variable("size")
    with pytest.raises(ApiException) as missing:
        variables.get_variable("size")
    assert missing.value.status == 404

    body = airflow.ConnectionBody(
        connection_id="lake",
        conn_type="http",
        host="lake.example",
        password="a-word",
        extra='{"a": 1}',
    )
    assert connections.post_connection(body).password == "***"
    with pytest.raises(ApiException) as known:
        connections.post_connection(body)
    assert known.value.status == 409
    listed = connections.get_connections(limit=100).connections
    assert {"lake", "warehouse"} <= {each.connection_id for each in listed}

    assert pools.post_pool(airflow.PoolBody(name="narrow", slots=2)).open_slots == 2
    assert pools.patch_pool("narrow", airflow.PoolPatchBody(slots=3)).slots == 3
    assert pools.get_pool("default_pool").name == "default_pool"
    pools.delete_pool("narrow")


def test_health_and_version_are_told(api: Any) -> None:
    assert airflow.MonitorApi(api).get_health().metadatabase.status == "healthy"
    assert airflow.VersionApi(api).get_version().version.startswith("3.3")


def test_a_password_gives_a_token(api: Any, layout: Layout) -> None:
    with closing(client_of(layout)) as client:
        client.create_user(wire.UserRequest(name="ci", role="viewer", password=PASSWORD))
    host = api.configuration.host
    answer = httpx.post(f"{host}/auth/token", json={"username": "ci", "password": PASSWORD})
    assert (answer.status_code, answer.headers.get("set-cookie")) == (201, None)
    token = answer.json()["access_token"]
    with airflow.ApiClient(airflow.Configuration(host=host, access_token=token)) as viewer:
        assert airflow.DAGApi(viewer).get_dag("flow").dag_id == "flow"
        with pytest.raises(ApiException) as refused:
            airflow.DagRunApi(viewer).trigger_dag_run("flow", airflow.TriggerDAGRunPostBody())
    assert refused.value.status == 403
    wrong = httpx.post(f"{host}/auth/token", json={"username": "ci", "password": "no"})
    assert wrong.status_code == 401


def test_who_asks_is_checked_as_everywhere(api: Any, layout: Layout) -> None:
    host = api.configuration.host
    with airflow.ApiClient(airflow.Configuration(host=host, access_token="wrong")) as stranger:
        with pytest.raises(ApiException) as refused:
            airflow.DAGApi(stranger).get_dags()
        assert refused.value.status == 401
        with pytest.raises(ApiException) as unknown:
            airflow.VariableApi(stranger).post_variable(airflow.VariableBody(key="a", value="b"))
        assert unknown.value.status == 401
    with pytest.raises(ApiException) as filtered:
        airflow.DagRunApi(api).get_dag_runs("flow", updated_at_gte=datetime.now(UTC))
    assert filtered.value.status == 501
    assert "updated_at_gte" in str(filtered.value)


def test_a_run_of_the_callers_name_is_waited_for_and_its_results_are_read(api: Any) -> None:
    runs = airflow.DagRunApi(api)
    body = airflow.TriggerDAGRunPostBody(dag_run_id="ci-17", conf={"size": 2}, logical_date=None)
    assert runs.trigger_dag_run("flow", body).dag_run_id == "ci-17"
    with pytest.raises(ApiException) as known:
        runs.trigger_dag_run("flow", body)
    assert known.value.status == 409
    answer = runs.wait_dag_run_until_finished_without_preload_content(
        "flow", "ci-17", interval=1, result=["numbers", "double"]
    )
    last = json.loads(answer.read().splitlines()[-1])
    assert last == {"state": "success", "results": {"numbers": [1, 2], "double": [2, 4]}}
    place = {"dag_id": "flow", "dag_run_id": "ci-17", "task_id": "double", "map_index": 1}
    entry = airflow.XComApi(api).get_xcom_entry(**place, xcom_key="return_value")
    assert entry.to_dict()["value"] == 4
    tries = airflow.TaskInstanceApi(api).get_mapped_task_instance_tries(
        "flow", "ci-17", "double", 1
    )
    assert [each.state for each in tries.task_instances] == ["failed", "success"]
