"""W17: two teams share one machine's slots. One backfills 10,000 runs; what does the other one's queue notice?

The other team is measured in the same run alone, beside the backfill, and alone again, when a limit lets no more of the
backfill run: so what else the machine does is in both figures. In two ways:

- bursts of small runs, eight times as many as its nominal slots: its tasks queue for its own slots, and the backfill
  is to make that queue no longer (``p95_to_alone``);
- single runs, which alone start at once: they wait until one of the slots that were lent comes back (``single_…_ms``).
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import psycopg

from bench.figures import summarise
from bench.product import Api, Headway, ProductError, fresh, wait_until

TEAMS: Final = Path(__file__).parent / "teams"
LOUD, QUIET = "alpha", "beta"
NOMINAL: Final = 16  # of each team: together they are the slots of ``headway up``
BURST: Final = 8 * NOMINAL
BURSTS: Final = 4
SINGLES: Final = 30
BACKFILL: Final = 10_000
TIMEOUT_S: Final = 120.0
FIRST_DAY: Final = date(2000, 1, 1)

# From the moment a task instance could run until its process ran.
QUEUED_S: Final = """
    SELECT extract(epoch FROM attempt.started_at - attempt.ready_at)::double precision
    FROM attempt JOIN team USING (team_id)
    WHERE team.name = %s AND attempt.run_id = ANY(%s) AND attempt.started_at IS NOT NULL
"""


def w17(repeats: int) -> Iterator[tuple[str, float]]:
    for _ in range(max(1, repeats // 3)):
        with fresh(TEAMS) as headway:
            yield from one(headway).items()


def one(headway: Headway) -> dict[str, float]:
    quiet = in_team(headway, QUIET, "small")
    loud = in_team(headway, LOUD, "backfilled")
    quiet.finish(quiet.trigger("small"), TIMEOUT_S)
    burst_ids, single_ids = bursts(quiet, BURSTS // 2), singles(quiet, SINGLES // 2)
    begin_backfill(loud)
    beside_ids, single_beside_ids = bursts(quiet, BURSTS), singles(quiet, SINGLES)
    if not loud.has_runs("backfilled", "queued"):
        raise ProductError("the backfill ended before the measurement")
    headway.api.call("PATCH", f"/teams/{LOUD}", {"limits": {"running_tasks": 0}})
    wait_until(lambda: uses(loud) == 0, "the backfill gives its slots back", TIMEOUT_S)
    burst_ids += bursts(quiet, BURSTS - BURSTS // 2)
    single_ids += singles(quiet, SINGLES - SINGLES // 2)
    alone, single = p95(headway, QUIET, burst_ids), p95(headway, QUIET, single_ids)
    beside, single_beside = p95(headway, QUIET, beside_ids), p95(headway, QUIET, single_beside_ids)
    return {
        "p95_alone_s": alone,
        "p95_beside_s": beside,
        "p95_to_alone": beside / alone,
        "single_alone_ms": 1e3 * single,
        "single_beside_ms": 1e3 * single_beside,
    }


def in_team(headway: Headway, team: str, dag_id: str) -> Api:
    admin = headway.api
    wait_until(lambda: has_team(admin, team), f"team {team}", TIMEOUT_S)
    admin.call("PATCH", f"/teams/{team}", {"slots": NOMINAL})
    api = replace(admin, team=team)
    api.call("PUT", "/pools/default", {"slots": NOMINAL if team == QUIET else 2 * NOMINAL})
    wait_until(lambda: api.knows(dag_id), f"DAG {dag_id}", TIMEOUT_S)
    return api


def has_team(admin: Api, team: str) -> bool:
    return admin.send("GET", f"/api/v1/teams/{team}")[0] == 200


def begin_backfill(api: Api) -> None:
    """Return once the backfill has all the slots. Headway is stopped before it has ended."""
    last = FIRST_DAY + timedelta(days=BACKFILL - 1)
    period = {"from": FIRST_DAY.isoformat(), "to": last.isoformat()}
    made = api.call(
        "POST", "/dags/backfilled/backfills", {**period, "max_active_runs": 4 * NOMINAL}
    )
    assert len(made["runs"]) == BACKFILL
    wait_until(lambda: uses(api) >= 2 * NOMINAL, "the backfill takes what is idle", TIMEOUT_S)


def uses(api: Api) -> int:
    used: int = api.call("GET", f"/teams/{api.team}")["used"]
    return used


def bursts(api: Api, count: int) -> list[str]:
    run_ids: list[str] = []
    for _ in range(count):
        burst = api.trigger_many("small", BURST)
        run_ids += burst
        for run_id in burst:
            api.finish(run_id, TIMEOUT_S)
    return run_ids


def singles(api: Api, count: int) -> list[str]:
    run_ids = []
    for _ in range(count):
        run_ids.append(api.trigger("small"))
        api.finish(run_ids[-1], TIMEOUT_S)
        time.sleep(0.05)
    return run_ids


def p95(headway: Headway, team: str, run_ids: list[str]) -> float:
    """The p95 of the time that the tasks of these runs queued, in seconds."""
    with psycopg.connect(headway.database) as conn:
        found = conn.execute(QUEUED_S, (team, run_ids)).fetchall()
    assert len(found) == len(run_ids), "each run has one task, which started once"
    return summarise(float(queued_s) for (queued_s,) in found).p95
