"""Backfills. Airflow knows one by a number: that is our id, whose letters are digits of base 32."""

from typing import Any, Final

from headway import ids
from headway.api.airflow import shapes
from headway.api.airflow.dags import paged
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters
from headway.api.airflow.inner import Problem

BACKFILLS_MAX: Final = 10_000
ACTIVE: Final = 10  # as Airflow has it if nothing is said
AGAIN: Final = {"none": "missing", "failed": "failed", "completed": "all"}
ORDERS: Final = Filters(orders={"id": "created_at", "created_at": "created_at"})


async def list_backfills(asked: Asked) -> Answer:
    if (dag_id := asked.first("dag_id")) is None:
        raise Problem(422, "dag_id is missing", [])
    items, _ = await asked.inner.pages("/api/v1/backfills", BACKFILLS_MAX, dag_id=dag_id)
    found = [shapes.backfill(each) for each in reversed(items)]
    return paged(asked, "backfills", ORDERS.sorted(asked.query, found))


async def show_backfill(asked: Asked) -> Answer:
    return Answer(shapes.backfill(await asked.inner.get(f"/api/v1/backfills/{id_in(asked)}")))


def id_in(asked: Asked) -> str:
    """Return our id of the number in the path. Raises Problem: none of ours has it."""
    text = asked.names["backfill_id"]
    number = int(text) if text.isdecimal() and len(text) <= shapes.DIGITS_MAX else -1
    if not 0 <= number < len(ids.ALPHABET) ** ids.RUN_ID_LENGTH:
        raise Problem(404, "there is no backfill of this number", [])
    digits = []
    for _ in range(ids.RUN_ID_LENGTH):
        number, digit = divmod(number, len(ids.ALPHABET))
        digits.append(ids.ALPHABET[digit])
    return "".join(reversed(digits))


async def create(asked: Asked) -> Answer:
    made = await asked.inner.send("POST", *request(asked, dry_run=False))
    path = f"/api/v1/backfills/{made['backfill_id']}"
    behavior = asked.body.get("reprocess_behavior") or "none"
    return Answer({**shapes.backfill(await asked.inner.get(path)), "reprocess_behavior": behavior})


async def would_create(asked: Asked) -> Answer:
    found = await asked.inner.send("POST", *request(asked, dry_run=True))
    dates = [
        {"logical_date": each["logical_date"], "partition_key": None, "partition_date": None}
        for each in found["runs"]
        if each["action"] != "leave"
    ]
    return Answer({"backfills": dates, "total_entries": len(dates)})


def request(asked: Asked, *, dry_run: bool) -> tuple[str, dict[str, Any]]:
    """Return path and body of the request to our API. Raises Problem."""
    body = asked.body
    if (behavior := body.get("reprocess_behavior") or "none") not in AGAIN:
        raise Problem(422, f"reprocess_behavior must be one of: {', '.join(AGAIN)}", [])
    if not isinstance(dag_id := body.get("dag_id"), str) or not dag_id or "/" in dag_id:
        raise Problem(422, "dag_id is missing", [])
    active = body.get("max_active_runs")
    wanted = {
        "from": body.get("from_date"),
        "to": body.get("to_date"),
        "params": body.get("dag_run_conf") or {},
        "max_active_runs": ACTIVE if active is None else active,
        "again": AGAIN[behavior],
        "newest_first": asked.wants("run_backwards"),
        "dry_run": dry_run,
    }
    return f"/api/v1/dags/{dag_id}/backfills", wanted


async def cancel(asked: Asked) -> Answer:
    return await switched(asked, "cancel")


async def pause(asked: Asked) -> Answer:
    return await switched(asked, "pause")


async def unpause(asked: Asked) -> Answer:
    return await switched(asked, "resume")


async def switched(asked: Asked, command: str) -> Answer:
    path = f"/api/v1/backfills/{id_in(asked)}"
    before = await asked.inner.get(path)
    if shapes.backfill(before)["completed_at"] is not None:
        raise Problem(409, "the backfill has ended already", [])
    return Answer(shapes.backfill(await asked.inner.send("POST", f"{path}/{command}")))
