-- What the tag of an image stood for in a run (ADR 68). The digest that was seen first is the one that later pods of
-- the run use; others are of pods that were created before it was known.
CREATE TABLE run_image (
    team_id  integer NOT NULL,
    run_id   text NOT NULL,
    image    text NOT NULL, -- as the task names it: with a tag, or with none
    digest   text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    position integer NOT NULL CHECK (position > 0), -- 1: the first that was seen
    PRIMARY KEY (team_id, run_id, image, digest),
    UNIQUE (team_id, run_id, image, position),
    FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE
);
ALTER TABLE run_image ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_image FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON run_image TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON run_image TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, UPDATE, DELETE ON run_image TO headway_engine;
-- People replay runs with the images of then, and clear them with those of today.
GRANT SELECT, INSERT, DELETE ON run_image TO headway_app;
