-- What people see in place of a map index: its task's map_index_template, rendered.
ALTER TABLE task_instance ADD COLUMN rendered_map_index text;
