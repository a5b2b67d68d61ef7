"""``python -m bench.interface seed|measure --data DIR``."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console

from bench.interface import dags, measure, past
from headway.client import no_server
from headway.config import Layout, read_server_file
from headway.loader.environment import clean_environment
from headway.loader.loader import Loader
from headway.pg import Server
from headway.store.migrate import migrate
from headway.store.transact import ENGINE, connect

ITEMS: Final = 1_500

# Nothing of the past is caught up with when a server is started on it.
UP_TO_DATE: Final = "UPDATE dag SET last_fire = now(), next_fire_at = now()"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.interface")
    parser.add_argument("what", choices=("seed", "measure"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--dags", type=int, default=300)
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=40)
    arguments = parser.parse_args()
    layout = Layout(arguments.data.absolute())
    if arguments.what == "measure":
        server = read_server_file(layout)
        if server is None:
            raise no_server(layout)
        Console().print(measure.table(server, arguments.repeats))
        return 0
    layout.prepare()
    with Server(layout.data).running() as dsn:
        migrate(dsn)
        seed(
            dsn, layout.data, tasks=arguments.tasks, runs=arguments.runs,
            instances=arguments.instances, count=arguments.dags,
        )  # fmt: skip
    return 0


def beside(data: Path) -> Path:
    """The DAG folder, which cannot lie in a data directory."""
    return data.with_name(f"{data.name}-dags")


def seed(dsn: str, data: Path, *, tasks: int, runs: int, instances: int, count: int = 300) -> None:
    """``runs`` of a DAG of ``tasks``, and of the others so many that it is ``instances`` in all; ``count`` DAGs."""
    started = time.monotonic()
    loadable = dags.write(beside(data), tasks, ITEMS, count)
    register(dsn, data)
    with psycopg.connect(dsn, autocommit=True) as conn:
        past.write(conn, "warehouse", runs=runs, every="1 day", lasts="4 hours")
        rest = max(0, instances - runs * tasks)
        many = rest * 9 // 10 // (ITEMS + 2)
        past.write(
            conn, "carriers", runs=many, every="1 hour", lasts="14 min", mapped="summarise",
            items=ITEMS,
        )  # fmt: skip
        for dag_id in loadable[2:]:
            each = rest // 10 // 4 // len(loadable[2:])
            past.write(conn, dag_id, runs=each, every="1 hour", lasts="3 min")
        for dag_id in loadable:
            past.write_logs(conn, data, dag_id)
        conn.execute(UP_TO_DATE)
        conn.execute("VACUUM ANALYZE")  # what autovacuum would have done over the year
        found = conn.execute("SELECT count(*) FROM task_instance").fetchone()
    assert found is not None
    took_s = time.monotonic() - started
    print(f"{found[0]:,} task instances in {took_s:.0f} s", file=sys.stderr)
    print(f"headway up --data {data} --dags {beside(data)}")


def register(dsn: str, data: Path) -> None:
    """By the real loader: real specs, bundles and import errors."""
    loader = Loader(
        lambda: connect(make_conninfo(dsn, options=f"-c role={ENGINE}")),
        data,
        beside(data),
        "default",
    )
    loader.open(clean_environment(os.environ))
    try:
        loader.settle()
    finally:
        loader.close()


if __name__ == "__main__":
    sys.exit(main())
