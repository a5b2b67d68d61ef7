-- Reasons are data: a kind and its facts. What was stored as a sentence stays one.

CREATE FUNCTION reason_of_text(reason text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN reason <> '' THEN jsonb_build_object('kind', 'text', 'text', reason) END
$$;

ALTER TABLE run ALTER COLUMN reason TYPE jsonb USING reason_of_text(reason);
ALTER TABLE task_instance
    ALTER COLUMN blocked_reason TYPE jsonb USING reason_of_text(blocked_reason),
    ALTER COLUMN reason TYPE jsonb USING reason_of_text(reason);
ALTER TABLE attempt ALTER COLUMN waited_for TYPE jsonb USING reason_of_text(waited_for);

-- What the janitor reads again is an id, not a sentence.
ALTER TABLE event ALTER COLUMN reason TYPE jsonb USING
    CASE WHEN reason <> '' AND subject IN ('retention', 'bundle', 'backfill')
        THEN jsonb_build_object('kind', 'about', 'what', reason)
        ELSE reason_of_text(reason) END;

DROP FUNCTION reason_of_text;
