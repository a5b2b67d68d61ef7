"""Demo DAGs with a history, for a server that starts in an empty place, and two teams of them for ``--demo``."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from headway import clock, wire
from headway.cli.terminal import say
from headway.client import connect
from headway.config import Layout, ServerFile, default_dags
from headway.errors import HeadwayError, NotFound, UsageError
from headway.loader.folder import wanted
from headway.loader.teams import MARK, is_of_teams

FOLDER: Final = Path("dags")
DAGS: Final = {"sales": "orders", "marketing": "newsletter"}  # by team
MINUTE: Final = timedelta(minutes=1)
HISTORY: Final = 30 * MINUTE

ORDERS: Final = '''"""Orders of a shop: read, summed up by region, and reported. Made up anew in each run."""

import random
from datetime import datetime

from headway import dag, task

REGIONS = ["north", "south", "east", "west"]


@dag(schedule="* * * * *", start_date=datetime(2026, 1, 1), tags=["demo"])
def orders():
    @task(retries=2)
    def read(region: str) -> dict[str, int]:
        amounts = [random.randint(5, 200) for _ in range(20)]
        print(len(amounts), "orders from the", region)
        return {"orders": len(amounts), "amount": sum(amounts)}

    @task
    def report(regions: list[dict[str, int]]) -> int:
        total = sum(region["amount"] for region in regions)
        print("sold for", total)
        return total

    report(read.expand(region=REGIONS))


orders()
'''

NEWSLETTER: Final = '''"""A newsletter. Every fifth minute one of the addresses is wrong: look at the run that fails."""

import time
from datetime import datetime

from headway import Run, dag, task


@dag(schedule="* * * * *", start_date=datetime(2026, 1, 1), tags=["demo"])
def newsletter():
    @task
    def addresses(run: Run) -> list[str]:
        found = ["ann@example.org", "bob@example.org"]
        return [*found, "nobody"] if run.logical_date.minute % 5 == 0 else found

    @task
    def check(found: list[str]) -> list[str]:
        for address in found:
            if "@" not in address:
                raise ValueError(f"{address!r} is not an address")
        return found

    @task
    def send(found: list[str]) -> None:
        for address in found:
            time.sleep(0.5)
            print("sent to", address)

    send(check(addresses()))


newsletter()
'''

FILES: Final = {
    MARK: "# This file makes the folder a folder of teams: each folder beside it is a team.\n",
    "sales/orders.py": ORDERS,
    "marketing/newsletter.py": NEWSLETTER,
}


def create(dags: Path | None) -> Path:
    """Write the demo teams to an empty or new folder, and return it. A folder of teams stays as it is.

    Raises:
        UsageError: the folder has files of its own.
    """
    folder = dags or FOLDER
    if folder.is_dir() and is_of_teams(folder):
        return folder
    if folder.exists() and not (folder.is_dir() and is_empty(folder)):
        raise UsageError(
            "the demo needs an empty folder",
            where=str(folder),
            hint="choose a new one: headway up --demo --dags demo",
        )
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    say(
        f"wrote the demo teams sales and marketing to {folder}; their DAGs run every minute. "
        f"To remove them: rm -r {folder}"
    )
    return folder


def folder_of(demo: bool | None, dags: Path | None, layout: Layout) -> tuple[Path, bool]:
    """Return the DAG folder, and whether it has demo DAGs without a past. ``demo``: None where nobody said."""
    if demo is None:
        demo = dags is None and is_first_start(layout)
    if not demo:
        return dags or default_dags(), False
    return create(dags), not layout.data.exists()


def is_first_start(layout: Layout) -> bool:
    """Return whether nothing was here before: no file in the current directory, and no data directory."""
    return not layout.data.exists() and is_empty(Path())


class History:
    """Runs of the last half hour for each demo DAG, asked for as soon as the DAG is loaded."""

    def __init__(self, server: ServerFile) -> None:
        self.server = server
        self.missing = dict(DAGS)

    def turn(self) -> None:
        now = clock.now().replace(second=0, microsecond=0)
        request = wire.BackfillRequest(
            first=(now - HISTORY).isoformat(), last=(now - MINUTE).isoformat()
        )
        for team, dag_id in list(self.missing.items()):
            client = connect(self.server, team)
            try:
                client.backfill(dag_id, request)
            except NotFound:
                continue  # not loaded yet
            except HeadwayError as error:
                say(f"no past runs of {dag_id}: {error.message}")
            finally:
                client.close()
            del self.missing[team]


def is_empty(folder: Path) -> bool:
    """Return whether a folder has nothing that could be part of a DAG folder."""
    return not any(wanted(path.name) for path in folder.iterdir())
