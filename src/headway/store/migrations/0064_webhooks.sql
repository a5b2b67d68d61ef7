-- Webhooks: addresses at which other systems report something to a team, signed with a secret of the webhook. `hook_id` is
-- random, and the last part of the address. The secrets are in `sealed`, as those of connections; the one before the
-- last rotation counts until `overlap_until`.
CREATE TABLE webhook (
    team_id       integer NOT NULL REFERENCES team,
    name          text NOT NULL CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$'),
    hook_id       text NOT NULL UNIQUE,
    kind          text NOT NULL CHECK (kind IN ('asset', 'dag')),
    target        text NOT NULL,
    fields        json NOT NULL, -- names of the extra or the parameters, and the paths of their values in the body
    key_path      text, -- of the idempotency key; null: the id of the delivery
    partition_path text,
    disabled_at   timestamptz,
    overlap_until timestamptz,
    key_id        text NOT NULL,
    wrapped       bytea NOT NULL,
    sealed        bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    PRIMARY KEY (team_id, name)
);

-- What came: the last deliveries of each webhook, with their bodies where the signature was right.
CREATE TABLE webhook_delivery (
    team_id     integer NOT NULL,
    name        text NOT NULL,
    delivery_no bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'failed')),
    detail      text NOT NULL,
    delivery_id text,
    digest      bytea, -- of what was signed: the same is accepted once
    body        text, -- JSON
    made        text, -- the event of the asset, or the run
    address     text NOT NULL,
    replay_of   bigint,
    PRIMARY KEY (team_id, name, delivery_no),
    FOREIGN KEY (team_id, name) REFERENCES webhook ON DELETE CASCADE
);
CREATE UNIQUE INDEX one_delivery_of_a_signature ON webhook_delivery (team_id, name, digest) WHERE digest IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook', 'webhook_delivery'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('CREATE POLICY delete_team ON %I FOR DELETE TO CURRENT_USER USING (true)', name);
        EXECUTE format('CREATE POLICY identify ON %I FOR SELECT TO CURRENT_USER USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_app', name);
        EXECUTE format('GRANT SELECT ON %I TO headway_engine', name);
    END LOOP;
END $$;

-- Whose an address is. The team is entered then, and all else is read in it.
CREATE FUNCTION team_of_webhook(given text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT known.team_id FROM webhook AS known JOIN team ON team.team_id = known.team_id AND team.deleted_at IS NULL
    WHERE known.hook_id = given
$$;
REVOKE ALL ON FUNCTION team_of_webhook FROM PUBLIC;
GRANT EXECUTE ON FUNCTION team_of_webhook TO headway_app;

CREATE FUNCTION forget_webhooks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM webhook WHERE team_id = NEW.team_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_webhooks AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_webhooks();
REVOKE ALL ON FUNCTION forget_webhooks FROM PUBLIC;
