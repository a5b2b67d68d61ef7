"""``map_index_template``: what a mapped instance is called, before its task begins and at its end."""

import pytest

from headway import DAG, bash, get_current_context, task
from headway.authoring import rendered
from headway.errors import UsageError
from headway.spec.errors import BadSpec
from headway.testing import run_dag


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(rendered, "call_instance", names.append)
    return names


def test_a_name_is_made_of_arguments_of_the_run_and_of_the_task(heard: list[str]) -> None:
    with DAG("flow") as flow:

        @task(map_index_template="{{ shop }} of {{ ds_nodash[:4] }} in {{ task.op_kwargs.town }}")
        def load(shop: str, town: str) -> None: ...

        load.partial(town="Oslo").expand(shop=["a", "b"])
    run_dag(flow)
    assert sorted(set(heard)) == [f"{x} of {heard[0][5:9]} in Oslo" for x in ("a", "b")]
    assert flow.spec("flow.py").tasks[0].map_index_template.startswith("{{ shop }}")


def test_a_task_adds_variables_as_in_airflow(heard: list[str]) -> None:
    with DAG("flow") as flow:

        @task(map_index_template="invoice {{ number }}")
        def book(row: dict[str, int]) -> None:
            get_current_context()["number"] = row["id"]
            if row["id"] == 8:
                raise ValueError("no customer")

        book.expand(row=[{"id": 7}, {"id": 8}])
    assert run_dag(flow)["book"].state == "failed"
    assert heard == ["invoice 7", "invoice 8"]  # of a failure, too


def test_a_name_that_cannot_be_rendered_fails_what_succeeded_and_hides_no_error(
    heard: list[str],
) -> None:
    with DAG("flow") as flow:

        @task(map_index_template="{{ nobody }}")
        def load(x: int) -> None:
            if x:
                raise ValueError("its own")

        load.expand(x=[0, 1])
    first, second = run_dag(flow)["load"].instances
    assert str(first.error) == (
        "map_index_template: the template '{{ nobody }}' cannot be rendered: 'nobody' is undefined"
    )
    assert str(second.error) == "its own"
    assert heard == []


def test_an_operator_has_one_too_and_a_task_that_is_not_mapped_needs_none(heard: list[str]) -> None:
    with DAG("flow") as flow:
        bash.partial(task_id="say", map_index_template="{{ task.command }}").expand(
            command=["true", "true   #"]
        )
        bash(task_id="once", command="true", map_index_template="{{ nobody }}")
    assert run_dag(flow).state == "success"
    assert sorted(set(heard)) == ["true", "true #"]


def test_a_long_name_is_shortened(heard: list[str]) -> None:
    with DAG("flow") as flow:

        @task(map_index_template="{{ text }}")
        def load(text: str) -> None: ...

        load.expand(text=["x\n" * 1000])
    run_dag(flow)
    assert len(heard[0]) == 250
    assert heard[0].endswith("x…")


def test_a_template_that_jinja_cannot_read_is_told_when_the_file_is_read() -> None:
    with pytest.raises(BadSpec, match="map_index_template must be a Jinja template"):

        @task(map_index_template="{{ x ")
        def load(x: int) -> None: ...

    assert issubclass(BadSpec, UsageError)
