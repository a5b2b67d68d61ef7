-- A version of a DAG is its specification; its code is that and the content of what its file imports.

-- The files of the DAG folder that the DAG's file read when it was imported, itself included; null: not known yet.
ALTER TABLE dag ADD COLUMN files text[];

-- Each time that the code of a DAG changed. `files`: which of those, and how: [{"file", "change"}].
CREATE TABLE code_change (
    team_id        integer NOT NULL REFERENCES team,
    dag_id         text NOT NULL,
    number         integer NOT NULL CHECK (number > 0),
    version        integer NOT NULL,
    bundle_version text, -- null: of before changes were recorded, and no run tells it
    files          json NOT NULL DEFAULT '[]',
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (team_id, dag_id, number),
    FOREIGN KEY (team_id, dag_id, version) REFERENCES dag_version ON DELETE CASCADE
);
CREATE INDEX code_change_bundle ON code_change (team_id, bundle_version);
CREATE INDEX code_change_age ON code_change (team_id, created_at);

-- What is known of the past: a change for each version.
ALTER TABLE dag NO FORCE ROW LEVEL SECURITY;
ALTER TABLE dag_version NO FORCE ROW LEVEL SECURITY;
ALTER TABLE run NO FORCE ROW LEVEL SECURITY;
INSERT INTO code_change (team_id, dag_id, number, version, bundle_version, created_at)
SELECT known.team_id, known.dag_id, known.version, known.version,
    coalesce(
        CASE WHEN dag.version = known.version THEN dag.bundle_version END,
        (SELECT bundle_version FROM run
            WHERE run.team_id = known.team_id AND run.dag_id = known.dag_id AND run.version = known.version
            ORDER BY created_at DESC LIMIT 1)),
    known.created_at
FROM dag_version AS known JOIN dag USING (team_id, dag_id);
ALTER TABLE dag FORCE ROW LEVEL SECURITY;
ALTER TABLE dag_version FORCE ROW LEVEL SECURITY;
ALTER TABLE run FORCE ROW LEVEL SECURITY;

ALTER TABLE code_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE code_change FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON code_change TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY entered_team ON code_change AS RESTRICTIVE FOR DELETE TO headway_engine
    USING (coalesce(team_id = (SELECT entered_team()), true));
CREATE POLICY one_team ON code_change TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, DELETE ON code_change TO headway_engine;
GRANT SELECT ON code_change TO headway_app;
