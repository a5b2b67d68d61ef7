"""W13: events come while 1,000 DAGs listen. When does the run start, and when its first task?

Each DAG waits for an asset of its own. First one event after the other comes to a webhook, then 100 a second to the
API. The times are the database's: from the moment at which the event was taken.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from bench.product import Api, Headway, ProductError, fresh, wait_until
from headway.core.webhooks import sign

DAGS: Final = 1_000
EVENTS: Final = 40
PAUSE_S: Final = 0.2
LOADED_S: Final = 300.0
TIMEOUT_S: Final = 60.0
SENDERS: Final = 4
PER_S: Final = 100
FLOOD: Final = 500
SOURCE: Final = f"""
from headway import Asset, dag, task

for number in range({DAGS}):
    @dag(dag_id=f"listens_{{number:04}}", schedule=Asset(f"asset_{{number:04}}"))
    def define():
        @task
        def first():
            pass
        first()
    define()
"""

TIMES: Final = """
    SELECT extract(epoch FROM run.started_at - event.at)::double precision,
        extract(epoch FROM attempt.started_at - event.at)::double precision
    FROM asset_event AS event
    JOIN consumed_asset AS consumed ON consumed.team_id = event.team_id AND consumed.asset = event.asset
    JOIN run ON run.team_id = consumed.team_id AND run.run_id = consumed.run_id
    JOIN attempt ON attempt.team_id = run.team_id AND attempt.run_id = run.run_id AND attempt.started_at IS NOT NULL
    WHERE starts_with(event.by, 'webhook:') = %s
"""


def w13(repeats: int) -> Iterator[tuple[str, float]]:
    for _ in range(max(1, repeats // 3)):
        with TemporaryDirectory(prefix="headway-bench-dags-") as folder:
            Path(folder, "listens.py").write_text(SOURCE, encoding="utf-8")
            with fresh(Path(folder)) as headway:
                yield from one(headway)


def one(headway: Headway) -> Iterator[tuple[str, float]]:
    last = f"listens_{DAGS - 1:04}"
    wait_until(lambda: headway.api.knows(last), "loading the DAGs", LOADED_S)
    headway.api.finish(headway.api.trigger(last), TIMEOUT_S)  # the file's server is there
    for number in range(EVENTS):
        send(headway.api, hook(headway.api, number * (DAGS // EVENTS)))
        time.sleep(PAUSE_S)
    with psycopg.connect(headway.database, autocommit=True) as conn:

        def times(*, hooks: bool) -> list[tuple[float, float]]:
            return conn.execute(TIMES, [hooks]).fetchall()

        wait_until(lambda: len(times(hooks=True)) == EVENTS, "the first tasks", TIMEOUT_S)
        for run_s, task_s in times(hooks=True):
            yield "event_to_run_ms", 1000 * run_s
            yield "event_to_task_ms", 1000 * task_s
        yield "sent_per_s", flood(headway)
        wait_until(lambda: len(times(hooks=False)) == FLOOD, "the tasks of the flood", TIMEOUT_S)
        for run_s, _ in times(hooks=False):
            yield "flood_to_run_ms", 1000 * run_s


def flood(headway: Headway) -> float:
    """Report events at the rate that is wanted, or as fast as they are taken. Returns how many a second these were."""
    begun, quiet = time.monotonic(), [n for n in range(DAGS) if n % (DAGS // EVENTS)]

    def report(sender: int) -> None:
        api = Api(headway.api.url, headway.api.token)
        for number in range(sender, FLOOD, SENDERS):
            time.sleep(max(0.0, begun + number / PER_S - time.monotonic()))
            api.call("POST", "/assets/events", {"asset": f"asset_{quiet[number]:04}"})

    with ThreadPoolExecutor(SENDERS) as senders:
        for sent in [senders.submit(report, sender) for sender in range(SENDERS)]:
            sent.result()
    return FLOOD / (time.monotonic() - begun)


def hook(api: Api, number: int) -> dict[str, str]:
    wanted = {"name": f"hook_{number}", "asset": f"asset_{number:04}"}
    made: dict[str, str] = api.call("POST", "/webhooks", wanted)
    return made


def send(api: Api, made: dict[str, str]) -> None:
    body = json.dumps({"at": time.time()}).encode()
    url = api.url + made["url"][made["url"].index("/api/") :]
    headers = {"X-Headway-Signature": sign(made["secret"], datetime.now(UTC), body)}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        if answer.status != 200:
            raise ProductError(f"the webhook answered {answer.status}")
