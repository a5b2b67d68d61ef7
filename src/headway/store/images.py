"""Digests of images: what their tags stood for in a run, as its pods were seen. None of these commits."""

from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row, tuple_row

SEEN_MAX: Final = 20  # digests of one image in one run

# Two schedulers may see two pods at once: the one that commits first has the position, and the other one waits for it.
TELL: LiteralString = """
    INSERT INTO run_image (team_id, run_id, image, digest, position)
    SELECT run.team_id, run.run_id, %(image)s, %(digest)s, seen.position
    FROM run CROSS JOIN LATERAL (
        SELECT count(*)::integer + 1 AS position FROM run_image AS other
        WHERE (other.team_id, other.run_id, other.image) = (run.team_id, run.run_id, %(image)s)
    ) AS seen
    WHERE run.team_id = %(team_id)s AND run.run_id = %(run_id)s AND seen.position <= %(most)s
    ON CONFLICT DO NOTHING RETURNING position
"""

# Whether a digest that was not stored has to be told again: its position was taken meanwhile by another one.
LEFT_OUT: LiteralString = """
    SELECT count(*) < %(most)s AND NOT coalesce(bool_or(digest = %(digest)s), false)
        AND EXISTS (SELECT FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s)
    FROM run_image WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND image = %(image)s
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
    """Store that a pod of the run got this digest for the image. Nothing happens where the run is gone.

    Of several that are told at once the one that commits first is what later pods use; each is stored.
    """
    values = {"team_id": team_id, "run_id": run_id, "image": image, "digest": digest}
    values |= {"most": SEEN_MAX}
    with conn.cursor(row_factory=scalar_row) as cursor:
        for _ in range(SEEN_MAX):
            stored = cursor.execute(TELL, values).fetchone() is not None
            if stored or not cursor.execute(LEFT_OUT, values).fetchone():
                return


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
