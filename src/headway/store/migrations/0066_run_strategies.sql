-- How the runs of a DAG stand in line (`core.strategies`), and runs that end without a start because of it.
ALTER TABLE dag
    ADD COLUMN run_strategy text NOT NULL DEFAULT 'parallel' CONSTRAINT known_run_strategy CHECK (run_strategy IN
        ('parallel', 'sequential', 'strict_sequential', 'first_only', 'last_only')),
    ADD COLUMN next_start_at timestamptz; -- the first logical date of its queued runs, if all of them lie in the future
CREATE INDEX dag_next_start ON dag (next_start_at) WHERE next_start_at IS NOT NULL;
-- NOT VALID: what is stored satisfies the wider rules, and nothing has to be read for them.
ALTER TABLE run
    DROP CONSTRAINT known_run_state,
    ADD CONSTRAINT known_run_state CHECK (
        state IN ('queued', 'running', 'success', 'failed', 'cancelled', 'skipped')) NOT VALID,
    DROP CONSTRAINT ended_iff_final,
    ADD CONSTRAINT ended_iff_final CHECK (
        (state IN ('success', 'failed', 'cancelled', 'skipped')) = (ended_at IS NOT NULL)) NOT VALID;
