-- What was answered to a request that names itself (Idempotency-Key): the same request again gets the same answer.
-- The row is written in the transaction that does the work, so there is neither without the other.
CREATE TABLE idempotency (
    team_id     integer NOT NULL REFERENCES team,
    actor       text NOT NULL,
    key         text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 200),
    fingerprint bytea NOT NULL, -- of method, path and body
    answer      bytea,          -- null only while the work is being done
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, actor, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON idempotency TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON idempotency TO headway_app
    USING (team_id = nullif(current_setting('app.team_id', true), '')::int)
    WITH CHECK (team_id = nullif(current_setting('app.team_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE ON idempotency TO headway_app;
GRANT SELECT, DELETE ON idempotency TO headway_engine;
