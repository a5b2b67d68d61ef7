"""Questions that tasks ask people, which Airflow calls details of a human in the loop: listed, shown and answered."""

from typing import Any, Final

from headway.api.airflow import shapes
from headway.api.airflow.dags import paged
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters, Json, like
from headway.api.airflow.inner import Problem
from headway.api.airflow.instances import index_of, instance_of
from headway.api.airflow.runs import ANY, INSTANCES_MAX, run_of, tasks_of

OPEN_MAX: Final = 1_000  # open questions that one request looks at
LOOKED_AT: Final = 200  # task instances of a run, each of which is asked for its questions
QUESTIONS: Final = Filters(
    ranges=("created_at",),
    equal={
        "task_id": "task_id",
        "map_index": "map_index",
        "state": "state",
        "response_received": "received",
        "responded_by_user_id": "responder",
        "responded_by_user_name": "responder",
    },
    patterns={"dag_id": "dag_id", "task_id": "task_id"},
    orders={
        **{name: name for name in ("subject", "responded_at", "created_at", "dag_id", "run_id")},
        "responded_by_user_id": "responder",
        "responded_by_user_name": "responder",
        "task_display_name": "task_id",
        "run_after": "run_after",
        "task_instance_state": "state",
    },
)
SEARCHES: Final = {"subject_search": "subject", "body_search": "body"}


async def list_questions(asked: Asked) -> Answer:
    """Give those of a run, or the open ones of all runs."""
    rules = QUESTIONS.rules(asked.query)
    rules += [
        like(field, f"%{text}%")
        for name, field in SEARCHES.items()
        if (text := asked.first(name)) is not None
    ]
    of_all = asked.names["run_id"] == ANY
    found = await open_ones(asked) if of_all else await of_run(asked, await run_of(asked))
    wanted = [each for each in found if all(rule(flat(each)) for rule in rules)]
    ordered = QUESTIONS.sorted(asked.query, [{**flat(each), "shown": each} for each in wanted])
    return paged(asked, "hitl_details", [each["shown"] for each in ordered])


async def open_ones(asked: Asked) -> list[Json]:
    """Return the open questions of a DAG, or of all. Raises Problem: answered ones are wanted, too."""
    if asked.first("response_received") != "false":
        why = "answered questions are listed run by run"
        raise Problem(501, f"{why}: name a run, or ask with response_received=false", [])
    dag_id = asked.names["dag_id"]
    only = None if dag_id == ANY else dag_id
    items, _ = await asked.inner.pages("/api/v1/questions", OPEN_MAX, dag_id=only)
    found: list[Json] = []
    for run_id in dict.fromkeys(each["run_id"] for each in items):
        run = await asked.inner.get(f"/api/v1/runs/{run_id}")
        mine = [each for each in items if each["run_id"] == run_id]
        for name in dict.fromkeys(each["task_id"] for each in mine):
            found += await of_run(asked, run, name, open_only=True)
    return found


async def of_run(
    asked: Asked, run: Json, task_id: str | None = None, *, open_only: bool = False
) -> list[Json]:
    """Return the last question of each task instance that has asked. Raises Problem: too many instances."""
    task_id = task_id or asked.first("task_id")
    path = f"/api/v1/runs/{run['run_id']}/task-instances"
    items, _ = await asked.inner.pages(path, INSTANCES_MAX, task_id=task_id)
    if len(items := [each for each in items if each["attempts"]]) > LOOKED_AT:
        why = f"the questions of at most {LOOKED_AT} task instances are listed at once"
        raise Problem(501, f"{why}: name a task with task_id", [])
    tasks = await tasks_of(asked.inner, run)
    found: list[Json] = []
    for each in items:
        whole = await asked.inner.get(f"{path}/{each['task_id']}", map_index=each["map_index"])
        last = whole["questions"][-1:]
        if last and not (open_only and last[0]["answer"]):
            found.append(detail(last[0], whole, run, tasks.get(each["task_id"], {})))
    return found


async def show_question(asked: Asked) -> Answer:
    run, found, task = await instance_of(asked)
    if not found["questions"]:
        raise Problem(404, "this task instance has asked nothing", [])
    return Answer(detail(found["questions"][-1], found, run, task))


async def show_question_of_try(asked: Asked) -> Answer:
    run, found, task = await instance_of(asked)
    number = asked.names["try_number"]
    for question in reversed(found["questions"]):
        attempt = next(
            (each for each in found["history"] if each["number"] == question["attempt"]), None
        )
        if attempt is not None and str(question["attempt"]) == number:
            shown = detail(question, found, run, task)
            return Answer({**shown, "task_instance": shapes.attempt(attempt, found, run, task)})
    raise Problem(404, f"try {number[:20]} of this task instance has asked nothing", [])


async def answer(asked: Asked) -> Answer:
    run, task_id = await run_of(asked), asked.names["task_id"]
    index = index_of(asked)
    wanted = {
        "map_index": -1 if index is None else index,
        "chosen_options": asked.body.get("chosen_options") or [],
        "params_input": asked.body.get("params_input") or {},
    }
    path = f"/api/v1/runs/{run['run_id']}/task-instances/{task_id}/answer"
    found = await asked.inner.send("POST", path, wanted)
    given = next(each["answer"] for each in reversed(found["questions"]) if each["answer"])
    return Answer(
        {
            "responded_by": person(given["answered_by"]),
            "responded_at": given["answered_at"],
            "chosen_options": given["chosen_options"],
            "params_input": given["params_input"],
        }
    )


def detail(question: Json, of: Json, run: Json, task: Json) -> dict[str, Any]:
    """Return a question as Airflow shows it. ``of``: its task instance."""
    given = question["answer"] or {}
    by = given.get("answered_by")
    return {
        "task_instance": shapes.instance(of, run, task),
        "options": question["options"],
        "subject": question["subject"],
        "body": question["body"],
        "defaults": question["defaults"],
        "multiple": question["multiple"],
        "params": {each["name"]: shapes.param(each) for each in question["params"]},
        "assigned_users": [person(name) for name in question["assigned_users"]],
        "created_at": question["asked_at"],
        "responded_by_user": None if by is None else person(by),
        "responded_at": given.get("answered_at"),
        "chosen_options": given.get("chosen_options"),
        "params_input": given.get("params_input", {}),
        "response_received": bool(given),
    }


def person(actor: str) -> dict[str, str]:
    """Return a user by name: Headway has no other id."""
    name = actor.removeprefix("user:")
    return {"id": name, "name": name}


def flat(shown: Json) -> dict[str, Any]:
    """Return what filters and orders ask for."""
    instance, by = shown["task_instance"], shown["responded_by_user"]
    fields = ("task_id", "map_index", "state", "dag_id", "run_after")
    return {
        **{name: instance[name] for name in fields},
        **{name: shown[name] for name in ("subject", "body", "created_at", "responded_at")},
        "run_id": instance["dag_run_id"],
        "received": str(shown["response_received"]).lower(),
        "responder": None if by is None else by["id"],
    }
