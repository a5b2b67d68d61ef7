-- Connections and variables of teams. What is secret of them is in `sealed`: encrypted with a key of the row's own, which
-- the master key `key_id` wraps; no master key is ever in the database, nor in a backup of it.
CREATE TABLE connection (
    team_id     integer NOT NULL REFERENCES team,
    conn_id     text NOT NULL CHECK (conn_id ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$'),
    conn_type   text NOT NULL CHECK (conn_type ~ '^[a-z][a-z0-9_]{0,99}$'),
    host        text,
    port        integer CHECK (port BETWEEN 1 AND 65535),
    schema      text,
    login       text,
    extra       jsonb NOT NULL DEFAULT '{}', -- what may be shown of it
    hidden      text[] NOT NULL DEFAULT '{}', -- names of the fields in `sealed`: password, extra.<name>
    description text NOT NULL DEFAULT '',
    dags        text[], -- null: every DAG of the team may use it
    key_id      text NOT NULL,
    wrapped     bytea NOT NULL,
    sealed      bytea NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    changed_by  text NOT NULL,
    PRIMARY KEY (team_id, conn_id)
);

CREATE TABLE variable (
    team_id     integer NOT NULL REFERENCES team,
    key         text NOT NULL CHECK (key ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$'),
    value       text, -- null: it is in `sealed`
    description text NOT NULL DEFAULT '',
    dags        text[], -- null: every DAG of the team may use it
    key_id      text,
    wrapped     bytea,
    sealed      bytea,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    changed_by  text NOT NULL,
    PRIMARY KEY (team_id, key),
    CONSTRAINT shown_or_sealed CHECK ((value IS NULL) = (sealed IS NOT NULL AND wrapped IS NOT NULL AND key_id IS NOT NULL))
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['connection', 'variable'] LOOP
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

-- The secrets of a team end with it, in the same transaction.
CREATE FUNCTION forget_secrets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM connection WHERE team_id = NEW.team_id;
    DELETE FROM variable WHERE team_id = NEW.team_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_secrets AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_secrets();
REVOKE ALL ON FUNCTION forget_secrets FROM PUBLIC;

-- A task that asks for one secret after another that it may not have is a matter for the audit.
GRANT INSERT ON audit TO headway_engine;
