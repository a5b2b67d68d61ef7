"""What must hold in the database at every instant between transactions, as SQL, by the ids of
``docs/coverage.md``.

``check`` runs them all in one statement. History is checked from ``since`` on, so that a check
after every step costs what changed; the legal moves are those of ``core/states.py``.
Not here: I19 (tokens, checked with the reports), I20 (pods), I25 (secrets), I30 (messages), and
I21 (a lost run), which the simulator finds as a run that never ends.
"""

from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.agent.protocol import LEASE_S
from headway.core.reason_kinds import Kind
from headway.core.states import (
    FINAL,
    RUN_TRANSITIONS,
    TRANSITIONS,
    RunState,
)
from headway.core.stored_reasons import stored
from headway.core.wording import said
from headway.store.soundness import ALWAYS, KEY
from headway.store.views.present import Present

LIVE: LiteralString = "('queued', 'running')"
DEFERRED: LiteralString = "('deferred', 'up_for_reschedule')"
# In a mapped group or a loop an instance sees those with its own index only.
SEEN: LiteralString = """
    (above.map_index = ti.map_index OR NOT EXISTS (
        SELECT FROM json_array_elements(spec -> 'tasks') AS peer
        WHERE peer ->> 'task_id' = above.task_id
            AND (peer -> 'mapping' ->> 'group' = task -> 'mapping' ->> 'group' OR peer ->> 'loop' = task ->> 'loop')))
"""
# ``part``: what a team has of ``pool``, be it its own or lent.
OF_POOL: LiteralString = """
    coalesce(part.lender_id, part.team_id) = pool.team_id AND coalesce(part.lent_name, part.name) = pool.name
"""
DONE: LiteralString = "('success', 'failed', 'skipped', 'upstream_failed', 'cancelled')"
# It never had task instances: there were to be more than its team may have in a run.
REFUSED: LiteralString = "coalesce(run.reason ->> 'kind' = 'too_many_tasks', false)"

# Its task decides the outcome of the run, and nothing that does is below it.
DECIDES: LiteralString = """(
    WITH RECURSIVE task (task_id, upstream, decides) AS (
        SELECT one ->> 'task_id', coalesce(one -> 'upstream', '[]'),
            coalesce(one ->> 'decides_outcome', 'true')::boolean
        FROM json_array_elements(spec -> 'tasks') AS one
        WHERE one ->> 'teardown' IS NULL OR one ->> 'decides_outcome' IS NULL
    ), below (task_id) AS (
        SELECT ti.task_id
        UNION SELECT task.task_id FROM below JOIN task
            ON below.task_id IN (SELECT json_array_elements_text(task.upstream))
    )
    SELECT count(*) FILTER (WHERE task.task_id = ti.task_id) = 1 AND count(*) = 1
    FROM below JOIN task USING (task_id) WHERE task.decides)"""

# It decides the outcome, and the first failure ends the run, wherever it is.
FAILS_FAST: LiteralString = """((spec ->> 'fail_fast')::boolean AND EXISTS (
    SELECT FROM json_array_elements(spec -> 'tasks') AS one
    WHERE one ->> 'task_id' = ti.task_id AND one ->> 'decides_outcome' IS NULL))"""

INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    **ALWAYS,
    "I03 all task instances ended and the run did not": f"""
        SELECT FROM run WHERE state = 'running' AND due_at IS NULL AND set_aside IS NULL
            AND NOT EXISTS (
                SELECT FROM task_instance AS ti WHERE ti.team_id = run.team_id
                    AND ti.run_id = run.run_id AND ti.state NOT IN {DONE})""",
    "I04 outcome differs from the leaves": f"""
        SELECT FROM run JOIN dag_version USING (team_id, dag_id, version)
        WHERE state IN ('success', 'failed') AND cancelled_by IS NULL AND NOT {REFUSED}
            AND (state = 'failed') <> EXISTS (
                SELECT FROM task_instance AS ti
                WHERE ti.team_id = run.team_id AND ti.run_id = run.run_id
                    AND ti.state IN ('failed', 'upstream_failed', 'cancelled')
                    AND ({DECIDES} OR ti.state = 'failed' AND {FAILS_FAST}))""",
    "a run that has ended counts other failures than its own": """
        SELECT FROM run WHERE state IN ('success', 'failed', 'cancelled') AND failed_instances <> (
            SELECT count(*) FROM task_instance AS ti
            WHERE ti.team_id = run.team_id AND ti.run_id = run.run_id AND ti.state = 'failed')""",
    "I05 I06 illegal move of a task instance": """
        SELECT FROM step WHERE subject = 'task_instance' AND NOT (name = 'remove' AND state IS NULL)
            AND (before, name, state) NOT IN (
            SELECT * FROM unnest(%(before)s::text[], %(name)s::text[], %(after)s::text[]))""",
    "I05 I06 illegal move of a run": """
        SELECT FROM step WHERE subject = 'run' AND (before, name, state) NOT IN (
            SELECT * FROM unnest(%(run_before)s::text[], %(run_name)s::text[], %(run_after)s::text[]))""",
    "I05 a final state was left without a person": """
        SELECT FROM step WHERE actor NOT LIKE 'user:%%' AND name NOT IN ('remove', 'late_partition') AND (
            (subject = 'run' AND before IN ('success', 'failed', 'cancelled', 'skipped'))
            OR (subject = 'task_instance' AND before = ANY(%(final)s)))""",
    "I08 history differs from the task instance": """
        SELECT FROM task_instance AS ti WHERE state <> coalesce((
            SELECT event.state FROM event
            WHERE event.team_id = ti.team_id AND event.run_id = ti.run_id
                AND subject = 'task_instance' AND event.task_id = ti.task_id
                AND event.map_index = ti.map_index
            ORDER BY seq DESC LIMIT 1), 'waiting')""",
    "I08 history differs from the run": """
        SELECT FROM run WHERE state IS DISTINCT FROM (
            SELECT event.state FROM event
            WHERE event.team_id = run.team_id AND event.run_id = run.run_id AND subject = 'run'
            ORDER BY seq DESC LIMIT 1)""",
    "I10 an attempt after a successful one": f"""
        SELECT FROM attempt AS late JOIN attempt AS early USING {KEY}
        WHERE late.number = early.number + 1 AND early.state = 'success' AND NOT EXISTS (
            SELECT FROM event WHERE event.team_id = late.team_id AND event.run_id = late.run_id
                AND event.task_id = late.task_id AND event.map_index = late.map_index
                AND name IN ('clear', 'remove'))""",
    "I11 more attempts than its retries and losses allow": """
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version ON version.team_id = run.team_id
            AND version.dag_id = run.dag_id AND version.version = run.version
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE task ->> 'task_id' = ti.task_id AND (losses > %(losses_max)s + 1
            OR failures > 1 + greatest((task ->> 'retries')::int, 0, (
                SELECT max((rule ->> 'retries')::int) FROM json_array_elements(task -> 'retry_policy') AS rule)))""",
    "I12 ran before its upstream succeeded": f"""
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version ON version.team_id = run.team_id
            AND version.dag_id = run.dag_id AND version.version = run.version
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        CROSS JOIN LATERAL json_array_elements_text(task -> 'upstream') AS up
        JOIN task_instance AS above ON above.team_id = run.team_id
            AND above.run_id = run.run_id AND above.task_id = up
        WHERE ti.state IN {LIVE} AND task ->> 'task_id' = ti.task_id
            AND task ->> 'trigger_rule' IS NULL AND above.state <> 'success' AND {SEEN} AND NOT EXISTS (
                SELECT FROM event WHERE event.team_id = run.team_id AND event.run_id = run.run_id
                    AND (name = 'clear' OR name LIKE 'mark%%'))""",
    "bound to a session that does not serve what it needs": """
        SELECT FROM attempt JOIN task_instance AS ti USING (team_id, run_id, task_id, map_index)
        JOIN agent_session USING (team_id, session_id)
        JOIN run USING (team_id, run_id)
        JOIN dag_version AS version ON version.team_id = run.team_id
            AND version.dag_id = run.dag_id AND version.version = run.version
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE task ->> 'task_id' = ti.task_id
            AND coalesce(task ->> 'queue', 'default') <> ALL(queues)""",
    "I13 granted beyond the pool, by all teams that have it together": f"""
        SELECT FROM pool CROSS JOIN LATERAL (
            SELECT sum(used) AS used, array_agg(team_id) AS teams, array_agg(name) AS names FROM pool AS part
            WHERE {OF_POOL}
        ) AS whole
        WHERE lender_id IS NULL AND whole.used > slots AND EXISTS (
            SELECT FROM step JOIN task_instance AS ti USING {KEY}
            WHERE step.name = 'grant' AND (ti.team_id, ti.pool) IN (SELECT * FROM unnest(teams, names))
                AND step.seq > coalesce((
                    SELECT max(seq) FROM event WHERE event.team_id = pool.team_id
                        AND subject = 'pool' AND reason ->> 'pool' = pool.name), 0))""",
    "I48 teams may use more of a pool than it has": f"""
        SELECT FROM pool JOIN pool AS part ON {OF_POOL}
        WHERE pool.lender_id IS NULL GROUP BY pool.team_id, pool.name
        HAVING greatest(pool.slots, sum(part.used)) < sum(
            CASE WHEN part.is_open THEN greatest(part.used, coalesce(part.allotted, pool.slots)) ELSE part.used END)""",
    "I14 more active runs than max_active_runs": """
        SELECT FROM dag JOIN run USING (team_id, dag_id)
        WHERE state = 'running' AND backfill_id IS NULL AND NOT (dag.dag_id = ANY(%(retimed)s))
        GROUP BY dag.team_id, dag.dag_id, max_active_runs HAVING count(*) > max_active_runs""",
    "I14 more active runs than max_active_runs of the backfill": """
        SELECT FROM backfill JOIN run USING (team_id, backfill_id) WHERE state = 'running'
        GROUP BY backfill.team_id, backfill_id, max_active_runs HAVING count(*) > max_active_runs""",
    "I16 times out of order": """
        SELECT FROM task_instance
        WHERE queued_at > started_at OR started_at > ended_at
        UNION ALL
        SELECT FROM attempt WHERE queued_at > started_at OR started_at > ended_at
            OR queued_at > ended_at
        UNION ALL
        SELECT FROM run WHERE started_at > ended_at""",
    "I17 a live attempt without a session": f"""
        SELECT FROM attempt LEFT JOIN agent_session USING (team_id, session_id)
        WHERE state IN {LIVE} AND agent IS NULL""",
    "I22 a running run waits for nothing": """
        SELECT FROM run WHERE state = 'running' AND due_at IS NULL AND set_aside IS NULL
            AND NOT EXISTS (
                SELECT FROM task_instance AS ti
                WHERE ti.team_id = run.team_id AND ti.run_id = run.run_id
                    AND ti.state IN ('ready', 'queued', 'running', 'deferred'))""",
    "I22 a retry that no timer wakes": """
        SELECT FROM run JOIN task_instance AS ti USING (team_id, run_id)
        WHERE run.state = 'running' AND ti.wake_at IS NOT NULL AND set_aside IS NULL
            AND (due_at IS NULL OR due_at > wake_at)""",
    "I37 deferred without an attempt that waits, or the reverse": f"""
        SELECT FROM task_instance AS ti FULL JOIN (
            SELECT team_id, run_id, task_id, map_index, number FROM attempt JOIN wait USING {KEY}
            WHERE state = 'deferred' AND attempt.number = wait.attempt
                AND attempt.deferrals = wait.deferrals) AS idle USING {KEY}
        WHERE (ti.state IN {DEFERRED} AND ti.attempts IS DISTINCT FROM idle.number)
            OR (idle.number IS NOT NULL AND ti.state NOT IN ('ready', 'deferred', 'up_for_reschedule'))""",
    "I37 a wait that is over, and nobody goes on": f"""
        SELECT FROM wait JOIN task_instance AS ti USING {KEY} WHERE is_over = (ti.state IN {DEFERRED})""",
    "I37 a wait of an attempt that has ended": """
        SELECT FROM wait LEFT JOIN attempt ON (attempt.team_id, attempt.run_id, attempt.task_id, attempt.map_index)
            = (wait.team_id, wait.run_id, wait.task_id, wait.map_index) AND attempt.number = wait.attempt
        WHERE attempt.state IS NULL OR attempt.ended_at IS NOT NULL""",
    "I22 its upstream has settled and it waits": f"""
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version ON version.team_id = run.team_id
            AND version.dag_id = run.dag_id AND version.version = run.version
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE run.state = 'running' AND ti.state = 'waiting' AND set_aside IS NULL
            AND due_at IS NULL AND task ->> 'task_id' = ti.task_id AND NOT EXISTS (
                SELECT FROM json_array_elements_text(coalesce(task -> 'upstream', '[]')) AS up
                JOIN task_instance AS above ON above.team_id = run.team_id
                    AND above.run_id = run.run_id AND above.task_id = up
                WHERE above.state NOT IN {DONE} AND {SEEN})
            AND NOT EXISTS (  -- what a mapped group is mapped over runs again
                SELECT FROM task_instance AS listed
                WHERE task -> 'mapping' ->> 'group' <> '' AND listed.team_id = run.team_id
                    AND listed.run_id = run.run_id AND listed.state NOT IN {DONE}
                    AND listed.task_id = task -> 'mapping' -> 'axes' -> 0 ->> 'task_id')
            AND NOT EXISTS (  -- a short circuit that runs again, for all below it
                SELECT FROM json_array_elements(spec -> 'tasks') AS gate
                JOIN task_instance AS deciding ON deciding.team_id = run.team_id
                    AND deciding.run_id = run.run_id AND deciding.task_id = gate ->> 'task_id'
                WHERE (coalesce((gate ->> 'skips_all_below')::boolean, false)
                        OR coalesce((gate ->> 'setup')::boolean, false))
                    AND deciding.state NOT IN {DONE})
            AND task ->> 'teardown' IS NULL""",  # which waits for what is between its setup and itself
    "I42 a teardown was cancelled, and its setup succeeded": """
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version USING (team_id, dag_id, version)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        JOIN task_instance AS made ON made.team_id = run.team_id AND made.run_id = run.run_id
            AND made.task_id IN (SELECT json_array_elements_text(task -> 'upstream'))
        JOIN LATERAL json_array_elements(spec -> 'tasks') AS setup
            ON setup ->> 'task_id' = made.task_id AND (setup ->> 'setup')::boolean
        WHERE ti.state = 'cancelled' AND task ->> 'task_id' = ti.task_id
            AND (task ->> 'teardown')::boolean AND made.state = 'success'
            AND made.reason ->> 'kind' IS DISTINCT FROM 'marked'""",
    "I43 a setup that succeeded counts as cancelled": """
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version USING (team_id, dag_id, version)
        JOIN attempt ON (attempt.team_id, attempt.run_id, attempt.task_id, attempt.map_index, attempt.number)
            = (ti.team_id, ti.run_id, ti.task_id, ti.map_index, ti.attempts)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS setup
        WHERE setup ->> 'task_id' = ti.task_id AND (setup ->> 'setup')::boolean
            AND ti.state = 'cancelled' AND ti.reason ->> 'live' = 'true' AND attempt.state = 'success'""",
    # Until a person changes what has failed, or adds to it.
    "I44 goes on after a failure that ends its run": f"""
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version USING (team_id, dag_id, version)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE (spec ->> 'fail_fast')::boolean AND run.state = 'running' AND task ->> 'task_id' = ti.task_id
            AND task ->> 'teardown' IS NULL AND ti.state NOT IN {DONE} AND ti.intent IS NULL
            AND NOT EXISTS (SELECT FROM event WHERE event.team_id = run.team_id AND event.run_id = run.run_id
                AND event.actor LIKE 'user:%%' AND event.name <> 'create')
            AND EXISTS (
                SELECT FROM task_instance AS failed JOIN json_array_elements(spec -> 'tasks') AS other
                    ON other ->> 'task_id' = failed.task_id
                WHERE failed.team_id = run.team_id AND failed.run_id = run.run_id AND failed.state = 'failed'
                    AND failed.task_id <> ti.task_id AND failed.reason ->> 'kind' <> 'failed_fast'
                    AND (other ->> 'decides_outcome' IS NULL OR other ->> 'teardown' IS NOT NULL))""",
    "I45 a failure that ends its run ended a teardown": """
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version USING (team_id, dag_id, version)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE task ->> 'task_id' = ti.task_id AND (task ->> 'teardown')::boolean
            AND (ti.reason ->> 'kind' = 'failed_fast' OR ti.intent = 'fail')""",
    # Until a person changes the run before, or makes one between the two.
    "I46 granted before the run before had done its part": """
        SELECT FROM event AS given JOIN run USING (team_id, run_id)
        JOIN dag_version AS version ON (version.team_id, version.dag_id, version.version)
            = (run.team_id, run.dag_id, run.version)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        CROSS JOIN LATERAL (
            SELECT run_id FROM run AS earlier WHERE earlier.team_id = run.team_id AND earlier.dag_id = run.dag_id
                AND earlier.logical_date < run.logical_date
                AND (coalesce((spec ->> 'catchup')::boolean, false) IS FALSE OR earlier.trigger <> 'manual')
            ORDER BY logical_date DESC, run_id LIMIT 1
        ) AS before
        JOIN task_instance AS its ON its.team_id = run.team_id AND its.run_id = before.run_id
            AND (its.task_id = given.task_id OR (task ->> 'wait_for_downstream')::boolean
                AND its.task_id IN (SELECT one ->> 'task_id' FROM json_array_elements(spec -> 'tasks') AS one
                    WHERE given.task_id IN (
                        SELECT json_array_elements_text(coalesce(one -> 'upstream', '[]')))))
        WHERE given.seq > %(since)s AND given.subject = 'task_instance' AND given.name = 'grant'
            AND run.backfill_id IS NULL AND task ->> 'task_id' = given.task_id
            AND ((task ->> 'depends_on_past')::boolean OR (task ->> 'wait_for_downstream')::boolean)
            AND its.state NOT IN ('success', 'skipped')
            AND NOT EXISTS (SELECT FROM event AS other WHERE other.team_id = run.team_id
                AND other.run_id = before.run_id AND other.actor LIKE 'user:%%' AND other.name <> 'create')
            AND EXISTS (SELECT FROM event AS other WHERE other.team_id = run.team_id
                AND other.run_id = before.run_id AND other.name = 'create' AND other.seq < given.seq)""",
    "I47 more are active over all runs than may be": f"""
        SELECT FROM task_instance AS ti JOIN run USING (team_id, run_id)
        JOIN dag_version AS version USING (team_id, dag_id, version)
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        WHERE ti.state IN {LIVE} AND task ->> 'task_id' = ti.task_id
            AND task ->> 'max_active_tis_per_dag' IS NOT NULL
        GROUP BY ti.team_id, run.dag_id, ti.task_id, task ->> 'max_active_tis_per_dag'
        HAVING count(*) > (task ->> 'max_active_tis_per_dag')::integer""",
    "I23 live without its attempt, or the reverse": f"""
        SELECT FROM task_instance AS ti FULL JOIN (
            SELECT team_id, run_id, task_id, map_index, number, state AS attempt_state FROM attempt
            WHERE state IN {LIVE}) AS live USING {KEY}
        WHERE (ti.state IN {LIVE} OR live.number IS NOT NULL)
            AND (ti.state, ti.attempts) IS DISTINCT FROM (live.attempt_state, live.number)""",
    "I28 task instances differ from the tasks of the version": f"""
        SELECT FROM run JOIN dag_version AS version USING (team_id, dag_id, version)
        WHERE run.state IN ('running', 'success', 'failed') AND NOT {REFUSED} AND (
            SELECT array_agg(DISTINCT task_id ORDER BY task_id) FROM task_instance AS ti
            WHERE ti.team_id = run.team_id AND ti.run_id = run.run_id
        ) IS DISTINCT FROM (
            SELECT array_agg(task ->> 'task_id' ORDER BY task ->> 'task_id')
            FROM json_array_elements(spec -> 'tasks') AS task)""",
    "I29 a result of an attempt that did not succeed": """
        SELECT FROM xcom LEFT JOIN attempt
            ON (attempt.team_id, attempt.run_id, attempt.task_id, attempt.map_index, attempt.number)
                = (xcom.team_id, xcom.run_id, xcom.task_id, xcom.map_index, xcom.attempt)
        WHERE attempt.state IS DISTINCT FROM 'success'""",
    "I29 a result of an earlier life": f"""
        SELECT FROM xcom JOIN task_instance AS ti USING {KEY}
        WHERE xcom.attempt <> ti.attempts OR ti.state NOT IN {DONE}""",
    "I29 a result of what is gone": f"""
        SELECT FROM xcom LEFT JOIN task_instance AS ti USING {KEY} WHERE ti.state IS NULL""",
    "I29 a list counts an item that is not there, or the reverse": """
        SELECT FROM task_instance AS ti WHERE map_index >= 0 AND state = 'success'
            AND item <> EXISTS (
                SELECT FROM xcom WHERE xcom.team_id = ti.team_id AND xcom.run_id = ti.run_id
                    AND xcom.task_id = ti.task_id AND xcom.map_index = ti.map_index
                    AND key = 'return_value')""",
    "I30 attempts of nothing": f"""
        SELECT FROM attempt LEFT JOIN task_instance AS ti USING {KEY} WHERE ti.state IS NULL
        GROUP BY team_id, run_id, task_id, map_index
        HAVING NOT bool_or(former) OR max(attempt.number) <> max(attempt.number) FILTER (WHERE former)""",
}
# I17, where schedulers are at work: by now they must have noticed that a lease is over.
OVERDUE: Final[LiteralString] = f"""
    SELECT run_id, task_id, map_index, session_id FROM attempt
    JOIN agent_session USING (team_id, session_id) JOIN run USING (team_id, run_id)
    WHERE attempt.state IN {LIVE} AND heartbeat_at < %(since)s AND set_aside IS NULL
"""
# History steps that are new, each with the state before it.
STEPS: LiteralString = """
    WITH step AS MATERIALIZED (
        SELECT event.*, coalesce(before.state, CASE subject WHEN 'run' THEN '' ELSE 'waiting' END)
            AS before
        FROM event LEFT JOIN LATERAL (
            SELECT earlier.state FROM event AS earlier
            WHERE earlier.team_id = event.team_id AND earlier.run_id = event.run_id
                AND earlier.subject = event.subject
                AND earlier.task_id IS NOT DISTINCT FROM event.task_id
                AND earlier.map_index IS NOT DISTINCT FROM event.map_index
                AND earlier.seq < event.seq
            ORDER BY seq DESC LIMIT 1
        ) AS before ON true
        WHERE event.seq > %(since)s AND subject IN ('run', 'task_instance')
    )
"""
CHECK: Final[LiteralString] = STEPS + " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({broken})" for name, broken in INVARIANTS.items()
)
CREATED: Final = ("", "create", RunState.QUEUED)
RUN_STEPS: Final = [
    CREATED,
    *((before, name, after) for (before, name), after in RUN_TRANSITIONS.items()),
]
GRACE: Final = timedelta(seconds=LEASE_S + 2)  # the lease, and two of the sweeps that look for it
HELD: LiteralString = """
    SELECT team_id, run_id, task_id, map_index, blocked_reason::text, pool, pool_slots, queue, executor
    FROM task_instance WHERE state = 'ready' AND rank IS NOT NULL AND blocked_reason IS NOT NULL
    ORDER BY rank LIMIT 20
"""
POOL: LiteralString = "SELECT {} FROM pool WHERE team_id = %(team_id)s AND name = %(pool)s"
SERVING: LiteralString = """
    SELECT {} FROM (
        SELECT slots - (SELECT count(*) FROM attempt WHERE attempt.session_id = agent_session.session_id
            AND attempt.state IN ('queued', 'running')) AS free
        FROM agent_session WHERE team_id = %(team_id)s AND ended_at IS NULL AND %(queue)s = ANY (queues)
            AND %(executor)s = CASE WHEN token_id IS NULL THEN agent ELSE '' END  -- a cluster, or the pod of an attempt
    ) AS serving
"""
TRUTH: Final[dict[Kind, LiteralString]] = {
    Kind.POOL_FULL: POOL.format(
        "slots >= %(needed)s AND slots - used < %(needed)s AND allotted IS NULL"
    ),
    Kind.POOL_EMPTY: POOL.format("slots = 0"),
    Kind.POOL_TOO_SMALL: POOL.format("slots < %(needed)s AND slots > 0"),
    Kind.POOL_TURN: POOL.format("coalesce(allotted, slots) - used >= %(needed)s"),
    Kind.POOL_SHARED: POOL.format("allotted - used < %(needed)s"),
    Kind.POOL_NOT_SHARED: f"SELECT NOT EXISTS ({POOL.format('1')} AND is_open)",
    Kind.POOL_MISSING: f"SELECT NOT EXISTS ({POOL.format('1')})",
    Kind.NO_AGENT: SERVING.format("count(*) = 0"),
    Kind.QUEUE_UNSERVED: SERVING.format("count(*) = 0"),
    Kind.AGENTS_FULL: SERVING.format("count(*) > 0 AND bool_and(free <= 0)"),
    Kind.TEAM_SLOTS: "SELECT used >= least(allotted, fair) FROM share WHERE team_id = %(team_id)s",
}

