-- Dates that a backfill left out, because they had a run already: how many, by the state of the run.
ALTER TABLE backfill ADD COLUMN left_out jsonb NOT NULL DEFAULT '{}';
