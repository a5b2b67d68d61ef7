-- Two roles, shared by all databases of the server. They own nothing and nobody logs in as them:
-- the user of the database URL acts as one of them (SET ROLE).
--   headway_engine  scheduler, loader, janitor: the policies let it see every team
--   headway_app     the API: sees the team in app.team_id, which each transaction sets for itself

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['headway_engine', 'headway_app'] LOOP
        -- Another database of this server may be migrated at this moment: then it was first.
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT NOBYPASSRLS', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF EXISTS (
            SELECT FROM pg_roles WHERE rolname = wanted AND (rolsuper OR rolbypassrls)
        ) THEN
            RAISE EXCEPTION 'role % must not be a superuser nor have BYPASSRLS', wanted;
        END IF;
        -- Since PostgreSQL 16 whoever made a role administers it, but may not yet act as it.
        IF NOT pg_has_role(current_user, wanted, CASE
            WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET'
        END) THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
            EXCEPTION WHEN unique_violation OR internal_error THEN -- granted at this moment
                NULL;
            END;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted);
    END LOOP;
END
$$;

-- No rights by default: each migration grants what it makes, to the role that needs it.
GRANT SELECT ON schema_migration TO headway_engine, headway_app;
