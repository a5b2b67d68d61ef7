"""Tasks of Airflow that start runs of other DAGs, wait for them and ask about them."""

from typing import get_args

import pytest
from airflow.sdk.execution_time.comms import ToSupervisor

from headway.authoring.run import Run
from headway.frontends.airflow.answers import REFUSED, Conversation
from tests.airflow.conftest import Server
from tests.airflow.releases import FOUND, IS_NEWEST
from tests.api.seed import NOON

pytestmark = pytest.mark.long

MESSAGES = {"3.2": 40, "3.3": 55}
OF_OLDER = {"GetNumberXComs"}  # names of messages that the newest release has no more


def test_each_message_of_airflow_is_answered_or_refused_by_its_name() -> None:
    """Airflow adds messages with each version: each is to be looked at here, before it is supported."""
    union, *_ = get_args(ToSupervisor)
    messages = {each.__name__ for each in get_args(union)}
    assert len(messages) == MESSAGES[FOUND]
    run = Run(run_id="r", dag_id="d", task_id="t", logical_date=NOON, data_interval=(NOON, NOON))
    answered = set(Conversation(run, None, []).answers)
    assert answered & REFUSED.keys() == set()
    known = answered | REFUSED.keys()
    assert known - OF_OLDER == messages if IS_NEWEST else known > messages


def test_a_task_starts_runs_of_other_dags(server: Server) -> None:
    ran = server.run("starts")
    assert ran.states == {
        "fire": "success",
        "again": "skipped",
        "reset": "success",
        "refused": "failed",
        "dated": "success",
        "waits": "success",
        "fails": "failed",
        "nobody": "failed",
        "looks": "success",
    }
    told = ran.why("nobody") if IS_NEWEST else ran.log("nobody")  # 3.2 tells its log only
    assert "no DAG 'nosuch'" in told
    assert "failed" in ran.why("fails")
    log = ran.log("looks")
    for line in (
        "count: 1",
        "state: DagRunState.SUCCESS",
        "states: True [('group.one', 'success'), ('group.two', 'success'), ('shows', 'success')]",
        "group: 2",
        "crumbs: 3",
        "dag: False",
        "none: 0",
        "before: True",
    ):
        assert line in log, line
    sensed = server.run("senses", "--date", "2026-05-04")
    assert sensed.states == {
        "dag": "success",
        "one_task": "success",
        "whole_group": "success",
        "deferred": "success",
        "never": "failed",
        "skips": "skipped",
        "gives_up": "failed",
        "marks": "success",
    }
