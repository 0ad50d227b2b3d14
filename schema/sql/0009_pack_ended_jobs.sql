-- What a job leaves behind is small: GUIDs of records, jobs and logs are 16 bytes (guid_blob() is a function of the
-- program; text that is no GUID keeps its bytes), and once a job has ended, its task records and small logs become one
-- row of job_pack. Nothing of it changes any more then: a retry is another job.
CREATE TABLE job_packed(
  number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  stage TEXT NOT NULL, phase TEXT NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1, identifier TEXT NOT NULL,
  record_id BLOB NOT NULL, display_name TEXT NOT NULL DEFAULT '', ordinal INTEGER NOT NULL, hook TEXT NOT NULL DEFAULT '',
  -- queued: claimable; assigned: lease on disk, offer sent; running: worker accepted; completed
  state TEXT NOT NULL CHECK(state IN('queued','assigned','running','completed')), result INTEGER,
  message TEXT NOT NULL DEFAULT '', pool_id INTEGER REFERENCES pool, demands_json TEXT NOT NULL DEFAULT '[]',
  timeout_minutes INTEGER NOT NULL DEFAULT 60, cancel_timeout_minutes INTEGER NOT NULL DEFAULT 5,
  worker_id INTEGER REFERENCES worker, token_hash BLOB, leased_until INTEGER, timeout_at INTEGER, cancel_at INTEGER,
  -- what the job message is made of (steps, variables); NULL once completed
  instance_sealed BLOB, outputs_json TEXT NOT NULL DEFAULT '[]', outputs_sealed BLOB,
  queued_at INTEGER NOT NULL, assigned_at INTEGER, started_at INTEGER, finished_at INTEGER) STRICT;
INSERT INTO job_packed(id, run_id, stage, phase, name, attempt, identifier, record_id, display_name, ordinal, hook, state,
    result, message, pool_id, demands_json, timeout_minutes, cancel_timeout_minutes, worker_id, token_hash, leased_until,
    timeout_at, cancel_at, instance_sealed, outputs_json, outputs_sealed, queued_at, assigned_at, started_at, finished_at)
  SELECT guid_blob(id), run_id, stage, phase, name, attempt, identifier, guid_blob(record_id), display_name, ordinal, hook,
    state, result, message, pool_id, demands_json, timeout_minutes, cancel_timeout_minutes, worker_id, token_hash,
    leased_until, timeout_at, cancel_at, instance_sealed, outputs_json, outputs_sealed, queued_at, assigned_at, started_at,
    finished_at FROM job ORDER BY rowid;
DROP TABLE job;
ALTER TABLE job_packed RENAME TO job;
CREATE INDEX job_run ON job(run_id);
CREATE INDEX job_open ON job(state, queued_at) WHERE state <> 'completed';
-- The token of an ended job opens nothing; its hash stays for repeats of the last delivery, found by the job's id.
CREATE UNIQUE INDEX job_token ON job(token_hash) WHERE token_hash IS NOT NULL AND state <> 'completed';

CREATE TABLE job_pack(
  job_number INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  change_id INTEGER NOT NULL DEFAULT 0,  -- newest of the records in it
  failed INTEGER NOT NULL DEFAULT 0,     -- 1: one of them failed or was abandoned
  tasks BLOB NOT NULL DEFAULT x'',       -- server/store/record_pack.h
  logs BLOB) STRICT;                     -- server/logs/log_pack.h

CREATE TABLE timeline_packed(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, id BLOB NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  parent_id BLOB, job_id BLOB, type TEXT NOT NULL, name TEXT NOT NULL, ref_name TEXT NOT NULL DEFAULT '',
  identifier TEXT NOT NULL DEFAULT '', ordinal INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL, result INTEGER,
  current_operation TEXT, percent_complete INTEGER, worker_name TEXT, task_json TEXT, issues_json TEXT NOT NULL DEFAULT '[]',
  error_count INTEGER NOT NULL DEFAULT 0, warning_count INTEGER NOT NULL DEFAULT 0, log_id INTEGER,
  started_at INTEGER, finished_at INTEGER, sequence INTEGER NOT NULL DEFAULT 0, change_id INTEGER NOT NULL,
  PRIMARY KEY(run_id, id, attempt)) STRICT, WITHOUT ROWID;
