-- What people look at: the runs that failed, latest first, however many others there are.
CREATE INDEX run_failed ON run (team_id, created_at DESC, run_id) WHERE state = 'failed';
