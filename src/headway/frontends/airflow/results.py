"""XComs as Airflow's tasks ask for them: those of the run are asked of the server, and our own are kept for its end.

Values are the JSON that Airflow made of them; nobody here looks inside.
"""

from typing import Any, Final, NamedTuple

import msgspec

from headway.authoring import secrets
from headway.authoring.run import Run
from headway.frontends.airflow import deferring
from headway.frontends.airflow.runs import Runs

XCOM: Final = "xcom"  # the kind of question, see ``secrets.results``


class BadQuestion(Exception):
    """A question about results that cannot be answered here."""


class Stored(msgspec.Struct, frozen=True):
    map_index: int
    value: Any


STORED: Final = msgspec.json.Decoder(list[Stored])


class Wanted(NamedTuple):
    run_id: str
    task_id: str
    key: str
    map_index: int | None  # None: of all instances


ANSWERS_OF_COUNT: Final = {"GetNumberXComs": "XComLengthResponse"}  # the words of 3.2


class Results:
    def __init__(self, run: Run, runs: Runs) -> None:
        self.run = run
        self.runs = runs
        self.pushed = deferring.pushed(run)

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        index = -1 if body.get("map_index") is None else body["map_index"]
        found = self.find(body, index)
        value = found[0].value if found else None
        return {"type": "XComResult", "key": body["key"], "value": value}

    def count(self, body: dict[str, Any]) -> dict[str, Any]:
        word = ANSWERS_OF_COUNT.get(body["type"], "XComCountResponse")
        return {"type": word, "len": len(self.find(body, None))}

    def item(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.find(body, None)
        try:
            return {"type": "XComSequenceIndexResult", "root": found[body["offset"]].value}
        except IndexError:
            detail = {"message": f"there is no item {body['offset']}"}
            return {"type": "ErrorResponse", "error": "XCOM_NOT_FOUND", "detail": detail}

    def part(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.find(body, None)[slice(body["start"], body["stop"], body["step"])]
        return {"type": "XComSequenceSliceResult", "root": [one.value for one in found]}

    def put(self, body: dict[str, Any]) -> None:
        self.refuse_foreign(body, "write")
        self.pushed[body["key"]] = body["value"]

    def delete(self, body: dict[str, Any]) -> None:
        self.refuse_foreign(body, "delete")
        self.pushed.pop(body["key"], None)

    def find(self, body: dict[str, Any], map_index: int | None) -> list[Stored]:
        if body.get("include_prior_dates"):
            raise BadQuestion("xcom_pull with include_prior_dates=True is not supported yet")
        run_id = self.runs.id_of(body["dag_id"], body["run_id"])
        wanted = Wanted(run_id, body["task_id"], body["key"], map_index)
        if self.is_own(body) and map_index in (None, self.run.map_index):
            return (
                [Stored(self.run.map_index, self.pushed[wanted.key])]
                if wanted.key in self.pushed
                else []
            )
        answer = secrets.ask(XCOM, msgspec.json.encode(wanted._asdict()).decode())
        return STORED.decode(answer or "[]")

    def is_own(self, body: dict[str, Any]) -> bool:
        return bool(body["run_id"] == self.run.run_id and body["task_id"] == self.run.task_id)

    def refuse_foreign(self, body: dict[str, Any], verb: str) -> None:
        index = -1 if body.get("map_index") is None else body["map_index"]
        if not self.is_own(body) or index != self.run.map_index:
            raise BadQuestion(
                f"a task can {verb} its own XComs only, not those of {body['task_id']}"
            )
