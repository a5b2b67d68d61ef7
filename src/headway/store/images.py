"""Digests of images: what their tags stood for in a run, as its pods were seen. None of these commits."""

from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

SEEN_MAX: Final = 20  # digests of one image in one run

# Two schedulers may see the first pod at once: the one that comes second finds its position taken, and the digest too
# or another one to follow.
TELL: LiteralString = """
    INSERT INTO run_image (team_id, run_id, image, digest, position)
    SELECT run.team_id, run.run_id, %(image)s, %(digest)s, seen.position
    FROM run CROSS JOIN LATERAL (
        SELECT count(*)::integer + 1 AS position FROM run_image AS other
        WHERE (other.team_id, other.run_id, other.image) = (run.team_id, run.run_id, %(image)s)
    ) AS seen
    WHERE run.team_id = %(team_id)s AND run.run_id = %(run_id)s AND seen.position <= %(most)s
    ON CONFLICT DO NOTHING
"""

PINNED: LiteralString = """
    SELECT image, digest FROM run_image WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND position = 1
"""

FORGET: LiteralString = "DELETE FROM run_image WHERE team_id = %(team_id)s AND run_id = %(run_id)s"

COPY: LiteralString = """
    INSERT INTO run_image (team_id, run_id, image, digest, position)
    SELECT team_id, %(to)s, image, digest, 1 FROM run_image
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND position = 1
"""


def tell(conn: Connection[Any], team_id: int, run_id: str, image: str, digest: str) -> None:
    """Store that a pod of the run got this digest for the image. Nothing happens where the run is gone."""
    values = {"team_id": team_id, "run_id": run_id, "image": image, "digest": digest}
    conn.execute(TELL, {**values, "most": SEEN_MAX})


def pinned(conn: Connection[Any], team_id: int, run_id: str) -> dict[str, str]:
    """Return the digest of each image that later pods of the run use."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(PINNED, {"team_id": team_id, "run_id": run_id}).fetchall())


def forget(conn: Connection[Any], team_id: int, run_id: str) -> None:
    """Let later pods of the run use what the tags stand for then."""
    conn.execute(FORGET, {"team_id": team_id, "run_id": run_id})


def copy(conn: Connection[Any], team_id: int, run_id: str, to: str) -> None:
    """Pin a run to the images of another one."""
    conn.execute(COPY, {"team_id": team_id, "run_id": run_id, "to": to})
