"""Templates of a container, as the scheduler fills them in: the same texts as in a task's own process, or refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headway.authoring.operators.templates import render
from headway.authoring.run import Run
from headway.core.pod_templates import NoValue, facts_of, filled, flaw_of_template, param_names
from headway.executors.kubernetes.foreign import literal

AT = datetime(2026, 3, 1, 5, 30, 7, tzinfo=UTC)
UNTIL = datetime(2026, 3, 2, tzinfo=UTC)
PARAMS: dict[str, Any] = {"mode": "full", "n": 3, "yes": True, "deep": {"a": [1, "two"]}}
RUN = Run(
    run_id="r1",
    dag_id="d",
    task_id="load",
    map_index=4,
    try_number=2,
    logical_date=AT,
    data_interval=(AT, UNTIL),
    params=PARAMS,
    partition="2026-03-01",
)
FACTS = facts_of(
    dag_id="d",
    run_id="r1",
    task_id="load",
    map_index=4,
    try_number=2,
    logical_date=AT,
    interval=(AT, UNTIL),
    partition="2026-03-01",
    params=PARAMS,
)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "--day={{ ds }}",
        "{{ds_nodash}} {{ ts }} {{ ts_nodash }}",
        "{{ dag_id }}/{{ run_id }}/{{ task_id }}/{{ map_index }}/{{ try_number }}",
        "{{ run.ds }} {{ run.params.mode }}",
        "{{ params.mode }} {{ params['n'] }} {{ params.yes }} {{ params.deep.a[1] }}",
        '{{ params["deep"] }}',
        "{{ logical_date }} {{ data_interval_start | ds }} {{ data_interval_end|ts_nodash }}",
        "{{ partition }} {{ partition_key }} {{ partition_date | ds }}",
        "${#array} }} %} and a lone {",
        "{{ params.mode }}",
    ],
)
def test_it_is_as_in_the_process_of_a_task(text: str) -> None:
    assert flaw_of_template(text) is None
    assert filled(text, FACTS) == render(text, RUN)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ conn.warehouse.host }}", "{{ conn.warehouse.host }} is a connection"),
        ("x {{ var.value.token }}", "{{ var.value.token }} is a variable"),
        ("{{ outlet_events }}", "{{ outlet_events }} is not known when the pod is created"),
        ("{{ params }}", "{{ params }} names no parameter"),
        ("{{ ds.upper }}", "{{ ds.upper }} is an expression"),
        ("{{ ds | upper }}", "{{ ds | upper }} is an expression"),
        ("{{ params.mode | ds }}", "{{ params.mode | ds }} is an expression"),
        ("{{ 1 + 1 }}", "{{ 1 + 1 }} is an expression"),
        ("{{ ds", "{{ ds is an expression"),
        ("{% for x in y %}", "{% for x in y %} is an expression"),
        ("{# note #}", "{# note #} is an expression"),
        ("{{ ds }}{{ params.get('x') }}", "{{ params.get('x') }} is an expression"),
    ],
)
def test_everything_else_is_refused(text: str, why: str) -> None:
    assert flaw_of_template(text) == why


def test_what_a_run_does_not_have_is_told() -> None:
    with pytest.raises(NoValue, match=r"no value for \{\{ params.nothing"):
        filled("{{ params.nothing }}", FACTS)
    nowhere = {**FACTS, "partition_date": None}
    with pytest.raises(NoValue, match="stands for no time"):
        filled("{{ partition_date | ds }}", nowhere)
    assert list(param_names("{{ params.a }} {{ run.params['b'] }} {{ ds }}")) == ["a", "b"]


def test_a_value_names_no_variable_of_the_container() -> None:
    """Kubernetes reads ``$(NAME)`` in a command: that is for who wrote the file, not for who started the run."""
    given = {**FACTS, "params": {"mode": "$(PASSWORD) $$"}}
    text = "$(HOME) {{ params.mode }}"
    assert filled(text, given, literal) == "$(HOME) $$(PASSWORD) $$$$"
