-- What jobs leave beside logs, artifacts and test results, and files that only jobs may read.
CREATE TABLE code_coverage(
  job_id TEXT NOT NULL, key TEXT NOT NULL, label TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  tool TEXT NOT NULL, covered INTEGER NOT NULL, total INTEGER NOT NULL, PRIMARY KEY(job_id, key, label)) STRICT, WITHOUT ROWID;
CREATE INDEX code_coverage_run ON code_coverage(run_id);

-- Small by rule (16 MiB): summaries, uploaded log files. What is larger is an artifact.
CREATE TABLE attachment(
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, record_id TEXT NOT NULL,
  type TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, created_at INTEGER NOT NULL,
  UNIQUE(run_id, record_id, type, name)) STRICT;

CREATE TABLE run_tag(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, tag TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY(run_id, tag)) STRICT, WITHOUT ROWID;

CREATE TABLE secure_file(
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  content_sealed BLOB NOT NULL, size INTEGER NOT NULL, created_by TEXT REFERENCES identity, created_at INTEGER NOT NULL,
  UNIQUE(project_id, name)) STRICT;
