-- The bytes that the logs of an agent's attempts took in the last minute, as it says with its heartbeat: they count
-- against a limit of its team.
ALTER TABLE agent_session ADD COLUMN log_bytes integer NOT NULL DEFAULT 0 CHECK (log_bytes >= 0);
