-- The newest events of a team: by the primary key alone, those of a quiet team lie behind all newer ones of the others.
-- The condition is always true. It keeps the index from statements that do not say it, which find by transaction.
CREATE INDEX event_of_team ON event (team_id, seq) WHERE seq > 0;
