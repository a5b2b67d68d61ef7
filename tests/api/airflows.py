"""Airflow's own client, and a world of runs and assets for it."""

import json
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from airflow_client.client.exceptions import ApiException

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
    conn.execute("INSERT INTO asset VALUES (1, '@alias:files', '', 'g', '{}', %s)", [NOON])
    conn.execute("INSERT INTO asset_alias VALUES (1, 'files', 'orders', 1, %s)", [NOON])
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
