-- Values of root variables with $[ ], evaluated once when the run was created, so that counter() counts once. May hold
-- values of secret variables.
ALTER TABLE run ADD COLUMN root_values_sealed BLOB;

-- A stage with a lockBehavior of its own has a lock even where no environment has the check: environment_id is 0 then,
-- and what is locked is the stage of the pipeline.
CREATE TABLE lock_of_stage(
  environment_id INTEGER NOT NULL, pipeline_id INTEGER NOT NULL REFERENCES pipeline,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, stage TEXT NOT NULL, stage_attempt INTEGER NOT NULL,
  -- 1: runLatest, a newer run of the same pipeline, branch and stage takes its place in the queue
  latest_only INTEGER NOT NULL, requested_at INTEGER NOT NULL, granted_at INTEGER,
  PRIMARY KEY(environment_id, run_id, stage, stage_attempt)) STRICT, WITHOUT ROWID;
INSERT INTO lock_of_stage(environment_id, pipeline_id, run_id, stage, stage_attempt, latest_only, requested_at, granted_at)
  SELECT l.environment_id, r.pipeline_id, l.run_id, l.stage, l.stage_attempt, l.latest_only, l.requested_at, l.granted_at
  FROM exclusive_lock l JOIN run r ON r.id = l.run_id;
DROP TABLE exclusive_lock;
ALTER TABLE lock_of_stage RENAME TO exclusive_lock;
CREATE INDEX exclusive_lock_run ON exclusive_lock(run_id);
CREATE UNIQUE INDEX exclusive_lock_holder ON exclusive_lock(environment_id)
  WHERE granted_at IS NOT NULL AND environment_id <> 0;
CREATE UNIQUE INDEX exclusive_lock_stage_holder ON exclusive_lock(pipeline_id, stage)
  WHERE granted_at IS NOT NULL AND environment_id = 0;
