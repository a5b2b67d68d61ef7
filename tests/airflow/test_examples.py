"""The records of what Airflow made of its example DAGs, and the page that compares them with what Headway does."""

import json
from pathlib import Path

import msgspec
import pytest
from bench.airflow import support
from bench.airflow.support import Ran

from headway.loader.migration import DOES_NOT, REMARK, RUNS, Finding, Report, analyse
from tests.airflow.releases import IS_NEWEST, RECORDED

RECORDS = {
    "airflow": "3.3.2",
    "dags": {
        "same": {"state": "success", "tasks": {"a": "success", "b[0]": "skipped", "c": "removed"}},
        "other": {"state": "failed", "tasks": {"a": "failed"}},
    },
}


def test_the_records_name_their_airflow_and_the_states() -> None:
    records = json.loads(support.RECORDS.read_text())
    assert records["airflow"].startswith("3.3.")
    assert len(records["dags"]) >= 50
    assert {each["state"] for each in records["dags"].values()} == {"success", "failed"}


def test_the_page_is_what_the_command_writes() -> None:
    """It is written from the records and results, which are data; nobody edits it."""
    records = json.loads(support.RECORDS.read_text())
    results = msgspec.json.decode(support.RESULTS.read_bytes(), type=support.Results)
    assert support.PAGE.read_text() == support.page(results.report, records, results.ran)


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
        Finding("left", "c.py", 3, DOES_NOT, "a | b"),
        Finding(None, "d.py", 4, DOES_NOT, "SyntaxError"),
    ]
    ran = {
        "same": Ran("success", {"a": "success", "b[0]": "skipped"}),
        "other": Ran("success", {"a": "success", "z": "success"}),
    }
    page = support.page(Report(findings), RECORDS, ran)
    assert "Of the 4 example DAGs in the packages of Airflow 3.3.2, 2 load." in page
    assert "of 2 that can be compared 1 ended with the same state" in page
    assert "| `same` | runs | the same |" in page
    assert (
        "the run is success, in Airflow failed; `a` is success, in Airflow failed; "
        "`z` is success, in Airflow not there" in page
    )
    assert "| `left` | does not: a \\| b | not run |" in page
    assert "| `d.py` | SyntaxError |" in page