VALUES: Final[dict[str, Any]] = {
    "before": [state for state, _ in TRANSITIONS],
    "name": [event for _, event in TRANSITIONS],
    "after": list(TRANSITIONS.values()),
    "run_before": [step[0] for step in RUN_STEPS],
    "run_name": [step[1] for step in RUN_STEPS],
    "run_after": [step[2] for step in RUN_STEPS],
    "final": list(FINAL),
    "losses_max": 5,
}


def check(conn: Connection[Any], since: int = 0, retimed: tuple[str, ...] = ()) -> list[str]:
    """The names of what does not hold."""
    values = {**VALUES, "since": since, "retimed": list(retimed)}
    return [str(row[0]) for row in conn.execute(CHECK, values)]


def untrue_reasons(conn: Connection[Any]) -> list[str]:
    """What is shown as the reason of a wait and is not true, by SQL of its own."""
    found = []
    for team_id, *key, text, pool, slots, queue, executor in conn.execute(HELD).fetchall():
        shown = stored(Present(conn, team_id).text(text, pool, slots, queue, executor) or text)
        if shown.kind not in TRUTH:
            continue
        values = {
            "team_id": team_id,
            "pool": pool,
            "needed": slots,
            "queue": queue,
            "executor": executor,
        }
        row = conn.execute(TRUTH[shown.kind], values).fetchone()
        if row is None or not row[0]:
            found.append(f"{key} does not wait because {said(shown)}")
    return found


def overdue(conn: Connection[Any], now: datetime) -> list[tuple[Any, ...]]:
    """Live attempts whose session has been silent for longer than its lease and the grace."""
    return conn.execute(OVERDUE, {"since": now - GRACE}).fetchall()
