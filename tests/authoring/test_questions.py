"""Tasks that ask people: what follows from an answer, from none, and from a wrong one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headway import Param, approve, ask, choose, dag, task
from headway.authoring.loading import load_file
from headway.errors import UsageError
from headway.testing import run_dag
from tests.authoring.files import mistake

EXAMPLES = Path(__file__).parents[2] / "examples" / "questions"
AT = datetime(2026, 1, 2, tzinfo=UTC)
SIZES = ["small", "large"]


@task
def release() -> str:
    return "released"


@task
def read(answer: object) -> object:
    return answer


def approval(**options: Any) -> Any:
    @dag
    def flow() -> None:
        asked: Any = approve("sign", subject="Release {{ ds }}?", **options)
        asked >> release()

    return flow


def test_the_example() -> None:
    (made,) = load_file(EXAMPLES / "release.py", EXAMPLES)
    result = run_dag(made, answers={"traffic": {"percent": 20}, "sign": "Approve"})
    assert result["publish"].value == "build-118 takes 20 % of the traffic"
    unanswered = run_dag(made)
    assert unanswered["publish"].state == "skipped"
    assert unanswered["traffic"].value["params_input"] == {"percent": 5}


def test_what_is_approved_goes_on() -> None:
    result = run_dag(approval(), logical_date=AT, answers={"sign": "Approve"})
    assert {name: task.state for name, task in result.tasks.items()} == {
        "sign": "success",
        "release": "success",
    }
    assert result["sign"].value == {
        "approved": True,
        "chosen_options": ["Approve"],
        "params_input": {},
        "responded_by_user": {"id": "user:test", "name": "test"},
        "responded_at": AT.isoformat(),
        "timedout": False,
    }


def test_what_is_rejected_skips_what_is_downstream() -> None:
    result = run_dag(approval(), logical_date=AT, answers={"sign": "Reject"})
    assert (result["sign"].state, result["release"].state) == ("success", "skipped")
    assert result["sign"].value["approved"] is False
    assert result.state == "success"


def test_a_rejection_may_fail_the_task() -> None:
    result = run_dag(
        approval(fail_on_reject=True, retries=3), logical_date=AT, answers={"sign": "Reject"}
    )
    assert (result["sign"].state, result["release"].state) == ("failed", "upstream_failed")
    assert result["sign"].attempts == 1


@pytest.mark.parametrize(("ignores", "state"), [(True, "skipped"), (False, "success")])
def test_trigger_rules_decide_below_a_rejection_unless_they_are_ignored(
    ignores: bool, state: str
) -> None:
    @dag
    def flow() -> None:
        asked: Any = approve("sign", subject="Release?", ignore_downstream_trigger_rules=ignores)
        asked >> release() >> task(trigger_rule="all_done", task_id="last")(lambda: None)()

    result = run_dag(flow, answers={"sign": "Reject"})
    assert (result["release"].state, result["last"].state) == ("skipped", state)


@pytest.mark.parametrize(("default", "state"), [("Approve", "success"), ("Reject", "skipped")])
def test_without_an_answer_the_default_holds_when_the_time_is_over(
    default: str, state: str
) -> None:
    result = run_dag(approval(defaults=default, response_timeout=60), logical_date=AT)
    assert (result["sign"].state, result["release"].state) == ("success", state)
    value = result["sign"].value
    assert (value["timedout"], value["responded_by_user"]) == (True, None)


def test_a_default_that_fails_the_task_says_that_nobody_answered() -> None:
    flow = approval(defaults="Reject", response_timeout=60, fail_on_reject=True)
    assert run_dag(flow, logical_date=AT)["sign"].state == "failed"


def test_without_an_answer_and_a_default_a_test_is_told_what_to_write() -> None:
    with pytest.raises(UsageError, match=r'"sign" asks a person: Release 2026-01-02\?') as error:
        run_dag(approval(), logical_date=AT)
    assert error.value.hint == "give an answer: run_dag(…, answers={\"sign\": 'Approve'})"


def test_a_choice_is_a_result() -> None:
    @dag
    def flow() -> None:
        size: Any = choose("size", subject="Which?", options=SIZES, multiple=True)
        read(size.output["chosen_options"])

    result = run_dag(flow, answers={"size": ["large", "small"]})
    assert result["read"].value == ["large", "small"]


def test_a_choice_may_be_a_branch() -> None:
    @dag
    def flow() -> None:
        size: Any = choose(
            "size",
            subject="Which?",
            options=["big", "small", "none"],
            multiple=True,
            options_mapping={"big": ["a", "b"], "none": []},
        )
        size >> [task(task_id=name)(lambda: None)() for name in ("a", "b", "small")]

    def after(*chosen: str) -> list[str]:
        result = run_dag(flow, answers={"size": list(chosen)})
        return [name for name in ("a", "b", "small") if result[name].state == "success"]

    assert after("big") == ["a", "b"]
    assert after("small") == ["small"]
    assert after("small", "big") == ["a", "b", "small"]
    assert after("none") == []


def test_a_form_is_typed_by_its_schema() -> None:
    @dag
    def flow() -> None:
        form: Any = ask(
            "form",
            subject="How much?",
            params={"amount": Param(5, type="integer", minimum=1), "why": "as planned"},
            response_timeout=60,
        )
        read(form.output["params_input"])

    assert run_dag(flow, answers={"form": {"amount": 7}})["read"].value == {
        "amount": 7,
        "why": "as planned",
    }
    assert run_dag(flow)["read"].value == {"amount": 5, "why": "as planned"}
    with pytest.raises(UsageError, match=r'"amount" of the question of form is 0, but must be at'):
        run_dag(flow, answers={"form": {"amount": 0}})


def test_a_field_without_a_default_has_none_when_the_time_is_over() -> None:
    @dag
    def flow() -> None:
        ask(
            "form",
            subject="How much?",
            params={"amount": Param(type="integer")},
            response_timeout=60,
        )

    with pytest.raises(UsageError, match="asks a person"):
        run_dag(flow)


def test_each_mapped_instance_asks() -> None:
    @dag
    def flow() -> None:
        sizes: Any = choose.partial("size", options=SIZES).expand(subject=["One?", "Two?"])
        read(sizes.output)

    answers: Any = {"size[0]": "small", "size[1]": "large"}
    chosen = [one["chosen_options"] for one in run_dag(flow, answers=answers)["read"].value]
    assert chosen == [["small"], ["large"]]


def test_options_may_be_the_result_of_a_task() -> None:
    @dag
    def flow() -> None:
        offered: Any = read(SIZES)
        choose("size", subject="Which?", options=offered)

    assert run_dag(flow, answers={"size": "large"})["size"].value["chosen_options"] == ["large"]
    with pytest.raises(UsageError, match="'huge' is not an option"):
        run_dag(flow, answers={"size": "huge"})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('approve("x")', 'approve("x") needs subject'),
        ('approve("x", subject="")', "subject must say what is asked"),
        ('approve("x", subject="?", defaults="Yes")', "defaults has 'Yes', which is not an option"),
        ('approve("x", subject="?", fail_on_reject=1)', "fail_on_reject must be True or False"),
        ('choose("x", subject="?", options=[])', "options must not be empty"),
        ('choose("x", subject="?", options="ab")', "options must be a list of texts"),
        ('choose("x", subject="?", options=["a", "a"])', "an option is named twice"),
        (
            'choose("x", subject="?", options=["a", "b"], defaults=["a", "b"])',
            "defaults has several options",
        ),
        (
            'choose("x", subject="?", options=["a"], options_mapping={"b": "t"})',
            "options_mapping has 'b', which is not an option",
        ),
        ('ask("x", subject="?", params={})', "params must have at least one field"),
        (
            'ask("x", subject="?", params={"n": Param(0, minimum=1)})',
            'the parameter "n" of the question is 0, but must be at least 1 (its default)',
        ),
        (
            'ask("x", subject="?", params={"n": Param(0, minimun=1)})',
            'did you mean "minimum"?',
        ),
        ('ask("x", subject="?", params={"n": 1}, response_timeout=0)', "response_timeout must be"),
        ('ask("x", subject="?", params={"n": 1}, assigned_users=[1])', "assigned_users must be"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, call: str, message: str) -> None:
    text = f"""
    from headway import Param, approve, ask, choose, dag

    @dag
    def flow():
        {call}

    flow()
    """
    told = mistake(tmp_path, text)
    assert message in told
    assert "flow.py:5" in told
