-- Signatures of deliveries that say no time, as GitHub's: who kept such a request could send it again when the delivery is
-- no longer among the last ones. They outlive the deliveries, and go with the webhook.
CREATE TABLE webhook_signature (
    team_id integer NOT NULL,
    name    text NOT NULL,
    digest  bytea NOT NULL, -- of what was signed
    made    text NOT NULL, -- the event of the asset, or the run
    at      timestamptz NOT NULL,
    PRIMARY KEY (team_id, name, digest),
    FOREIGN KEY (team_id, name) REFERENCES webhook ON DELETE CASCADE
);
CREATE INDEX webhook_signature_by_age ON webhook_signature (team_id, name, at);

ALTER TABLE webhook_signature ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_signature FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON webhook_signature TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON webhook_signature TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
CREATE POLICY delete_team ON webhook_signature FOR DELETE TO CURRENT_USER USING (true);
CREATE POLICY identify ON webhook_signature FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, DELETE ON webhook_signature TO headway_app;
GRANT SELECT ON webhook_signature TO headway_engine;
