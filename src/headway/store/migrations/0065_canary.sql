-- What a scheduler proves of itself (ADR 59): every so many seconds, when a run of its own last got to success, and why not since.
ALTER TABLE scheduler
    ADD COLUMN canary_s   double precision CHECK (canary_s > 0), -- null: it proves nothing
    ADD COLUMN proved_at  timestamptz,
    ADD COLUMN unproved   text;
