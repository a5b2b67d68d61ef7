-- The events of an asset, the newest first: without, those of one that is rarely updated are looked for among all.
CREATE INDEX asset_event_by_asset ON asset_event (asset, team_id, event_id);
