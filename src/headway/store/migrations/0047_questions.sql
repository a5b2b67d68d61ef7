-- What a running task asks of a DAG of another team is answered by the engine, if that team has granted it.
GRANT SELECT ON team_grant TO headway_engine;
