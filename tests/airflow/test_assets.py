"""Assets of Airflow's DAG files: their events bring runs, and tasks tell of them and read them."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from headway.client import client_of
from headway.config import Layout
from headway.frontends.airflow import FRONT_END
from headway.spec.model import Asset as Spec
from tests.airflow.conftest import DAGS, Ran, Server
from tests.airflow.releases import IS_NEWEST
from tests.cli.conftest import wait_until

pytestmark = pytest.mark.long


def brought(server: Server, dag_id: str) -> Ran:
    """Return the run of a DAG that events brought, once it has ended."""

    with closing(client_of(Layout(server.folder / ".headway"))) as client:

        def ended() -> bool:
            found = client.runs(1, dag_id=dag_id)
            return bool(found) and found[0].state in ("success", "failed")

        wait_until(ended, f"{dag_id} has no run that ended")
        (run,) = client.runs(1, dag_id=dag_id)
        assert run.trigger == "asset"
        return Ran(server.folder, run.run_id, run.state, {}, {})


def test_a_file_keeps_its_assets() -> None:
    loaded = FRONT_END.load(Path(DAGS), "data.py")
    found = {dag.dag_id: dag for dag in loaded.dags}
    assert found["awaits_both"].schedule == {"assets": {"all": ["orders", "rates"]}}
    any_of = {"any": [{"all": ["orders", "never"]}, "rates"]}
    assert found["awaits_any"].schedule == {"assets": any_of}
    assert found["times_or_assets"].schedule == {"cron": "0 5 * * *", "or_assets": "orders"}
    (orders, rates) = found["updates"].assets
    assert (orders.name, orders.uri, orders.extra) == (
        "orders",
        "s3://lake/orders",
        {"owner": "sales"},
    )
    assert (rates.name, rates.uri, rates.group) == ("rates", "rates", "")
    tasks = {task.task_id: task for task in found["updates"].tasks}
    assert tasks["load"].outlets == ("orders", "rates")
    assert [task.inlets for task in found["awaits_both"].tasks] == [("orders",)]
    (report,) = found["report"].tasks
    assert report.outlets == ("report",)
    warnings = [each.message for each in loaded.warnings]
    assert warnings == [
        "awaits_reference: the asset with the URI 's3://lake/eu' is taken to have this name",
    ]
    files = Spec(name="@alias:files")
    assert found["adds"].assets == (files,)
    assert found["adds"].tasks[0].outlets == ("@alias:files",)
    assert found["awaits_alias"].schedule == {"assets": {"any": ["@alias:files", "never"]}}
    assert found["awaits_alias"].assets == (files, Spec(name="never", uri="never"))
    assert found["awaits_reference"].schedule == {"assets": "eu"}
    assert Spec(name="eu", uri="eu", reference=True) in found["awaits_reference"].assets


def test_airflows_partitions_are_ours() -> None:
    """The file of Airflow's own examples, but for what names assets by reference."""
    from airflow.example_dags import example_asset_partition

    file = Path(example_asset_partition.__file__)
    loaded = FRONT_END.load(file.parent, file.name)
    found: dict[str, Any] = {dag.dag_id: dag.schedule for dag in loaded.dags}
    assert found["ingest_team_a_player_stats"] == {
        "cron": "0 * * * *",
        "partition_key": {"format": "%Y-%m-%dT%H:%M:%S", "offset": 0},
    }
    hour = {"kind": "start_of", "period": "hour", "timezone": "UTC"}
    teams = [f"team_{one}_player_stats" for one in "abc"]
    assert found["clean_and_combine_player_stats"] == {
        "partitions": {"on": {"all": teams}, "mapper": hour}
    }
    if not IS_NEWEST:  # the file of 3.2 ends here
        return
    day, week = {**hour, "period": "day"}, {**hour, "period": "week"}
    assert found["daily_team_a_rollup"] == {
        "partitions": {
            "on": "team_a_player_stats",
            "mapper": {"kind": "rollup", "upstream": day, "window": {"period": "day"}},
        }
    }
    monthly = found["monthly_team_a_rollup"]["partitions"]["mapper"]["upstream"]
    assert monthly == {**hour, "period": "month", "input_format": "%Y-%m-%d"}
    assert found["aggregate_regional_sales"]["partitions"]["mapper"] == {
        "kind": "product",
        "mappers": [{"kind": "identity"}, day],
        "delimiter": "|",
    }
    assert found["daily_inference"]["partitions"]["mapper"] == {
        "kind": "fan_out",
        "upstream": week,
        "window": {"period": "week"},
        "downstream": day,
        "at_most": 7,
    }
    backward = found["trailing_week_inference"]["partitions"]["mapper"]["window"]
    assert backward == {"period": "week", "direction": "backward"}
    assert found["regional_stats_breakdown"]["partitions"]["mapper"]["keys"] == ["us", "eu", "apac"]
    assert found["ingest_regional_sales"] is None
    told = [each.message for each in loaded.warnings]
    assert all("by reference or alias" in each for each in told)


