"""Rules that hold in every database of Headway, as SQL that reads it whole: for drills of restores, and for tests.

Names begin with the ids of ``docs/coverage.md``. Each statement returns a row for each place where it does not hold.
"""

from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.store.states import FINAL_INSTANCES, FINAL_RUNS, LIVE_ATTEMPTS

KEY: LiteralString = "(team_id, run_id, task_id, map_index)"

ALWAYS: Final[dict[LiteralString, LiteralString]] = {
    "I01 two live attempts": f"""
        SELECT FROM attempt WHERE state IN {LIVE_ATTEMPTS}
        GROUP BY team_id, run_id, task_id, map_index HAVING count(*) > 1""",
    "I02 attempt numbers have a gap": """
        SELECT FROM attempt GROUP BY team_id, run_id, task_id, map_index
        HAVING count(*) <> max(number) OR min(number) <> 1""",
    "I03 a run ended before its task instances": f"""
        SELECT FROM task_instance JOIN run USING (team_id, run_id)
        WHERE run.state IN {FINAL_RUNS} AND task_instance.state NOT IN {FINAL_INSTANCES}""",
    "I09 success without a successful attempt": f"""
        SELECT FROM task_instance AS ti WHERE state = 'success' AND reason ->> 'kind' IS DISTINCT FROM 'marked'
            AND NOT EXISTS (
                SELECT FROM attempt WHERE {KEY} = (ti.team_id, ti.run_id, ti.task_id, ti.map_index)
                    AND attempt.number = ti.attempts AND attempt.state = 'success')""",
    "I13 pool.used differs from the live task instances": f"""
        SELECT FROM pool WHERE used <> (
            SELECT coalesce(sum(pool_slots), 0) FROM task_instance AS ti
            WHERE ti.team_id = pool.team_id AND ti.pool = pool.name AND ti.state IN {LIVE_ATTEMPTS})""",
    "I35 share.used differs from the live attempts": f"""
        SELECT FROM share WHERE used <> (
            SELECT count(*) FROM attempt
            WHERE attempt.team_id = share.team_id AND attempt.state IN {LIVE_ATTEMPTS})""",
    # 128: ``state_stores.ROW_BYTES``.
    "I36 state_used differs from the states that are kept": """
        SELECT FROM team
        WHERE (SELECT coalesce(sum(bytes), 0) FROM state_used WHERE state_used.team_id = team.team_id) <> (
            SELECT coalesce(sum(size + 128), 0) FROM (
                SELECT size FROM task_state WHERE task_state.team_id = team.team_id
                UNION ALL SELECT size FROM asset_state WHERE asset_state.team_id = team.team_id) AS kept)""",
    "I15 two runs of one key": """
        SELECT FROM run GROUP BY team_id, dag_id, run_key HAVING count(*) > 1""",
    "I23 attempts differ from those there are": f"""
        SELECT FROM task_instance AS ti WHERE attempts <> coalesce((
            SELECT max(number) FROM attempt
            WHERE {KEY} = (ti.team_id, ti.run_id, ti.task_id, ti.map_index)), 0)""",
    "I26 a token that outlived its attempt": f"""
        SELECT FROM attempt WHERE (token IS NOT NULL) <> (state IN {LIVE_ATTEMPTS})""",
    "I32 a report of no run": """
        SELECT FROM report LEFT JOIN run USING (team_id, run_id) WHERE run.run_id IS NULL""",
}


def broken(conn: Connection[Any]) -> list[str]:
    """Return the names of those that do not hold, with the number of places."""
    found = []
    for name, statement in ALWAYS.items():
        row = conn.execute(f"SELECT count(*) FROM ({statement}) AS broken").fetchone()
        if row is not None and row[0]:
            found.append(f"{name} ({row[0]:,})")
    return found
