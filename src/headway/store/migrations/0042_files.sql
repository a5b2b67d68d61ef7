-- The size of the largest file of a bundle: it counts against a limit of its team. null: not known, of before.
ALTER TABLE bundle ADD COLUMN largest_file bigint CHECK (largest_file >= 0);
