-- A run may continue with a later version of its DAG. What it was created with, and who had it continue, last.
ALTER TABLE run
    ADD COLUMN first_version integer,
    ADD COLUMN first_bundle_version text,
    ADD COLUMN repinned_at timestamptz,
    ADD COLUMN repinned_by text;
-- Tasks that the later version does not have leave the run; their attempts stay, the last one marked.
GRANT DELETE ON task_instance TO headway_app;
GRANT SELECT (ctid), UPDATE (former) ON attempt TO headway_app;
