-- Code coverage that jobs published: sums by label ("Lines", "Branches"), one row a job attempt.
CREATE TABLE code_coverage(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, job_id TEXT NOT NULL, label TEXT NOT NULL,
  covered INTEGER NOT NULL, total INTEGER NOT NULL, PRIMARY KEY(run_id, job_id, label)) STRICT, WITHOUT ROWID;
