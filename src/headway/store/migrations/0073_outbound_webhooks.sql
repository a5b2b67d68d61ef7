-- Outbound webhooks: URLs to which a team has the ends of its runs told, signed with a secret of the webhook, which is in
-- `sealed`. What ended before `active_since` is not told.
CREATE TABLE outbound_webhook (
    team_id       integer NOT NULL REFERENCES team,
    name          text NOT NULL CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$'),
    url           text NOT NULL,
    dags          text[] NOT NULL, -- patterns
    states        text[] NOT NULL CHECK (states <@ ARRAY['success', 'failed', 'cancelled', 'skipped']),
    with_params   boolean NOT NULL,
    site          text NOT NULL, -- the address of the web interface, for links to runs
    active_since  timestamptz NOT NULL,
    disabled_at   timestamptz,
    failing_since timestamptz, -- no delivery has succeeded since then
    trouble       text, -- of the last one
    key_id        text NOT NULL,
    wrapped       bytea NOT NULL,
    sealed        bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    PRIMARY KEY (team_id, name)
);
CREATE INDEX active_outbound_webhook ON outbound_webhook (team_id, name) WHERE disabled_at IS NULL;

-- What is to be told, and what became of it. `next_at` is when it is sent next, or when the process that sends it now is
-- taken for dead; null: it is over.
CREATE TABLE outbound_delivery (
    team_id     integer NOT NULL,
    name        text NOT NULL,
    delivery_no bigint GENERATED ALWAYS AS IDENTITY,
    event_id    text NOT NULL, -- the same at each try
    at          timestamptz NOT NULL,
    dag_id      text,
    run_id      text,
    state       text,
    body        text NOT NULL,
    status      text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'given_up')),
    since       timestamptz NOT NULL, -- from when on it is tried
    next_at     timestamptz,
    tries       integer NOT NULL DEFAULT 0,
    tried_at    timestamptz,
    code        integer,
    trouble     text,
    answer      text, -- its beginning
    took_ms     integer,
    PRIMARY KEY (team_id, name, delivery_no),
    FOREIGN KEY (team_id, name) REFERENCES outbound_webhook ON DELETE CASCADE,
    CHECK ((status = 'waiting') = (next_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_delivery_of_an_event ON outbound_delivery (team_id, name, event_id);
CREATE INDEX outbound_delivery_due ON outbound_delivery (team_id, name, next_at) WHERE next_at IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbound_webhook', 'outbound_delivery'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('CREATE POLICY delete_team ON %I FOR DELETE TO CURRENT_USER USING (true)', name);
        EXECUTE format('CREATE POLICY identify ON %I FOR SELECT TO CURRENT_USER USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_app', name);
    END LOOP;
END $$;
GRANT SELECT, UPDATE ON outbound_webhook TO headway_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbound_delivery TO headway_engine;

CREATE FUNCTION forget_outbound_webhooks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM outbound_webhook WHERE team_id = NEW.team_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_outbound_webhooks AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_outbound_webhooks();
REVOKE ALL ON FUNCTION forget_outbound_webhooks FROM PUBLIC;
