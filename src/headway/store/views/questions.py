"""Views of questions to people: the open ones of a team, and those of one task instance."""

from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row, tuple_row

from headway import wire
from headway.core.questions import default_answer, question_of
from headway.spec.model import Param
from headway.store.views import pages

COUNT_MAX: Final = 1_000
HISTORY_MAX: Final = 20

OPEN: LiteralString = """
    SELECT wait.run_id, run.dag_id, wait.task_id, wait.map_index, rendered_map_index, wait.attempt, wait.deferrals,
        wait.facts, wait.since AS asked_at, wait.ends_at
    FROM wait
    JOIN run ON run.team_id = wait.team_id AND run.run_id = wait.run_id
    JOIN task_instance AS instance ON instance.team_id = wait.team_id AND instance.run_id = wait.run_id
        AND instance.task_id = wait.task_id AND instance.map_index = wait.map_index
    WHERE wait.kind = 'answer' AND NOT wait.is_over
"""

PAGE: LiteralString = f"""
    {OPEN}
        AND (%(dag_id)s::text IS NULL OR run.dag_id = %(dag_id)s)
        AND (%(run_id)s::text IS NULL OR wait.run_id = %(run_id)s)
        AND (%(since)s::timestamptz IS NULL OR (wait.since, wait.run_id, wait.task_id, wait.map_index)
            < (%(since)s, %(after_run)s, %(after_task)s, %(after_index)s))
    ORDER BY wait.since DESC, wait.run_id DESC, wait.task_id DESC, wait.map_index DESC LIMIT %(limit)s
"""

ONE: LiteralString = f"""
    {OPEN} AND wait.run_id = %(run_id)s AND wait.task_id = %(task_id)s AND wait.map_index = %(map_index)s
"""

ANSWERED: LiteralString = """
    SELECT answer.run_id, run.dag_id, answer.task_id, answer.map_index, NULL AS rendered_map_index, answer.attempt,
        answer.deferrals, question AS facts, asked_at, NULL::timestamptz AS ends_at, chosen, answer.params,
        answered_by, answered_at, timed_out, link_id
    FROM answer JOIN run ON run.team_id = answer.team_id AND run.run_id = answer.run_id
    WHERE answer.run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
    ORDER BY answer.attempt DESC, answer.deferrals DESC LIMIT %(limit)s
"""

COUNT: LiteralString = """
    SELECT count(*) FROM (
        SELECT FROM wait WHERE kind = 'answer' AND NOT is_over LIMIT %(limit)s
    ) AS asked
"""


def page(
    conn: Connection[Any], dag_id: str | None, run_id: str | None, limit: int, cursor: str | None
) -> wire.Page[wire.Question]:
    """List open questions, the latest first."""
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[datetime, str, str, int]) if cursor else (None,) * 4
    values: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "limit": limit + 1}
    names = ("since", "after_run", "after_task", "after_index")
    with conn.cursor(row_factory=dict_row) as rows:
        values |= dict(zip(names, after, strict=True))
        found = [question(**row) for row in rows.execute(PAGE, values)]
    if len(found) <= limit:
        return wire.Page(found)
    last = found[limit - 1]
    key = (last.asked_at, last.run_id, last.task_id, last.map_index)
    return wire.Page(found[:limit], pages.encode(key))


def count(conn: Connection[Any]) -> wire.QuestionCount:
    with conn.cursor(row_factory=tuple_row) as rows:
        row = rows.execute(COUNT, {"limit": COUNT_MAX + 1}).fetchone()
    number = 0 if row is None else row[0]
    return wire.QuestionCount(open=min(number, COUNT_MAX), truncated=number > COUNT_MAX)


def open_one(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int
) -> wire.Question | None:
    values = {"run_id": run_id, "task_id": task_id, "map_index": map_index}
    with conn.cursor(row_factory=dict_row) as rows:
        row = rows.execute(ONE, values).fetchone()
    return None if row is None else question(**row)


def of_instance(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int
) -> list[wire.Question]:
    """Return the questions of a task instance, the latest first: the open one, and those that were answered."""
    asked = open_one(conn, run_id, task_id, map_index)
    values = {"run_id": run_id, "task_id": task_id, "map_index": map_index, "limit": HISTORY_MAX}
    with conn.cursor(row_factory=dict_row) as rows:
        answered = [answered_question(**row) for row in rows.execute(ANSWERED, values)]
    return [*([] if asked is None else [asked]), *answered]


def answered_question(
    *,
    chosen: list[str],
    params: dict[str, Any],
    answered_by: str,
    answered_at: datetime,
    timed_out: bool,
    link_id: str | None,
    **asked: Any,
) -> wire.Question:
    answer = wire.Answer(
        chosen_options=chosen,
        params_input=params,
        answered_by=answered_by,
        answered_at=answered_at,
        timed_out=timed_out,
        link_id=link_id,
    )
    return question(**asked, answer=answer)


def question(
    *,
    facts: dict[str, Any],
    deferrals: int,
    attempt: int,
    asked_at: datetime,
    ends_at: datetime | None,
    answer: wire.Answer | None = None,
    **key: Any,
) -> wire.Question:
    known = question_of(facts)
    return wire.Question(
        **key,
        id=f"{attempt}.{deferrals}",
        attempt=attempt,
        ask=known.ask,
        subject=known.subject,
        body=known.body,
        options=list(known.options),
        multiple=known.multiple,
        defaults=None if known.defaults is None else list(known.defaults),
        params=msgspec.convert(known.params, list[Param]),
        assigned_users=list(known.assigned_users),
        assigned_roles=list(known.assigned_roles),
        asked_at=asked_at,
        ends_at=ends_at,
        has_default=default_answer(known, asked_at, "") is not None,
        answer=answer,
    )
