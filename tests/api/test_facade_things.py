"""Airflow's own client: DAGs, assets, backfills and connections."""

from datetime import UTC, datetime
from typing import Any

from headway.store.transact import Session
from tests.api import seed
from tests.api.airflows import NOON, airflow, api, flow_of_assets, refused, world
from tests.scenarios.world import Scheduler, run_state

__all__ = ["api", "flow_of_assets", "world"]


# -- DAGs


def test_a_dag_is_described(api: Any, world: None, conn: Session) -> None:
    dags, tasks = airflow.DAGApi(api), airflow.TaskApi(api)
    details = dags.get_dag_details("d")
    assert (details.dag_id, details.params["size"]["value"], details.timezone) == ("d", 3, "UTC")
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
    (alias,) = assets.get_asset_aliases(name_pattern="%fil%").asset_aliases
    assert (alias.name, alias.group) == ("files", "g")
    assert assets.get_asset_alias(alias.id)["name"] == "files"
    assert refused(assets.get_asset_alias, 7)[0] == 404
    assert [each.name for each in orders.aliases] == ["files"]
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
    assert backfills.pause_backfill(made.id).is_paused
    assert not backfills.unpause_backfill(made.id).is_paused
    assert backfills.cancel_backfill(made.id).completed_at is not None
    assert refused(backfills.pause_backfill, made.id)[0] == 409
    assert refused(backfills.cancel_backfill, made.id)[0] == 409
    assert refused(backfills.get_backfill, 1)[0] == 404
    assert refused(backfills.create_backfill, body)[0] == 409
    back = airflow.BackfillPostBody(**{**body.to_dict(), "run_backwards": True})
    assert refused(backfills.create_backfill, back)[0] == 409


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


def test_a_logical_date_in_the_future_is_waited_for(api: Any, conn: Session) -> None:
    """As in Airflow; the run after it is triggered meanwhile does not wait for it."""
    seed.dag(conn, "d")
    body = airflow.TriggerDAGRunPostBody(logical_date=datetime(2099, 1, 1, 5, tzinfo=UTC))
    made = airflow.DagRunApi(api).trigger_dag_run("d", body)
    assert (made.state, made.logical_date) == ("queued", body.logical_date)
    (run_id,) = conn.execute("SELECT run_id FROM run").fetchone() or ("",)
    for _ in range(2):
        Scheduler(conn).tick()
    assert run_state(conn, run_id) == "queued"
    now = airflow.TriggerDAGRunPostBody(logical_date=None)
    other = airflow.DagRunApi(api).trigger_dag_run("d", now)
    assert other.logical_date < body.logical_date
