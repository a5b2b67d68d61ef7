"""The records of what Airflow made of its example DAGs, and the page that compares them with what Headway does."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.airflow import support
from bench.airflow.support import Apart, Ran

from headway.loader.migration import DOES_NOT, REMARK, RUNS, Finding, Report, analyse
from tests.airflow.releases import IS_NEWEST, RECORDED

RECORDS: Any = {
    "airflow": "3.3.2",
    "dags": {
        "same": {"state": "success", "tasks": {"a": "success", "b[0]": "skipped", "c": "removed"}},
        "other": {"state": "failed", "tasks": {"a": "failed"}},
        "lots": {"state": "success", "tasks": {"a": "skipped", "b": "success"}},
    },
}


def test_the_records_name_their_airflow_and_the_states() -> None:
    records = json.loads(support.RECORDS.read_text())
    assert records["airflow"].startswith("3.3.")
    assert len(records["dags"]) >= 100
    states = {each["state"] for each in records["dags"].values()}
    assert states == {"success", "failed", "no run"}


def test_each_example_is_compared_or_has_a_reason() -> None:
    records = json.loads(support.RECORDS.read_text())["dags"]
    results = msgspec.json.decode(support.RESULTS.read_bytes(), type=support.Results)
    apart = msgspec.json.decode(support.APART.read_bytes(), type=Apart)
    assert results.ran.keys() == records.keys() - apart.not_compared.keys()
    known = {each.dag_id for each in results.report.findings}
    assert known == results.ran.keys() | apart.not_compared.keys()
    assert apart.by_number.keys() <= results.ran.keys()
    assert "| not run |" not in support.PAGE.read_text()


def test_the_page_is_what_the_command_writes() -> None:
    """It is written from the records and results, which are data; nobody edits it."""
    records = json.loads(support.RECORDS.read_text())
    results = msgspec.json.decode(support.RESULTS.read_bytes(), type=support.Results)
    apart = msgspec.json.decode(support.APART.read_bytes(), type=Apart)
    assert support.PAGE.read_text() == support.page(results.report, records, results.ran, apart)


@pytest.mark.long
@pytest.mark.skipif(not IS_NEWEST, reason=RECORDED)
def test_the_examples_that_keep_state_end_as_in_airflow(tmp_path: Path) -> None:
    records = json.loads(support.RECORDS.read_text())
    support.copy_examples(tmp_path / "all")
    (tmp_path / "dags").mkdir()
    for file in (tmp_path / "all/core").glob("example_*_state_store*.py"):
        file.rename(tmp_path / "dags" / file.name)
    ids = [dag_id for dag_id in records["dags"] if "_state_store" in dag_id]
    assert len(ids) == 5
    at = datetime.fromisoformat(records["date"])
    with support.server(tmp_path) as client:
        for dag_id in ids:
            ran = support.run(client, dag_id, at)
            assert support.differences(records["dags"][dag_id], ran) == []


@pytest.mark.long
@pytest.mark.skipif(not IS_NEWEST, reason=RECORDED)
def test_what_is_said_of_each_example_is_what_is_found_now(tmp_path: Path) -> None:
    results = msgspec.json.decode(support.RESULTS.read_bytes(), type=support.Results)
    support.copy_examples(tmp_path)
    assert analyse(tmp_path).findings == results.report.findings


def test_the_page_tells_what_is_the_same_and_what_is_not() -> None:
    findings = [
        Finding("same", "a.py", 1, RUNS),
        Finding("other", "b.py", 2, REMARK, "its schedule is assets"),
        Finding("lots", "b.py", 9, RUNS),
        Finding("asks", "c.py", 1, RUNS),
        Finding("left", "c.py", 3, DOES_NOT, "a | b"),
        Finding(None, "d.py", 4, DOES_NOT, "SyntaxError"),
    ]
    ran = {
        "same": Ran("success", {"a": "success", "b[0]": "skipped"}),
        "other": Ran("success", {"a": "success", "z": "success"}),
        "lots": Ran("success", {"a": "success", "b": "skipped"}),
    }
    apart = Apart({"lots": "it draws lots"}, {"asks": "it asks a service"})
    page = support.page(Report(findings), RECORDS, ran, apart)
    assert "Of the 6 example DAGs in the packages of Airflow 3.3.2, 4 load." in page
    assert "3 were run by Airflow (`bench/airflow/record.py`) and by Headway: 2 of them" in page
    assert "1 are not compared, for the reasons in the table." in page
    assert "| `same` | runs | the same |" in page
    assert "| `lots` | runs | the same; it draws lots |" in page
    assert "| `asks` | runs | not compared: it asks a service |" in page
    assert (
        "the run is success, in Airflow failed; `a` is success, in Airflow failed; "
        "`z` is success, in Airflow not there" in page
    )
    assert "| `left` | does not: a \\| b | not run |" in page
    assert "| `d.py` | SyntaxError |" in page


def test_numbers_of_states_are_compared_where_lots_are_drawn() -> None:
    ran = Ran("failed", {"a": "skipped", "b": "skipped"})
    assert support.numbers(RECORDS["dags"]["lots"], ran) == [
        "the run is failed, in Airflow success",
        "2 are skipped, in Airflow 1",
        "0 are success, in Airflow 1",
    ]
