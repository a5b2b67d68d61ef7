"""Store an event with each kind of reason, and print how each is said: python reasons.py DATA RUN DAG."""

import json
import sys
from pathlib import Path

import psycopg
from tests.reasons import EXAMPLES, as_stored

from headway.pg.server import Server

EVENT = """
    INSERT INTO event (team_id, at, subject, run_id, dag_id, name, actor, reason)
    VALUES (1, now(), 'run', %s, %s, 'told', 'scheduler', %s::jsonb)
"""


def main(data: str, run: str, dag: str) -> None:
    with psycopg.connect(Server(Path(data)).dsn) as conn:
        for reason, _ in EXAMPLES:
            conn.execute(EVENT, [run, dag, as_stored(reason)])
    print(json.dumps([words for _, words in EXAMPLES]))


if __name__ == "__main__":
    main(*sys.argv[1:])
