"""A DAG of each of Airflow's most used operators, by Airflow's own code, against real servers."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import pytest

pytest.importorskip("cosmos", reason="make test-operators has the packages that it needs")

from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import Ran, Server
from tests.cli.conftest import copy_data, start, stop, wait_for_dag
from tests.operators.site import SSHD, Site, running

pytestmark = pytest.mark.long

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parents[1] / "docs/airflow-operators.md"
DATE: Final = "2026-01-05"


class Home(NamedTuple):
    server: Server
    site: Site


Check = Callable[[Ran, Site], bool]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path, postgres: str) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("operators")
    copy_data(data, folder)
    shutil.copytree(HERE / "dags", folder / "dags")
    place = tmp_path_factory.mktemp("place")
    with running(place, postgres) as site, pytest.MonkeyPatch.context() as patch:
        for name, value in site.environment().items():
            patch.setenv(name, value)
        process = start(folder)
        try:
            with closing(client_of(Layout(folder / ".headway"))) as client:
                for name, connection in site.connections.items():
                    client.set_connection(name, connection)
            for dag_id in OPERATORS:
                wait_for_dag(folder / ".headway", dag_id)
            server = Server(folder, process.pid)
            assert server.run("awaited", "--date", DATE).state == "success"
            yield Home(server, site)
        finally:
            stop(process)


def says(words: str) -> Check:
    return lambda ran, _: words in ran.log("it")


def ends(**states: str) -> Check:
    return lambda ran, _: {name: ran.states[name] for name in states} == states


def stored(key: str, content: str) -> Check:
    return lambda _, site: site.object(key) == content


def holds(query: str, *rows: tuple[object, ...]) -> Check:
    return lambda _, site: site.rows(query) == list(rows)


def heard(method: str, path: str, body: str = "") -> Check:
    return lambda _, site: (method, path, body) in site.heard


def file(name: str) -> Check:
    return lambda _, site: (site.place / name).read_text() == "apples\n"


def succeeds(_: Ran, __: Site) -> bool:
    return True


# Of each DAG, which is called as its operator is: what shows that it has done its work.
OPERATORS: Final[dict[str, Check]] = {
    "BashOperator": says(f"{DATE} hello"),
    "PythonOperator": succeeds,
    "BranchPythonOperator": ends(left="success", right="skipped"),
    "ShortCircuitOperator": ends(after="skipped"),
    "EmptyOperator": succeeds,
    "LatestOnlyOperator": ends(after="success"),
    "PythonVirtualenvOperator": says("0.4.6"),
    "ExternalPythonOperator": says("/dbt"),
    "TriggerDagRunOperator": succeeds,
    "ExternalTaskSensor": succeeds,
    "FileSensor": succeeds,
    "BashSensor": succeeds,
    "PythonSensor": succeeds,
    "TimeDeltaSensor": succeeds,
    "DateTimeSensorAsync": succeeds,
    "SQLExecuteQueryOperator": succeeds,
    "SqlSensor": succeeds,
    "SQLCheckOperator": ends(it="failed"),
    "SQLValueCheckOperator": succeeds,
    "SQLColumnCheckOperator": succeeds,
    "SQLTableCheckOperator": succeeds,
    "BranchSQLOperator": ends(yes="success", no="skipped"),
    "SQLInsertRowsOperator": holds("SELECT * FROM copies", (7, "pears")),
    "GenericTransfer": holds("SELECT * FROM transferred ORDER BY id", (1, "apples"), (2, "plums")),
    "dbt": holds("SELECT name FROM marts.named ORDER BY name", ("apples",), ("plums",)),
    "DbtDag": succeeds,
    "HttpOperator": heard("POST", f"/echo?day={DATE}", "apples"),
    "HttpOperator_deferrable": heard("GET", "/echo"),
    "HttpSensor": heard("GET", "/second_time"),
    "HttpSensor_deferrable": heard("GET", "/second_time"),
    "SlackWebhookOperator": lambda _, site: any("hook" in path for _, path, _ in site.heard),
    "EmailOperator": lambda _, site: f"EmailOperator of {DATE}" in site.mails[0][1],
    "S3CreateBucketOperator": lambda _, site: bool(site.client("s3").head_bucket(Bucket="made")),
    "S3CreateObjectOperator": stored(f"day/{DATE}", "apples"),
    "S3KeySensor": succeeds,
    "S3KeySensor_deferrable": succeeds,
    "S3ListOperator": succeeds,
    "S3CopyObjectOperator": stored("copied", "plums"),
    "S3DeleteObjectsOperator": lambda _, site: (
        "gone" not in str(site.client("s3").list_objects(Bucket="lake"))
    ),
    "S3FileTransformOperator": stored("transformed", "plums"),
    "LocalFilesystemToS3Operator": stored("local", "apples\n"),
    "SqsPublishOperator": succeeds,
    "SqsSensor": succeeds,
    "SnsPublishOperator": succeeds,
    "SSHOperator": says(f"over ssh: {DATE}"),
    "SFTPOperator": file("by/sftp"),
    "SFTPSensor": succeeds,
    "FTPFileTransmitOperator": file("ftp/by_ftp"),
    "FTPSensor": succeeds,
    "KubernetesPodOperator": says(f"in a pod: {DATE} hello"),
    "DockerOperator": ends(it="failed"),
}
# What these tell when they fail, as they should: of their data, and of a daemon that is not there.
REASONS: Final = {"SQLCheckOperator": "Test failed", "DockerOperator": "docker.sock"}


@pytest.mark.parametrize("dag_id", OPERATORS)
def test_an_operator_does_its_work(home: Home, dag_id: str) -> None:
    if dag_id in ("SSHOperator", "SFTPOperator", "SFTPSensor") and not SSHD.exists():
        pytest.skip("there is no sshd")
    ran = home.server.run(dag_id, "--date", DATE)
    if dag_id in REASONS:
        assert ran.state == "failed"
        assert REASONS[dag_id] in ran.why("it") + ran.log("it")
    else:
        assert ran.state == "success", json.dumps(ran.states) + ran.log(failed(ran))
    assert OPERATORS[dag_id](ran, home.site)


def failed(ran: Ran) -> str:
    return next((name for name, state in ran.states.items() if state == "failed"), "it")


def test_the_page_lists_them() -> None:
    page = PAGE.read_text()
    assert [dag_id for dag_id in OPERATORS if f"`{dag_id.split('_')[0]}`" not in page] == []
