-- A result that reveals a secret its task was handed (ADR 50): `value` is what people see, with *** for the secret; `whole` is what
-- the task returned, for the tasks that receive it. `secrets`: a JSON list of them, to be masked in these tasks, too.
ALTER TABLE xcom
    ADD COLUMN masked boolean NOT NULL DEFAULT false,
    ADD COLUMN whole json,
    ADD COLUMN secrets json,
    ADD CONSTRAINT masked_iff_whole CHECK (masked = (whole IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT whole_of_a_value CHECK (whole IS NULL OR value IS NOT NULL) NOT VALID;
ALTER TABLE wait ADD COLUMN secrets json; -- a list of those in `facts` and `kwargs`

-- What answers people cannot read the rest, whatever its SQL says. A clear finds its rows by ctid.
REVOKE SELECT ON xcom FROM headway_app;
GRANT SELECT (team_id, run_id, task_id, map_index, key, attempt, value, file, size, length, masked, ctid)
    ON xcom TO headway_app;
