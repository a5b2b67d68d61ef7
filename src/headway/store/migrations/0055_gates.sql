-- Ready task instances that other runs hold back: by the run that is waited for, and by the DAG of which too many are active.
CREATE INDEX task_instance_awaits_past ON task_instance (team_id, (blocked_reason ->> 'run'))
    WHERE state = 'ready' AND blocked_reason ->> 'kind' = 'awaits_past';
CREATE INDEX task_instance_awaits_place ON task_instance (team_id, (blocked_reason ->> 'dag'))
    WHERE state = 'ready' AND blocked_reason ->> 'kind' = 'max_active_tis_per_dag';
