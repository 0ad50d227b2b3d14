-- How many jobs of a pool or of a pipeline may be held by workers at once (0: no limit), and how urgent a run is
-- (schema::RunPriority; 3: normal).
ALTER TABLE pool ADD COLUMN max_parallelism INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pipeline ADD COLUMN max_parallelism INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN priority INTEGER NOT NULL DEFAULT 3;
