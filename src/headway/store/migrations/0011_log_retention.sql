-- How long a team keeps logs: they may go before their runs, and from the local disk before that.

ALTER TABLE team ADD COLUMN log_days integer CHECK (log_days BETWEEN 1 AND 36500); -- null: what the installation says
ALTER TABLE team ADD COLUMN log_local_days integer CHECK (log_local_days BETWEEN 1 AND 36500); -- the same
ALTER TABLE team ADD CONSTRAINT local_logs_are_logs CHECK (log_local_days <= log_days);
GRANT UPDATE (log_days, log_local_days) ON team TO headway_app;

-- A run that was opened again and has ended since has logs again: its end is later.
ALTER TABLE run ADD COLUMN logs_removed_at timestamptz;
CREATE INDEX run_logs_kept ON run (team_id, ended_at)
    WHERE ended_at IS NOT NULL AND (logs_removed_at IS NULL OR logs_removed_at < ended_at);
