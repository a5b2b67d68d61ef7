-- core/pod_policy: what the settings of each executor with pods allow, as its schedulers told. Loaders compare DAG files
-- with it; the executor itself does not read it. Of the whole platform, and no secret.
CREATE TABLE pod_policy (
    executor text PRIMARY KEY,
    policy   jsonb NOT NULL CHECK (jsonb_typeof(policy) = 'object'),
    told_at  timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON pod_policy TO headway_engine;
