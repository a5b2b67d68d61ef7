"""Bugs to plant in a world of run strategies, each with the symptom by which it must be found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headway.core import strategies as core_strategies
from headway.core.strategies import Decision, Line, Other, Strategy
from headway.engine import lines
from headway.store import strategies
from tests.simulation.bugs.bug import Bug
from tests.simulation.strategies import STEPS, Strategies


def none_is_active(strategy: Strategy, line: Line) -> Decision:
    return decide(strategy, replace(line, active=None))


def newest_first(conn: Any, asking: Any, now: Any) -> dict[Any, Line]:
    """Whoever came last is the first of the line."""
    found = lines_of(conn, asking, now)
    for team_id, dag_id, _ in asking:
        row = conn.execute(
            "SELECT run_id, logical_date, state FROM run WHERE team_id = %s AND dag_id = %s"
            " AND state = 'queued' AND logical_date <= %s ORDER BY logical_date DESC LIMIT 1",
            [team_id, dag_id, now],
        ).fetchone()
        if row is not None:
            found[team_id, dag_id] = replace(found[team_id, dag_id], asked=Other(*row))
    return found


def oldest_kept(
    strategy: Strategy, unasked: Sequence[Other], kept: Other | None
) -> list[tuple[Other, Any]]:
    return others(strategy, unasked, unasked[0] if unasked else None)


decide, lines_of, others = core_strategies.decide, strategies.lines, core_strategies.others
ANYBODY = strategies.LINES.replace(strategies.MAY_BE_SKIPPED, "true")
EARLY = strategies.LINES.replace("AND run.logical_date <= %(now)s", "AND %(now)s IS NOT NULL")

BUGS = [
    Bug(name, symptom, seeds, places, STEPS, Strategies)
    for name, symptom, seeds, places in (
        (
            "a line that knows no active run",
            "I53|I14",
            (0, 1, 2, 3),
            ((lines, "decide", none_is_active),),
        ),
        (
            "the last in line starts first",
            "I54",
            (0, 1, 2, 3, 4, 5),
            ((strategies, "lines", newest_first),),
        ),
        (
            "a failure holds nobody",
            "I54",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((core_strategies, "is_held", lambda _: False),),
        ),
        ("whoever waits is skipped", "I55", (0, 1, 2, 3, 4, 5), ((strategies, "LINES", ANYBODY),)),
        ("the oldest stays", "I55", (0, 1, 2, 3), ((core_strategies, "others", oldest_kept),)),
        (
            "a logical date is not waited for",
            "I56",
            (0, 1, 2, 3, 4, 5),
            ((strategies, "LINES", EARLY),),
        ),
    )
]
