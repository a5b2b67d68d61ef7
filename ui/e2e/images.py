"""Store the digests that pods of a run got, as a scheduler does: python images.py DATA RUN IMAGE DIGEST…."""

import sys
from pathlib import Path

import psycopg

from headway.pg.server import Server
from headway.store import images


def main(data: str, run: str, image: str, *digests: str) -> None:
    with psycopg.connect(Server(Path(data)).dsn) as conn:
        for digest in digests:
            images.tell(conn, 1, run, image, digest)


if __name__ == "__main__":
    main(*sys.argv[1:])
