-- What was noticed when the file of a DAG was imported: it loads, but its author should know. Sentences, by line.
ALTER TABLE dag ADD COLUMN warnings text[] NOT NULL DEFAULT '{}';
