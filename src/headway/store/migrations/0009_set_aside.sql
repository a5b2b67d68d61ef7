-- A run that was set aside is tried again by itself, after ever longer pauses.
ALTER TABLE run ADD COLUMN times_set_aside integer NOT NULL DEFAULT 0; -- since a person last took it in again
ALTER TABLE run ADD COLUMN retry_at timestamptz; -- when it is taken in again; null: by a person only
CREATE INDEX run_retry ON run (retry_at) WHERE retry_at IS NOT NULL;
