-- Who may do what, and who did it. No role may read a hash: what has to compare with one is a function of the owner, which
-- tells no more than who it was. The team_id of a person is the team whose admins look after them.

CREATE TABLE person (
    person_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id       integer NOT NULL REFERENCES team,
    name          text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$'),
    display_name  text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100),
    password_hash text CHECK (password_hash LIKE '$argon2id$%'), -- null: signs in by a link only
    has_password  boolean NOT NULL GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL,
    disabled_at   timestamptz
);
CREATE INDEX person_by_team ON person (team_id, name);

CREATE TABLE membership (
    team_id    integer NOT NULL REFERENCES team,
    person_id  integer NOT NULL REFERENCES person,
    role       text NOT NULL CONSTRAINT known_role CHECK (role IN ('viewer', 'operator', 'author', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (team_id, person_id)
);
CREATE INDEX membership_of_person ON membership (person_id, team_id);

-- Its bearer may do what its owner may, and no more than its role.
CREATE TABLE api_token (
    team_id      integer NOT NULL REFERENCES team,
    token_id     text NOT NULL,
    person_id    integer NOT NULL REFERENCES person,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role         text NOT NULL CONSTRAINT known_role CHECK (role IN ('viewer', 'operator', 'author', 'admin')),
    hash         bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (team_id, token_id)
);
CREATE UNIQUE INDEX one_live_token_of_a_name ON api_token (team_id, person_id, name) WHERE revoked_at IS NULL;
CREATE INDEX api_token_of_person ON api_token (person_id);

-- Of a person, in whatever team: team_id is the person's own.
CREATE TABLE browser_session (
    team_id    integer NOT NULL REFERENCES team,
    session_id text NOT NULL,
    person_id  integer NOT NULL REFERENCES person,
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    address    text NOT NULL,
    PRIMARY KEY (team_id, session_id)
);
CREATE INDEX browser_session_of_person ON browser_session (person_id);
CREATE INDEX browser_session_expiry ON browser_session (expires_at);

CREATE TABLE login_link (
    team_id    integer NOT NULL REFERENCES team,
    hash       bytea NOT NULL,
    person_id  integer NOT NULL REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (team_id, hash)
);
CREATE INDEX login_link_by_hash ON login_link (hash, expires_at);
CREATE INDEX login_link_of_person ON login_link (person_id);
CREATE INDEX login_link_expiry ON login_link (expires_at);

-- What people asked for. Nobody may change or remove a row; who does it as a superuser breaks the chain.
CREATE TABLE audit (
    team_id integer NOT NULL REFERENCES team,
    seq     bigint NOT NULL, -- without a gap
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    via     text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    detail  json NOT NULL,
    address text NOT NULL,
    chain   bytea NOT NULL,
    PRIMARY KEY (team_id, seq)
);

CREATE FUNCTION audit_link(before bytea, row_ audit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(before || convert_to(concat_ws(E'\x1f', row_.team_id, row_.seq, extract(epoch FROM row_.at),
        row_.actor, row_.via, row_.action, row_.subject, row_.detail, row_.address), 'UTF8'))
$$;
-- The last statement of a transaction, so that its lock is held for no longer than the commit takes.
CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last audit;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('headway audit'), NEW.team_id);
    SELECT * INTO last FROM audit WHERE team_id = NEW.team_id ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.chain := audit_link(coalesce(last.chain, ''), NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER chained BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_append();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person', 'membership', 'api_token', 'browser_session', 'login_link', 'audit'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format(
            'CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = nullif(current_setting(''app.team_id'', true), '''')::int) '
            'WITH CHECK (team_id = nullif(current_setting(''app.team_id'', true), '''')::int)', name);
        EXECUTE format('CREATE POLICY identify ON %I FOR SELECT TO CURRENT_USER USING (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['api_token', 'browser_session', 'login_link'] LOOP
        EXECUTE format('CREATE POLICY note_use ON %I FOR UPDATE TO CURRENT_USER USING (true)', name);
    END LOOP;
END $$;
CREATE POLICY identify ON team FOR SELECT TO CURRENT_USER USING (true);
-- Members whom another team looks after are seen, not changed.
CREATE POLICY member ON person FOR SELECT TO headway_app USING (EXISTS (
    SELECT FROM membership
    WHERE membership.person_id = person.person_id
        AND membership.team_id = nullif(current_setting('app.team_id', true), '')::int));

GRANT SELECT (person_id, team_id, name, display_name, has_password, created_at, created_by, disabled_at),
    INSERT, UPDATE (display_name, password_hash, disabled_at) ON person TO headway_app;
GRANT SELECT, INSERT, UPDATE (role), DELETE ON membership TO headway_app;
GRANT SELECT (team_id, token_id, person_id, name, role, created_at, expires_at, last_used_at, revoked_at),
    INSERT, UPDATE (revoked_at) ON api_token TO headway_app;
GRANT SELECT (team_id, session_id, person_id, created_at, used_at, expires_at, address), INSERT, DELETE
    ON browser_session TO headway_app;
GRANT INSERT ON login_link TO headway_app;
GRANT SELECT, INSERT ON audit TO headway_app;
-- The janitor.
GRANT SELECT (expires_at), DELETE ON browser_session, login_link TO headway_engine;

-- The teams of a person, and what they may do there; nothing of somebody who is disabled.
CREATE FUNCTION standing(wanted integer) RETURNS TABLE (
    name text, display_name text, home_team_id integer, team_id integer, team text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.name, person.display_name, person.team_id, membership.team_id, team.name, membership.role
    FROM person
    JOIN membership ON membership.person_id = person.person_id
    JOIN team ON team.team_id = membership.team_id
    WHERE person.person_id = wanted AND person.disabled_at IS NULL
    ORDER BY membership.team_id
$$;

-- All but the hash itself: enough to compute it from the password that was given.
CREATE FUNCTION password_parameters(wanted text) RETURNS TABLE (team_id integer, parameters text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.team_id, regexp_replace(person.password_hash, '[^$]+$', '') FROM person WHERE person.name = wanted
$$;
CREATE FUNCTION password_matches(wanted text, computed text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.person_id FROM person
    WHERE person.name = wanted AND person.password_hash = computed AND person.disabled_at IS NULL
$$;

CREATE FUNCTION identify_session(given bytea) RETURNS TABLE (session_id text, person_id integer, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE browser_session SET used_at = now()
    WHERE browser_session.hash = given AND browser_session.expires_at > now()
        AND browser_session.used_at BETWEEN now() - interval '12 hours' AND now() - interval '1 minute';
    SELECT known.session_id, known.person_id, known.expires_at FROM browser_session AS known
    WHERE known.hash = given AND known.expires_at > now() AND known.used_at > now() - interval '12 hours'
$$;

CREATE FUNCTION identify_token(given bytea) RETURNS TABLE (
    token_id text, person_id integer, team_id integer, role text, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = now()
    WHERE api_token.hash = given AND api_token.revoked_at IS NULL AND api_token.expires_at > now()
        AND coalesce(api_token.last_used_at < now() - interval '1 minute', true);
    SELECT known.token_id, known.person_id, known.team_id, known.role, known.expires_at FROM api_token AS known
    WHERE known.hash = given AND known.revoked_at IS NULL AND known.expires_at > now()
$$;

CREATE FUNCTION use_login_link(given bytea) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE login_link SET used_at = now()
    WHERE login_link.hash = given AND login_link.used_at IS NULL AND login_link.expires_at > now()
    RETURNING login_link.person_id
$$;

REVOKE ALL ON FUNCTION audit_append, standing, password_parameters, password_matches, identify_session, identify_token,
    use_login_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION standing, password_parameters, password_matches, identify_session, identify_token,
    use_login_link TO headway_app;
