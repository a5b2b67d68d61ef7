-- Tasks that wait for an event of an asset. NOT VALID: what is stored satisfies the wider rule.
ALTER TABLE wait DROP CONSTRAINT known_kind,
    ADD CONSTRAINT known_kind CHECK (kind IN ('time', 'run', 'asset', 'trigger', 'answer')) NOT VALID;
CREATE INDEX wait_for_asset ON wait (team_id, run_id, task_id, map_index)
    WHERE kind = 'asset' AND NOT is_over AND NOT reported;
