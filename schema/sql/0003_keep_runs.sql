-- How long runs are kept. Runs go in two steps: marked (nobody sees them any more), then emptied in small pieces, so
-- that nobody waits for the deletion of a run with many jobs. The row of a run stays where a deployment refers to it.
ALTER TABLE run ADD COLUMN deleted_at INTEGER;
ALTER TABLE run ADD COLUMN emptied_at INTEGER;
CREATE INDEX run_to_empty ON run(id) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;
ALTER TABLE pipeline ADD COLUMN deleted_at INTEGER;

-- pipeline_id 0: the project's policy, which holds for pipelines without one of their own.
CREATE TABLE retention_policy(
  project_id TEXT NOT NULL REFERENCES project, pipeline_id INTEGER NOT NULL DEFAULT 0,
  run_days INTEGER NOT NULL, artifact_days INTEGER NOT NULL, pull_request_days INTEGER NOT NULL,
  minimum_runs INTEGER NOT NULL, PRIMARY KEY(project_id, pipeline_id)) STRICT, WITHOUT ROWID;
-- Somebody's wish that a run stays.
CREATE TABLE retention_lease(
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  pipeline_id INTEGER NOT NULL REFERENCES pipeline, owner_id TEXT NOT NULL, created_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL, protect_pipeline INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX retention_lease_run ON retention_lease(run_id);
CREATE INDEX retention_lease_owner ON retention_lease(owner_id);

-- Deleting a row looks for rows that refer to it: without an index that is a walk over the whole table.
CREATE INDEX run_plan ON run(compiled_plan_id);
CREATE INDEX test_run_run ON test_run(run_id);
CREATE INDEX artifact_blob ON artifact(blob_sha256);
