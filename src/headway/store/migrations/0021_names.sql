-- One name for one thing. Views, indexes, constraints and rights follow a renamed column by themselves.

-- How often a run has changed; `version` is a DAG's.
ALTER TABLE run RENAME COLUMN version TO revision;

-- A run that no tick takes is set aside, and later taken back.
ALTER TABLE run RENAME COLUMN quarantined TO set_aside;
ALTER TABLE run RENAME COLUMN retry_at TO set_aside_until;
ALTER INDEX run_retry RENAME TO run_set_aside;
ALTER TABLE event NO FORCE ROW LEVEL SECURITY;
UPDATE event SET name = CASE name WHEN 'quarantine' THEN 'set_aside' ELSE 'take_back' END
WHERE subject = 'run' AND name IN ('quarantine', 'readmit');
ALTER TABLE event FORCE ROW LEVEL SECURITY;

-- A timetable fires. A slot is a unit of a pool.
ALTER TABLE dag RENAME COLUMN last_slot TO last_fire;
ALTER TABLE dag RENAME COLUMN next_slot_at TO next_fire_at;
