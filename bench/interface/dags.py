"""The DAG files of the seeded installation: real ones, which the loader registers."""

from pathlib import Path
from typing import Final

WIDE: Final = '''"""A warehouse, rebuilt every night: {layers} layers of {width} tasks."""

from datetime import datetime

from headway import chain, dag, task
from headway import TaskGroup


@dag(
    dag_id="warehouse", schedule="0 0 * * *", start_date=datetime(2026, 1, 1), catchup=False,
    tags=["warehouse", "nightly"], owner="data-platform", description="The whole warehouse, every night",
)
def define():
    def work(): ...

    above = []
    for layer in range({layers}):
        with TaskGroup(f"layer_{{layer:02}}"):
            here = [task(task_id=f"table_{{n:03}}")(work)() for n in range({width})]
        for n, each in enumerate(here):
            for step in (0, 1, 7):
                if above:
                    above[(n + step) % {width}] >> each
        above = here


define()
'''

MAPPED: Final = '''"""Every carrier of every airport, summarised one by one."""

from datetime import datetime, timedelta

from headway import dag, task


@dag(
    dag_id="carriers", schedule="0 5 * * *", start_date=datetime(2026, 1, 1), catchup=False,
    tags=["flights"], owner="analytics", description="One task for each carrier with flights that day",
)
def define():
    @task
    def extract() -> list[int]:
        return list(range({items}))

    @task(retries=2, retry_delay=timedelta(seconds=30))
    def summarise(carrier: int) -> int:
        return carrier

    @task
    def report(rows: list[int]) -> int:
        return len(rows)

    report(summarise.expand(carrier=extract()))


define()
'''

SMALL: Final = '''"""{description}"""

from datetime import datetime

from headway import Param, dag, task


@dag(
    dag_id="{dag_id}", schedule="{cron}", start_date=datetime(2026, 1, 1), catchup=False,
    tags={tags!r}, owner="{owner}", description="{description}",
    params={{"region": Param("eu", type="string", enum=["eu", "us", "apac"]), "rows": 1000}},
)
def define():
    @task
    def extract(): ...

    @task
    def clean(): ...

    @task
    def load(): ...

    @task
    def check(): ...

    extract() >> clean() >> load() >> check()


define()
'''

BROKEN: Final = '''"""A file that somebody has just saved in the middle of a word."""

from headway import dag, task

@dag(schedule="@daily"
def define():
'''

SMALLS: Final[tuple[tuple[str, str, list[str], str, str], ...]] = (
    ("orders", "*/15 * * * *", ["shop"], "shop", "Orders of the shop, every quarter of an hour"),
    ("invoices", "0 6 * * 1-5", ["finance"], "finance", "Invoices on working days"),
    ("customers", "30 2 * * *", ["shop", "nightly"], "shop", "Customers, once a night"),
    ("prices", "0 * * * *", ["shop"], "pricing", "Prices of the market, hourly"),
    ("stock", "0 */4 * * *", ["logistics"], "logistics", "What lies in which warehouse"),
    ("forecast", "0 7 * * 1", ["ml"], "data-science", "What will be sold next week"),
)


TEAMS: Final = ("shop", "finance", "logistics", "pricing", "ml", "data-platform")
LARGE: Final = 2  # the warehouse and the carriers


def smalls(count: int) -> list[tuple[str, str, list[str], str, str]]:
    """The named ones first, then as many as are left."""
    more = [
        (
            f"{TEAMS[n % len(TEAMS)].replace('-', '_')}_table_{n:03}",
            f"{n % 60} {n % 24} * * *",
            [TEAMS[n % len(TEAMS)], "nightly"],
            TEAMS[n % len(TEAMS)],
            f"One of the tables of {TEAMS[n % len(TEAMS)]}",
        )
        for n in range(max(0, count - len(SMALLS)))
    ]
    return [*SMALLS, *more][:count]


def write(folder: Path, tasks: int, items: int, count: int) -> list[str]:
    """``count``: how many DAGs in all. Returns the ids of those that can be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    width = 50
    files = {
        "warehouse.py": WIDE.format(layers=max(1, tasks // width), width=width),
        "carriers.py": MAPPED.format(items=items),
        "broken.py": BROKEN,
    }
    chosen = smalls(count - LARGE)
    for dag_id, cron, tags, owner, description in chosen:
        files[f"{dag_id}.py"] = SMALL.format(
            dag_id=dag_id, cron=cron, tags=tags, owner=owner, description=description
        )
    for name, text in files.items():
        (folder / name).write_text(text)
    return ["warehouse", "carriers", *(small[0] for small in chosen)]
