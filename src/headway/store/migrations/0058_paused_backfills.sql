-- A paused backfill starts no more runs; and the order in which a backfill runs its dates.
ALTER TABLE backfill
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_by text,
    ADD COLUMN newest_first boolean NOT NULL DEFAULT false;
