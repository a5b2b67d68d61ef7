-- Tasks of a team set and delete its variables, in the name of their attempt.
GRANT INSERT, UPDATE, DELETE ON variable TO headway_engine;
