-- Runs that Airflow did before its DAGs moved here (ADR 78): facts to look up, which nothing schedules, clears or waits for.

-- One row for a DAG, also one that no file here defines yet. `done_until`: the fire of the last scheduled run that ended in
-- Airflow; the schedule of the DAG goes on after it. It outlives the runs. `size`: bytes of `instances` of all runs.
CREATE TABLE airflow_dag (
    team_id     integer NOT NULL REFERENCES team,
    dag_id      text NOT NULL,
    runs        integer NOT NULL DEFAULT 0 CHECK (runs >= 0),
    size        bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    done_until  timestamptz,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    PRIMARY KEY (team_id, dag_id)
);

-- `instances`: [[task, map index, state, tries, start, end, operator], …], which are only read and written together.
CREATE TABLE airflow_run (
    team_id        integer NOT NULL,
    dag_id         text NOT NULL,
    run_id         text NOT NULL, -- as Airflow calls it
    run_type       text NOT NULL,
    state          text NOT NULL CHECK (state IN ('success', 'failed')),
    logical_date   timestamptz,
    interval_start timestamptz,
    interval_end   timestamptz,
    due_at         timestamptz NOT NULL, -- when Airflow was to start it
    started_at     timestamptz,
    ended_at       timestamptz NOT NULL,
    tasks          integer NOT NULL CHECK (tasks >= 0), -- task instances that it had
    instances      jsonb NOT NULL,
    size           integer NOT NULL CHECK (size >= 0),
    digest         bytea NOT NULL, -- of all facts: an import that brings the same again writes nothing
    PRIMARY KEY (team_id, dag_id, run_id),
    FOREIGN KEY (team_id, dag_id) REFERENCES airflow_dag ON DELETE CASCADE
);
CREATE INDEX airflow_run_newest ON airflow_run (team_id, dag_id, due_at DESC, run_id DESC);
CREATE INDEX airflow_run_oldest ON airflow_run (team_id, ended_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['airflow_dag', 'airflow_run'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY entered_team ON %I AS RESTRICTIVE FOR DELETE TO headway_engine '
            'USING (coalesce(team_id = (SELECT entered_team()), true))', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_app', name);
        EXECUTE format('GRANT SELECT, DELETE ON %I TO headway_engine', name);
    END LOOP;
END $$;
GRANT UPDATE ON airflow_dag, airflow_run TO headway_engine; -- counts, and locks
