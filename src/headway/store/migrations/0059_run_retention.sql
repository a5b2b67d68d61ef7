-- How long a team keeps its runs after they end, with all that hangs on them. History younger than a week is never
-- removed (prune_events_of_runs), so a team cannot ask for less.

ALTER TABLE team ADD COLUMN run_days integer CHECK (run_days BETWEEN 7 AND 36500); -- null: what the installation says
GRANT UPDATE (run_days) ON team TO headway_app;