INSERT INTO timeline_packed(run_id, id, attempt, parent_id, job_id, type, name, ref_name, identifier, ordinal, state, result,
    current_operation, percent_complete, worker_name, task_json, issues_json, error_count, warning_count, log_id, started_at,
    finished_at, sequence, change_id)
  SELECT run_id, guid_blob(id), attempt, guid_blob(parent_id), guid_blob(job_id), type, name, ref_name, identifier, ordinal,
    state, result, current_operation, percent_complete, worker_name, task_json, issues_json, error_count, warning_count,
    log_id, started_at, finished_at, sequence, change_id FROM timeline_record;
DROP TABLE timeline_record;
ALTER TABLE timeline_packed RENAME TO timeline_record;
CREATE INDEX timeline_task ON timeline_record(job_id) WHERE type = 'Task';

-- A record knows the number of its log, so a log need not know its record.
CREATE TABLE log_packed(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, log_id INTEGER NOT NULL, job_number INTEGER,
  sealed INTEGER NOT NULL DEFAULT 0,
  packed INTEGER NOT NULL DEFAULT 0,     -- 1: its bytes stand in the pack of its job
  created_at INTEGER NOT NULL, PRIMARY KEY(run_id, log_id)) STRICT, WITHOUT ROWID;
INSERT INTO log_packed(run_id, log_id, job_number, sealed, created_at)
  SELECT l.run_id, l.log_id, j.number, l.sealed, l.created_at FROM log l LEFT JOIN job j ON j.id = guid_blob(l.job_id);
DROP TABLE log;
ALTER TABLE log_packed RENAME TO log;
CREATE INDEX log_open ON log(job_number) WHERE sealed = 0;

CREATE TABLE stage_packed(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  record_id BLOB NOT NULL, ordinal INTEGER NOT NULL,
  -- pending (dependencies), checking (approvals, locks), running, completed
  phase TEXT NOT NULL CHECK(phase IN('pending','checking','running','completed')), result INTEGER,
  -- one sentence: what it waits for; once completed, why it was skipped or failed
  waiting_reason TEXT NOT NULL DEFAULT '',
  -- who asked for this attempt, when it is a retry
  requested_by TEXT REFERENCES identity, started_at INTEGER, finished_at INTEGER,
  PRIMARY KEY(run_id, name, attempt)) STRICT, WITHOUT ROWID;
INSERT INTO stage_packed(run_id, name, attempt, record_id, ordinal, phase, result, waiting_reason, requested_by, started_at,
    finished_at)
  SELECT run_id, name, attempt, guid_blob(record_id), ordinal, phase, result, waiting_reason, requested_by, started_at,
    finished_at FROM stage_state;
DROP TABLE stage_state;
ALTER TABLE stage_packed RENAME TO stage_state;

CREATE TABLE phase_packed(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, stage TEXT NOT NULL, name TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 1, record_id BLOB NOT NULL, ordinal INTEGER NOT NULL,
  state INTEGER NOT NULL, result INTEGER, message TEXT NOT NULL DEFAULT '',
  -- instances that succeeded in this attempt or a later, earlier than this row's, count in this one; 0: none
  carries_from INTEGER NOT NULL DEFAULT 0,
  -- target of a deployment job, resolved when its stage became ready; 0: none
  environment_id INTEGER NOT NULL DEFAULT 0, resource_id INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER, finished_at INTEGER,
  PRIMARY KEY(run_id, stage, name, attempt)) STRICT, WITHOUT ROWID;
INSERT INTO phase_packed(run_id, stage, name, attempt, record_id, ordinal, state, result, message, carries_from,
    environment_id, resource_id, started_at, finished_at)
  SELECT run_id, stage, name, attempt, guid_blob(record_id), ordinal, state, result, message, carries_from, environment_id,
    resource_id, started_at, finished_at FROM phase_state;
DROP TABLE phase_state;
ALTER TABLE phase_packed RENAME TO phase_state;

-- What the history of tests joins with.
ALTER TABLE test_run ADD COLUMN job_number INTEGER;
UPDATE test_run SET job_number = (SELECT number FROM job WHERE id = guid_blob(job_id));
