-- Aliases: a task says at run time which assets it has updated. An alias is itself a row of asset, named '@alias:NAME'.
-- The assets that tasks have added through an alias. `position`: of the event that added it; earlier ones are not of the alias.
CREATE TABLE asset_alias (
    team_id    integer NOT NULL REFERENCES team,
    alias      text NOT NULL, -- its name, without the mark
    asset      text NOT NULL,
    position   bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, alias, asset)
);
CREATE INDEX asset_alias_by_asset ON asset_alias (team_id, asset);

ALTER TABLE asset_alias ENABLE ROW LEVEL SECURITY;
ALTER TABLE asset_alias FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON asset_alias TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON asset_alias TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT ON asset_alias TO headway_app;
GRANT SELECT, INSERT, DELETE ON asset_alias TO headway_engine;

-- `reference`: DAGs only refer to it, and none defines it. `refused_…`, of an alias: the last asset that it did not take,
-- because a limit is reached.
ALTER TABLE asset
    ADD COLUMN reference boolean NOT NULL DEFAULT false,
    ADD COLUMN refused_asset text,
    ADD COLUMN refused_why text,
    ADD COLUMN refused_at timestamptz;

-- A task may wait for an event of an asset, not only read the asset. NOT VALID: what is stored satisfies the wider rule.
ALTER TABLE asset_use DROP CONSTRAINT known_use,
    ADD CONSTRAINT known_use CHECK (role IN ('outlet', 'inlet', 'wait')) NOT VALID;

-- `aliases`: through which the task added the asset; `definition`: what it said of the asset. An event of an asset is one of
-- each alias of it, too: a row with the `origin`, the asset, and `origin_id`, its event.
ALTER TABLE asset_event
    ADD COLUMN aliases text[],
    ADD COLUMN definition json,
    ADD COLUMN origin text,
    ADD COLUMN origin_id bigint,
    ADD CONSTRAINT whole_origin CHECK ((origin IS NULL) = (origin_id IS NULL)) NOT VALID;

DROP INDEX one_event_of_an_attempt;
CREATE UNIQUE INDEX one_event_of_an_attempt
    ON asset_event (team_id, run_id, task_id, map_index, attempt, asset, partition, origin_id)
    NULLS NOT DISTINCT WHERE run_id IS NOT NULL;
-- The last events that came through an alias, however many its assets have besides.
CREATE INDEX asset_event_through ON asset_event (team_id, asset, event_id) WHERE origin IS NOT NULL AND aliases IS NOT NULL;
