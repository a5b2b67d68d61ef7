"""Airflow's own client asks what tasks ask people, and answers."""

from typing import Any

import pytest
from airflow_client.client.exceptions import ApiException

from headway.store.transact import Session
from tests.api.airflows import airflow, api, caller, described
from tests.api.browser import Browser
from tests.api.test_facade_client import misfits, schema_of
from tests.api.test_questions import FORM, asking, wait
from tests.scenarios.world import run_state, states

__all__ = ["api", "caller", "described"]


def instances(api: Any) -> Any:
    return airflow.TaskInstanceApi(api)


def test_a_question_is_listed_read_and_answered(api: Any, conn: Session) -> None:
    scheduler, run_id = asking(conn)
    where = {"dag_id": "d", "dag_run_id": run_id}
    (listed,) = instances(api).get_hitl_details(**where).hitl_details
    one = instances(api).get_hitl_detail(**where, task_id="a", map_index=-1)
    assert listed == one
    assert (one.subject, one.options) == ("Release?", ["Approve", "Reject"])
    assert (one.response_received, one.responded_at, one.chosen_options) == (False, None, None)
    assert (one.task_instance.task_id, one.task_instance.dag_run_id) == ("a", run_id)

    payload = airflow.UpdateHITLDetailPayload(chosen_options=["Approve"])
    given = instances(api).update_hitl_detail(
        **where, task_id="a", map_index=-1, update_hitl_detail_payload=payload
    )
    assert given.chosen_options == ["Approve"]
    assert states(conn, run_id)["a"] == "success"
    after = instances(api).get_hitl_detail(**where, task_id="a", map_index=-1)
    assert (after.response_received, after.responded_by_user) == (True, given.responded_by)
    first = instances(api).get_hitl_detail_try_detail(
        **where, task_id="a", map_index=-1, try_number=1
    )
    assert (first.subject, first.responded_at) == ("Release?", given.responded_at)
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_the_values_of_a_form_are_handed_on_and_checked(api: Any, conn: Session) -> None:
    _, run_id = asking(conn, wait(FORM))
    where = {"dag_id": "d", "dag_run_id": run_id, "task_id": "a", "map_index": -1}
    assert instances(api).get_hitl_detail(**where).params["amount"]["value"] == 5

    def answer(amount: int) -> Any:
        payload = airflow.UpdateHITLDetailPayload(
            chosen_options=["OK"], params_input={"amount": amount}
        )
        return instances(api).update_hitl_detail(**where, update_hitl_detail_payload=payload)

    with pytest.raises(ApiException) as refused:
        answer(0)
    assert refused.value.status in (400, 422)
    assert answer(7).params_input == {"amount": 7}
    with pytest.raises(ApiException) as again:
        answer(8)
    assert again.value.status == 409


def test_open_questions_of_all_runs(api: Any, caller: Browser, conn: Session) -> None:
    _, run_id = asking(conn)
    everywhere = {"dag_id": "~", "dag_run_id": "~", "response_received": False}
    find = instances(api).get_hitl_details
    assert [each.task_instance.dag_run_id for each in find(**everywhere).hitl_details] == [run_id]
    assert find(**everywhere, subject_search="RELEASE").total_entries == 1
    assert find(**everywhere, subject_search="refund").total_entries == 0
    assert find(**everywhere, task_id="b").total_entries == 0
    assert find(dag_id="d", dag_run_id=run_id, response_received=True).total_entries == 0
    told = caller.ask("GET", "/api/v2/dags/~/dagRuns/~/hitlDetails")
    assert (told.status, "response_received=false" in told.json["detail"]) == (501, True)


def test_who_asked_nothing_has_no_question(api: Any, conn: Session) -> None:
    _, run_id = asking(conn)
    with pytest.raises(ApiException) as missing:
        instances(api).get_hitl_detail(dag_id="d", dag_run_id=run_id, task_id="b", map_index=-1)
    assert missing.value.status == 404


def test_the_answers_have_the_fields_of_airflows(
    caller: Browser, conn: Session, described: dict[str, Any]
) -> None:
    _, run_id = asking(conn)
    of_run = f"/api/v2/dags/d/dagRuns/{run_id}"
    one = f"{of_run}/taskInstances/a/-1/hitlDetails"
    chosen = {"chosen_options": ["Reject"]}
    for method, path, body in (
        ("GET", f"{of_run}/hitlDetails", None),
        ("GET", one, None),
        ("PATCH", one, chosen),
        ("GET", f"{one}/tries/1", None),
    ):
        answer = caller.ask(method, path, body)
        assert answer.status == 200, (path, answer)
        schema = schema_of(described, method, path, answer.status)
        assert not list(misfits(described, schema, answer.json, path)), path
