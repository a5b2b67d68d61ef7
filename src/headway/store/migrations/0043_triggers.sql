-- Waits that a triggerer of the team looks after. It belongs to the session of an agent, and is free when that is gone.
ALTER TABLE wait DROP CONSTRAINT known_kind,
    ADD CONSTRAINT known_kind CHECK (kind IN ('time', 'run', 'trigger')) NOT VALID;
ALTER TABLE wait
    ADD COLUMN queue      text, -- of its task: only agents that serve it have what is looked for
    ADD COLUMN session_id text,
    ADD COLUMN looks      integer NOT NULL DEFAULT 0, -- that were told, and the last of them
    ADD COLUMN looked_at  timestamptz,
    ADD COLUMN looks_at   timestamptz, -- again
    ADD COLUMN note       text;
CREATE INDEX wait_free ON wait (team_id, queue, run_id, task_id, map_index)
    WHERE kind = 'trigger' AND session_id IS NULL AND NOT is_over AND NOT reported;
CREATE INDEX wait_held ON wait (session_id, run_id, task_id, map_index)
    WHERE kind = 'trigger' AND session_id IS NOT NULL AND NOT is_over AND NOT reported;
