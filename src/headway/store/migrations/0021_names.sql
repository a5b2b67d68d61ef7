-- One name for one thing. Views, indexes, constraints and rights follow a renamed column by themselves.

-- How often a run has changed; `version` is a DAG's.
ALTER TABLE run RENAME COLUMN version TO revision;
