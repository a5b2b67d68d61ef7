"""The lanes in which queued runs wait: one of the DAG itself, and one of each of its backfills."""

from typing import LiteralString

# The backfills with queued runs of each DAG that is ``asked``, from one to the next: not the runs themselves.
LANES: LiteralString = """
    lane AS (
        SELECT asked.team_id, asked.dag_id, first.backfill_id FROM asked CROSS JOIN LATERAL (
            SELECT backfill_id FROM run
            WHERE run.team_id = asked.team_id AND run.dag_id = asked.dag_id AND run.state = 'queued'
                AND run.backfill_id IS NOT NULL
            ORDER BY backfill_id LIMIT 1
        ) AS first
        UNION ALL
        SELECT lane.team_id, lane.dag_id, next.backfill_id FROM lane CROSS JOIN LATERAL (
            SELECT backfill_id FROM run
            WHERE run.team_id = lane.team_id AND run.dag_id = lane.dag_id AND run.state = 'queued'
                AND run.backfill_id > lane.backfill_id
            ORDER BY backfill_id LIMIT 1
        ) AS next
    )
"""