@pytest.mark.skipif(not IS_NEWEST, reason="3.2 has no windows of partitions")
def test_mappers_give_the_keys_that_airflow_gives() -> None:
    """By Airflow's own functions, for the parts that its clock has in common with ours."""
    from airflow import partition_mappers as theirs
    from airflow.partition_mappers import temporal, window

    from headway.core.partitions import read
    from headway.frontends.airflow.partitions import PERIODS, WINDOWS

    assert theirs is not None
    for name, period in PERIODS.items():
        if (kind := getattr(temporal, name, None)) is None:
            continue
        for zone in ("UTC", "Europe/Berlin", "America/New_York"):
            one, ours = (
                kind(timezone=zone),
                read({"kind": "start_of", "period": period, "timezone": zone}, "UTC"),
            )
            for day in range(1, 29):
                key = f"2026-{day % 12 + 1:02}-{day:02}T{day % 24:02}:42:15"
                assert ours.map(key) == (one.to_downstream(key),)
    for name, period in WINDOWS.items():
        upstream = getattr(temporal, f"StartOf{period.value.capitalize()}Mapper", None)
        if upstream is None or not hasattr(window, name):
            continue
        for direction in ("forward", "backward"):
            theirs_mapper = upstream()
            key = theirs_mapper.to_downstream("2024-03-13T10:42:15")
            made = {
                "kind": "rollup",
                "upstream": {"kind": "start_of", "period": period},
                "window": {"period": period, "direction": direction},
            }
            their_window = getattr(window, name)(direction=window.Window.Direction(direction))
            parts = list(their_window.to_upstream(theirs_mapper.decode_downstream(key)))
            ours_of: list[Any] = list(read(made, "UTC").members(key))
            assert [each.replace(tzinfo=None) for each in ours_of] == parts


def test_events_bring_runs_and_tasks_tell_and_read_them(server: Server) -> None:
    assert server.run("updates").states == {"load": "success", "plain": "success"}
    both = brought(server, "awaits_both")
    assert both.state == "success"
    log = both.log("reads")
    for line in (
        "type: DagRunType.ASSET_TRIGGERED",
        "brought by orders s3://lake/orders [{}, {'rows': 3}]",
        "brought by rates rates [{'day': 'monday'}]",
        "from updates load",
        "inlet: {'rows': 3} s3://lake/orders",
        "latest: [{'rows': 3}]",
    ):
        assert line in log, line
    assert "rates={'day': 'monday'}" in brought(server, "awaits_any").log("templated")
    made = server.run("report")
    line = "making s3://lake/report {'format': 'csv'} of s3://lake/orders {'owner': 'sales'}"
    assert line in made.log("report")


def test_an_alias_brings_runs_and_is_read_and_references_are_what_they_refer_to(
    server: Server,
) -> None:
    assert server.run("adds").state == "success"
    log = brought(server, "awaits_alias").log("through")
    for line in (
        "brought by Asset eu [{'rows': 7}]",
        "brought by AssetAlias files [{'rows': 7}]",
        "through: s3://lake/eu {'owner': 'ann'} {'rows': 7} adds",
    ):
        assert line in log, line
    assert "referred: [" in brought(server, "awaits_reference").log("refers")
