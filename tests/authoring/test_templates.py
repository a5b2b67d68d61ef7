"""Names of Airflow, scripts and arguments of functions in templates."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headway import DAG, bash, latest_only, sql, task
from headway.authoring import airflow_names, secrets
from headway.authoring.execute import Inputs
from headway.authoring.operators.latest_only import following
from headway.authoring.operators.templates import render
from headway.authoring.run import AIRFLOW_NAMES, Fail, Run, entered, get_current_context
from headway.spec.errors import BadSpec
from headway.testing import run_dag

AT = datetime(2013, 1, 2, 3, tzinfo=UTC)


def run_of(task_id: str, **options: Any) -> Run:
    return Run(
        run_id="r1",
        dag_id="daily",
        task_id=task_id,
        logical_date=AT,
        data_interval=(AT, AT),
        **options,
    )


RUN = run_of("load", map_index=2, try_number=3, params={"who": "ann"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def earlier() -> Iterator[list[str]]:
    """A server that knows of one earlier run. Returns what it was asked."""
    asked: list[str] = []

    def answer(kind: str, name: str) -> str:
        asked.append(f"{kind} {name}")
        return (
            '[{"run_id":"r0","logical_date":"2013-01-01T03:00:00Z","interval_start":"2012-12-31T03:00:00Z",'
            '"interval_end":"2013-01-01T03:00:00Z","started_at":"2013-01-01T03:00:01Z",'
            '"ended_at":"2013-01-01T03:00:09Z","state":"success"}]'
        )

    before, secrets.ask = secrets.ask, answer
    yield asked
    secrets.ask = before
    airflow_names.known.clear()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ dag_run.run_id }} {{ dag_run.run_type }} {{ dag_run.conf.who }}", "r1 manual ann"),
        ("{{ dag_run.logical_date | ds }}", "2013-01-02"),
        ("{{ ti.task_id }} {{ ti.map_index }} {{ task_instance.try_number }}", "load 2 3"),
        ("{{ macros.ds_add(ds, -5) }}", "2012-12-28"),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%d.%m.%y') }}", "02.01.13"),
        ("{{ (logical_date - macros.timedelta(hours=4)) | ds }}", "2013-01-01"),
        ("{{ macros.json.dumps({'a': 1}) }}", '{"a": 1}'),
        ("{{ macros.uuid.uuid4() | string | length }}", "36"),
        ("{{ prev_data_interval_end_success }}", "None"),
    ],
)
def test_airflows_names_are_there(template: str, text: str) -> None:
    assert render(template, RUN) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ macros.uuid.os.system('id') }}",
        "{{ macros.json.codecs }}",
        "{{ macros.time.sys }}",
        "{{ macros.datetime.__class__ }}",
        "{{ macros.__class__ }}",
    ],
)
def test_macros_open_no_module(template: str) -> None:
    with pytest.raises(Fail, match="cannot be rendered"):
        render(template, RUN)


def test_what_xcom_pull_would_do_is_told() -> None:
    with pytest.raises(Fail, match="pass the result of the other task as an argument"):
        render("{{ ti.xcom_pull(task_ids='extract') }}", RUN)


def test_the_last_success_is_asked_for_once_and_only_if_it_is_named(earlier: list[str]) -> None:
    assert render("{{ ds }}", RUN) == "2013-01-02"
    assert earlier == []
    text = "{{ prev_data_interval_start_success | ds }} {{ prev_end_date_success | ts }}"
    assert render(text, RUN) == "2012-12-31 2013-01-01T03:00:09+00:00"
    assert len(earlier) == 1
    assert '"before":"2013-01-02T03:00:00+00:00"' in earlier[0]


def test_a_task_asks_by_name_or_in_its_context(earlier: list[str]) -> None:
    with DAG("names") as dag:

        @task
        def load(prev_start_date_success: Any = None, dag_run: Any = None) -> str:
            ti: Any = get_current_context()["ti"]
            return f"{prev_start_date_success:%H:%M:%S} {dag_run.dag_id} {ti.task_id}"

        load()
    assert run_dag(dag, logical_date=AT)["load"].value == "03:00:01 names load"
    assert len(earlier) == 1


def test_a_first_run_has_no_last_success_to_write() -> None:
    assert render("{{ prev_end_date_success | ds }}", RUN) == "None"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ macros.ds_add('2026-13-01', 1) }}", "month must be in 1..12"),
        ("{{ ds | ds }}", "| ds writes a moment, and '2013-01-02' is a text"),
        ("{{ nothing | ds }}", "'nothing' is undefined"),
        ("{{ ds + 1 }}", "can only concatenate str"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ ti.nope }}", "has no attribute 'nope'"),
    ],
)
def test_a_mistake_in_a_template_is_told_with_it(template: str, why: str) -> None:
    with pytest.raises(Fail) as told:
        render(template, RUN)
    assert str(told.value).startswith(f"the template {template!r} cannot be rendered: ")
    assert why in str(told.value)


def test_the_names_that_a_function_may_ask_for_are_those_that_there_are() -> None:
    assert set(AIRFLOW_NAMES) == airflow_names.NAMES.keys()


def test_what_another_interpreter_cannot_have_is_told() -> None:
    with DAG("elsewhere") as dag:

        @task.external_python(python=sys.executable)
        def load(ti: Any) -> str:
            return str(ti)

        load()
    told = str(run_dag(dag)["load"].error)
    assert "the argument ti cannot be passed to another interpreter" in told
    assert "ask for ds, ts, run_id or params" in told


def test_an_unknown_name_is_still_an_error() -> None:
    with pytest.raises(Fail, match="'prev_ds' is undefined"):
        render("{{ prev_ds }}", RUN)
    with entered(RUN), pytest.raises(KeyError):
        get_current_context()["prev_ds"]


def test_arguments_of_a_function_are_templates_where_it_says_so() -> None:
    with DAG("said") as dag:

        @task(templated=["query", "places"])
        def load(query: str, places: list[str], plain: str) -> str:
            return f"{query} {places[0]} {plain}"

        load("day = {{ ds }}", places=["s3://{{ params.who }}"], plain="{{ ds }}")
        load.override(task_id="other")("{{ ds_nodash }}", ["{{ ts }}"], "x")
    found = run_dag(dag, logical_date=AT)
    assert found["other"].value == "20130102 2013-01-02T03:00:00+00:00 x"
    assert "has no attribute 'who'" in str(found["load"].error)


def test_a_result_is_data_in_a_templated_argument_too() -> None:
    with DAG("data") as dag:

        @task
        def made() -> str:
            return "{{ ds }}"

        @task(templated=["text"])
        def load(text: str) -> str:
            return text

        load(made())
    assert run_dag(dag, logical_date=AT)["load"].value == "{{ ds }}"


def test_items_of_a_list_are_templates() -> None:
    with DAG("items") as dag:

        @task(templated=["day"])
        def load(day: str) -> str:
            return day

        load.expand(day=["{{ ds }}", "{{ macros.ds_add(ds, 1) }}"])
    found = run_dag(dag, logical_date=AT)
    assert found["load"].values == ["2013-01-02", "2013-01-03"]


def test_an_argument_that_the_function_does_not_have_is_a_mistake() -> None:
    with (
        pytest.raises(BadSpec, match="templated names 'qery', which is not an argument of load"),
        DAG("wrong"),
    ):

        @task(templated=["qery"])
        def load(query: str) -> None: ...


def test_scripts_are_found_in_the_search_path(folder: Path) -> None:
    (folder / "sql").mkdir()
    (folder / "sql" / "day.sql").write_text("SELECT '{{ ds }}' AS day")
    (folder / "lib").mkdir()
    (folder / "lib" / "say.sh").write_text("echo {{ params.who }} on {{ ds }}")
    with DAG("scripts", template_searchpath=["sql", "lib"], params={"who": "ann"}) as dag:
        sql(task_id="rows", sql="day.sql", conn_id="lite")
        bash(task_id="said", command="{% include 'say.sh' %}")
    secrets_of = {"HEADWAY_CONN_LITE": "sqlite:///:memory:"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in secrets_of.items():
            patch.setenv(name, value)
        found = run_dag(dag, logical_date=AT)
    assert found["said"].value == "ann on 2013-01-02"
    assert found["rows"].value == [{"day": "2013-01-02"}]


def test_a_script_that_is_nowhere_is_told_with_where_it_was_looked_for(folder: Path) -> None:
    with DAG("none", template_searchpath="sql") as dag:
        sql(task_id="rows", sql="day.sql", conn_id="lite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_CONN_LITE", "sqlite:///:memory:")
        found = run_dag(dag, logical_date=AT)
    assert "there is no script day.sql in the DAG folder or sql" in str(found["rows"].error)


def test_a_template_reads_nothing_outside_of_its_folders(folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("x")
    with pytest.raises(Fail, match=r"there is no script \.\./secret\.txt in the DAG folder"):
        render("{% include '../secret.txt' %}", RUN)


def daily() -> DAG:
    with DAG("daily", schedule="0 3 * * *", start_date=datetime(2013, 1, 1, tzinfo=UTC)) as dag:
        gate = latest_only(task_id="gate")

        @task
        def notify() -> str:
            return "told"

        @task(trigger_rule="all_done")
        def clean() -> str:
            return "cleaned"

        gate >> notify() >> clean()
    return dag


class At:
    """The clock of a task."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.mark.parametrize(
    ("trigger", "now", "latest"),
    [
        ("schedule", datetime(2013, 1, 3, 2, 59, tzinfo=UTC), True),
        ("schedule", datetime(2013, 1, 3, 3, tzinfo=UTC), False),
        ("backfill", datetime(2020, 1, 1, tzinfo=UTC), False),
        ("manual", datetime(2020, 1, 1, tzinfo=UTC), True),
        ("asset", datetime(2020, 1, 1, tzinfo=UTC), True),
    ],
)
def test_a_run_is_the_latest_until_the_next_one_is_due(
    trigger: str,
    now: datetime,
    latest: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("headway.authoring.operators.latest_only.clock", At(now))
    found = daily().execute("gate", run_of("gate", trigger=trigger), Inputs())
    assert found.follow == (["notify"] if latest else [])
    told = "this run is not the latest: the next one has been due since 2013-01-03T03:00:00+00:00"
    assert (told in capsys.readouterr().out) is not latest


def test_a_dag_without_a_next_run_has_none_that_is_later() -> None:
    with DAG("once", schedule="@once", start_date=datetime(2013, 1, 1, tzinfo=UTC)) as dag:
        latest_only(task_id="gate")
    assert following(dag, run_of("gate", trigger="schedule")) is None


def test_a_run_by_hand_goes_on() -> None:
    found = run_dag(daily(), logical_date=AT)
    assert found["notify"].value == "told"
