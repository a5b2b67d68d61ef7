-- What a branch chose among the tasks directly below it; null: it left nothing out. A fact of the run until it runs again.
ALTER TABLE task_instance ADD COLUMN follow text[];

-- Whether its result is an item of the list that tasks below a mapped task get. Of what is stored already nobody knows
-- better than that it succeeded.
ALTER TABLE task_instance ADD COLUMN item boolean NOT NULL DEFAULT true;

-- A task instance goes when the list that it is mapped over gets shorter; its attempts and their logs stay with the run.
-- `former` marks the last of them, so that their numbers go on when the list grows again.
ALTER TABLE attempt ADD COLUMN former boolean NOT NULL DEFAULT false;
GRANT SELECT (former) ON attempt TO headway_app;
ALTER TABLE attempt
    DROP CONSTRAINT attempt_team_id_run_id_task_id_map_index_fkey,
    ADD CONSTRAINT attempt_of_a_run FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE;
