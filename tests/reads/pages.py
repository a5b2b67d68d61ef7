"""What the pages of the interface ask for, on an installation of `bench.interface`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Ask = Callable[[str], Any]

DAY: Final = timedelta(days=1)
LARGE: Final = ("warehouse", "carriers")  # the widest, and the one with most mapped task instances
OF_DAG: Final = (
    *("?with_tasks=false", "/grid?limit=50", "/durations?days=4", "/versions?limit=50", "/changes?limit=50", "/next"),
    *("/assets", "/versions/1", "/airflow-runs?limit=50"),
)  # fmt: skip
OF_RUN: Final = (
    *("", "/tasks", "/gantt?limit=2000", "/diagnosis", "/adjacent", "/events?limit=500", "/source"),
    *("/task-instances?limit=500", "/task-instances?state=failed&limit=500", "/xcoms?limit=50"),
)


def requests(ask: Ask, now: datetime, longest: timedelta = 365 * DAY) -> list[str]:
    """One of each kind; those of a run are about the last that failed of each large DAG. ``longest``: of what is looked
    back upon.
    """
    found = [*of_the_team(now, longest)]
    for dag_id in LARGE:
        found += [f"/dags/{dag_id}{part}" for part in OF_DAG]
        found += [f"/runs?dag_id={dag_id}&limit=100", f"/events?dag_id={dag_id}&limit=200"]
        found.append(f"/dags/{dag_id}/calendar?{window(now - longest, now)}")
        failed, *_ = ask(f"/runs?dag_id={dag_id}&state=failed&limit=1")["items"]
        good, *_ = ask(f"/runs?dag_id={dag_id}&state=success&limit=1")["items"]
        run = f"/runs/{failed['run_id']}"
        found += [f"{run}{part}" for part in OF_RUN]
        found.append(f"{run}/diff?with={good['run_id']}")
        instance = ask(f"{run}/task-instances?limit=1")["items"][0]
        of_instance = f"{run}/task-instances/{instance['task_id']}"
        index = f"map_index={instance['map_index']}"
        found += [f"{of_instance}?{index}", f"{of_instance}/rendered?{index}"]
        found.append(f"{run}/xcoms?task_id={instance['task_id']}&{index}&limit=50")
        found.append(f"{run}/task-instances?task_id={instance['task_id']}&q=1&limit=500")
    return found


def of_the_team(now: datetime, longest: timedelta) -> list[str]:
    sorts = ("-last_run", "owner", "next_run")
    return [
        *("/session", "/health", "/overview", "/slots", "/slots/attempts?hours=24", "/pools", "/dependencies"),
        *("/dags?limit=200", "/dags?limit=200&state=failed", "/dags?limit=200&q=table"),
        *(f"/dags?limit=200&sort={sort}" for sort in sorts),
        *("/runs?limit=100", "/runs?limit=100&state=failed", "/runs?limit=100&state=running"),
        *("/runs?limit=100&q=orders", "/runs?limit=100&sort=longest", "/runs?limit=100&trigger=backfill"),
        f"/runs?limit=100&{window(now - 2 * DAY, now - DAY)}",
        *("/search?q=table_0", "/search?q=nothing", "/search?q=war+table"),
        *("/events?limit=200&notable=true", "/events?limit=200", "/events?limit=200&name=fail"),
        *("/audit?limit=200", "/backfills?limit=100", "/import-errors", "/users?limit=200", "/tokens?limit=200"),
        *("/grants?limit=200", "/run-links?limit=200", "/assets?limit=100", "/assets?limit=100&sort=-last_event"),
        "/airflow-dags?limit=200",
        *("/roles", "/teams", "/connections", "/variables", "/log-retention", "/metrics"),
        *(f"/timeline?{window(now - span, now + span / 4)}" for span in (DAY / 2, DAY, min(longest, 7 * DAY))),
        f"/calendar?{window(now - longest, now)}",
    ]  # fmt: skip


def window(first: datetime, last: datetime) -> str:
    return f"from={first.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}&to={last.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
