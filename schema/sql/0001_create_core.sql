-- The first shape of Slipway's data. Times are integer milliseconds since the Unix epoch, UTC; GUIDs are lower-case text;
-- states and results are the numbers of schema/model/states.h. Secrets stand only in columns named *_sealed
-- (libsodium secretbox, key outside the database).

CREATE TABLE project(
  id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, description TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL) STRICT;

-- People and tokens. token_hash = SHA-256 of the token: a token cannot be read back.
CREATE TABLE identity(
  id TEXT PRIMARY KEY, unique_name TEXT NOT NULL COLLATE NOCASE UNIQUE, display_name TEXT NOT NULL,
  is_admin INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE access_token(
  id INTEGER PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, identity_id TEXT REFERENCES identity,
  kind TEXT NOT NULL CHECK(kind IN('signIn','session','personal','registration')), name TEXT NOT NULL DEFAULT '',
  pool_id INTEGER, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER) STRICT;

-- Git repositories. A hosted one is a bare repository in the data directory; else url is where it is fetched from.
CREATE TABLE repository(
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  type TEXT NOT NULL, url TEXT NOT NULL, default_branch TEXT NOT NULL DEFAULT 'refs/heads/main',
  hosted INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, UNIQUE(project_id, name)) STRICT;
-- The head that triggers were last evaluated for: a push is seen exactly once, also over a restart.
CREATE TABLE repository_ref(
  repository_id TEXT NOT NULL REFERENCES repository, name TEXT NOT NULL, commit_id TEXT NOT NULL,
  seen_at INTEGER NOT NULL, PRIMARY KEY(repository_id, name)) STRICT, WITHOUT ROWID;

CREATE TABLE pipeline(
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  folder TEXT NOT NULL DEFAULT '\', repository_id TEXT NOT NULL REFERENCES repository, yaml_path TEXT NOT NULL,
  default_branch TEXT NOT NULL DEFAULT 'refs/heads/main', revision INTEGER NOT NULL DEFAULT 1,
  queue_status INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, UNIQUE(project_id, folder, name)) STRICT;
-- Counters: `counter()` of the expression language, the Rev of run numbers ("rev:<prefix>").
CREATE TABLE pipeline_counter(
  pipeline_id INTEGER NOT NULL REFERENCES pipeline, prefix TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY(pipeline_id, prefix)) STRICT, WITHOUT ROWID;

-- Library: variable groups and service connections.
CREATE TABLE variable_group(
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL, UNIQUE(project_id, name)) STRICT;
CREATE TABLE variable_group_value(
  group_id INTEGER NOT NULL REFERENCES variable_group ON DELETE CASCADE, name TEXT NOT NULL COLLATE NOCASE,
  value TEXT, value_sealed BLOB, is_secret INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(group_id, name)) STRICT, WITHOUT ROWID;
CREATE TABLE service_connection(
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  type TEXT NOT NULL, url TEXT NOT NULL, scheme TEXT NOT NULL, parameters_sealed BLOB, data_json TEXT NOT NULL DEFAULT '{}',
  description TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL, UNIQUE(project_id, name)) STRICT;

-- Pools and workers.
CREATE TABLE pool(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, created_at INTEGER NOT NULL) STRICT;
-- vmImage names of hosted pools mapped to our pools; '*' is the fallback.
CREATE TABLE pool_image(vm_image TEXT PRIMARY KEY COLLATE NOCASE, pool_id INTEGER NOT NULL REFERENCES pool) STRICT;
CREATE TABLE worker(
  id INTEGER PRIMARY KEY, pool_id INTEGER NOT NULL REFERENCES pool, name TEXT NOT NULL COLLATE NOCASE,
  secret_hash BLOB NOT NULL, version TEXT NOT NULL DEFAULT '', slots INTEGER NOT NULL DEFAULT 1,
  enabled INTEGER NOT NULL DEFAULT 1, capabilities_json TEXT NOT NULL DEFAULT '[]',
  online INTEGER NOT NULL DEFAULT 0, status_changed_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
  UNIQUE(pool_id, name)) STRICT;

-- What compilations came to; runs of the same commit and values share one row. hash: SHA-256 over both texts.
-- plan_text: schema/model/plan_json.h; final_yaml: the expanded document.
CREATE TABLE compiled_plan(
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, plan_text TEXT NOT NULL, final_yaml TEXT NOT NULL) STRICT;

-- One run of one pipeline.
CREATE TABLE run(
  id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER NOT NULL REFERENCES pipeline, number TEXT NOT NULL,
  plan_id TEXT NOT NULL, reason INTEGER NOT NULL, status INTEGER NOT NULL, result INTEGER NOT NULL DEFAULT 0,
  source_branch TEXT NOT NULL, source_version TEXT NOT NULL, commit_message TEXT NOT NULL DEFAULT '',
  commit_author TEXT NOT NULL DEFAULT '', requested_by TEXT REFERENCES identity,
  parameters_json TEXT NOT NULL DEFAULT '{}', variables_json TEXT NOT NULL DEFAULT '{}',
  stages_to_skip_json TEXT NOT NULL DEFAULT '[]', compiled_plan_id INTEGER NOT NULL REFERENCES compiled_plan,
  -- why the run could not start: JSON list of diagnostics, empty list when it could
  validation_json TEXT NOT NULL DEFAULT '[]',
  queued_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER, cancel_requested_by TEXT,
  change_id INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE INDEX run_pipeline ON run(pipeline_id, id DESC);
CREATE INDEX run_open ON run(status) WHERE status <> 2;

-- State of a stage / YAML job ("phase") / job instance in each attempt. A row exists from the moment the run is created
-- (stages, phases) or from expansion (job instances). state, result: schema/model/states.h.
CREATE TABLE stage_state(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  record_id TEXT NOT NULL, ordinal INTEGER NOT NULL,
  -- pending (dependencies), checking (approvals, locks), running, completed
  phase TEXT NOT NULL CHECK(phase IN('pending','checking','running','completed')), result INTEGER,
  -- one sentence: what it waits for; once completed, why it was skipped or failed
  waiting_reason TEXT NOT NULL DEFAULT '',
  -- who asked for this attempt, when it is a retry
  requested_by TEXT REFERENCES identity, started_at INTEGER, finished_at INTEGER,
  PRIMARY KEY(run_id, name, attempt)) STRICT, WITHOUT ROWID;
CREATE TABLE phase_state(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, stage TEXT NOT NULL, name TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 1, record_id TEXT NOT NULL, ordinal INTEGER NOT NULL,
  state INTEGER NOT NULL, result INTEGER, message TEXT NOT NULL DEFAULT '',
  -- instances that succeeded in this attempt or a later, earlier than this row's, count in this one; 0: none
  carries_from INTEGER NOT NULL DEFAULT 0,
  -- target of a deployment job, resolved when its stage became ready; 0: none
  environment_id INTEGER NOT NULL DEFAULT 0, resource_id INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER, finished_at INTEGER,
  PRIMARY KEY(run_id, stage, name, attempt)) STRICT, WITHOUT ROWID;
CREATE TABLE job(
  id TEXT PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, stage TEXT NOT NULL, phase TEXT NOT NULL,
  name TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1, identifier TEXT NOT NULL, record_id TEXT NOT NULL,
  display_name TEXT NOT NULL DEFAULT '', ordinal INTEGER NOT NULL, hook TEXT NOT NULL DEFAULT '',
  -- queued: claimable; assigned: lease on disk, offer sent; running: worker accepted; completed
  state TEXT NOT NULL CHECK(state IN('queued','assigned','running','completed')), result INTEGER,
  message TEXT NOT NULL DEFAULT '', pool_id INTEGER REFERENCES pool, demands_json TEXT NOT NULL DEFAULT '[]',
  timeout_minutes INTEGER NOT NULL DEFAULT 60, cancel_timeout_minutes INTEGER NOT NULL DEFAULT 5,
  worker_id INTEGER REFERENCES worker, token_hash BLOB, leased_until INTEGER, timeout_at INTEGER, cancel_at INTEGER,
  -- what the job message is made of (steps, variables); NULL once completed
  instance_sealed BLOB, outputs_json TEXT NOT NULL DEFAULT '[]', outputs_sealed BLOB,
  queued_at INTEGER NOT NULL, assigned_at INTEGER, started_at INTEGER, finished_at INTEGER) STRICT;
CREATE INDEX job_run ON job(run_id);
CREATE INDEX job_open ON job(state, queued_at) WHERE state <> 'completed';
CREATE UNIQUE INDEX job_token ON job(token_hash) WHERE token_hash IS NOT NULL;

-- Timeline records as the API shows them. change_id: run.change_id at the time of the last change.
CREATE TABLE timeline_record(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, id TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 1,
  parent_id TEXT, job_id TEXT, type TEXT NOT NULL, name TEXT NOT NULL, ref_name TEXT NOT NULL DEFAULT '',
  identifier TEXT NOT NULL DEFAULT '', ordinal INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL, result INTEGER,
  current_operation TEXT, percent_complete INTEGER, worker_name TEXT, task_json TEXT, issues_json TEXT NOT NULL DEFAULT '[]',
  error_count INTEGER NOT NULL DEFAULT 0, warning_count INTEGER NOT NULL DEFAULT 0, log_id INTEGER,
  started_at INTEGER, finished_at INTEGER, sequence INTEGER NOT NULL DEFAULT 0, change_id INTEGER NOT NULL,
  PRIMARY KEY(run_id, id, attempt)) STRICT, WITHOUT ROWID;

CREATE INDEX timeline_open ON timeline_record(job_id) WHERE state <> 2;

-- One log per record and attempt, number log_id within its run; the bytes (and so the length) are a file under the
-- data directory (server/logs).
CREATE TABLE log(
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, log_id INTEGER NOT NULL, record_id TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 1, job_id TEXT, sealed INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
  PRIMARY KEY(run_id, log_id)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX log_record ON log(run_id, record_id, attempt);

CREATE TABLE artifact(
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT NULL COLLATE NOCASE,
  record_id TEXT NOT NULL DEFAULT '', blob_sha256 TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL,
  created_at INTEGER NOT NULL, UNIQUE(run_id, name)) STRICT;

CREATE TABLE test_run(
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, job_id TEXT NOT NULL, key TEXT NOT NULL,
  title TEXT NOT NULL, passed INTEGER NOT NULL, failed INTEGER NOT NULL, skipped INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL, created_at INTEGER NOT NULL, UNIQUE(job_id, key)) STRICT;
CREATE TABLE test_result(
  test_run_id INTEGER NOT NULL REFERENCES test_run ON DELETE CASCADE, id INTEGER NOT NULL, suite TEXT NOT NULL,
  class_name TEXT NOT NULL, name TEXT NOT NULL, outcome TEXT NOT NULL, duration_ms INTEGER NOT NULL,
  message TEXT NOT NULL DEFAULT '', stack_trace TEXT NOT NULL DEFAULT '', PRIMARY KEY(test_run_id, id)) STRICT, WITHOUT ROWID;

-- Environments, what can be deployed to, and what was.
CREATE TABLE environment(
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL DEFAULT '', ordinal INTEGER NOT NULL DEFAULT 0, created_by TEXT REFERENCES identity,
  created_at INTEGER NOT NULL, UNIQUE(project_id, name)) STRICT;
CREATE TABLE environment_resource(
  id INTEGER PRIMARY KEY, environment_id INTEGER NOT NULL REFERENCES environment, name TEXT NOT NULL COLLATE NOCASE,
  type TEXT NOT NULL CHECK(type IN('kubernetes','dockerHost')), cluster_name TEXT NOT NULL DEFAULT '',
  namespace TEXT NOT NULL DEFAULT '', connection_id TEXT REFERENCES service_connection, created_at INTEGER NOT NULL,
  UNIQUE(environment_id, name)) STRICT;

-- A service is what people ask about ("web"); key = last segment path of the image repository unless renamed.
CREATE TABLE service(
  id INTEGER PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project, key TEXT NOT NULL COLLATE NOCASE,
  image_repository TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE(project_id, key), UNIQUE(project_id, image_repository)) STRICT;
-- A version of a service: one image digest, the tags it was pushed with, the commit and the run that made it.
CREATE TABLE version(
  id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL REFERENCES service, digest TEXT NOT NULL, tags_json TEXT NOT NULL,
  commit_id TEXT NOT NULL DEFAULT '', run_id INTEGER REFERENCES run ON DELETE SET NULL, created_at INTEGER NOT NULL,
  UNIQUE(service_id, digest, run_id)) STRICT;
CREATE INDEX version_run ON version(run_id);

-- One execution of one deployment job against one target. Rows are never overwritten by a retry.
CREATE TABLE deployment(
  id INTEGER PRIMARY KEY, environment_id INTEGER NOT NULL REFERENCES environment, resource_id INTEGER REFERENCES environment_resource,
  run_id INTEGER NOT NULL REFERENCES run, stage TEXT NOT NULL, stage_attempt INTEGER NOT NULL, phase TEXT NOT NULL,
  phase_attempt INTEGER NOT NULL, request_identifier TEXT NOT NULL, queued_at INTEGER NOT NULL, started_at INTEGER,
  finished_at INTEGER, result INTEGER,
  UNIQUE(run_id, stage, stage_attempt, phase, phase_attempt)) STRICT;
CREATE INDEX deployment_environment ON deployment(environment_id, id DESC);
CREATE INDEX deployment_open ON deployment(environment_id) WHERE finished_at IS NULL;
-- What the deployment put there, per service. image: as deployed, with tag.
CREATE TABLE deployment_item(
  deployment_id INTEGER NOT NULL REFERENCES deployment, service_id INTEGER NOT NULL REFERENCES service,
  version_id INTEGER REFERENCES version, image TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '', workload TEXT NOT NULL DEFAULT '',
  namespace TEXT NOT NULL DEFAULT '', PRIMARY KEY(deployment_id, service_id)) STRICT, WITHOUT ROWID;
CREATE INDEX deployment_item_service ON deployment_item(service_id, deployment_id DESC);
-- The matrix, maintained in the same transaction as the deployment: what is recorded at each service x target.
CREATE TABLE cell(
  service_id INTEGER NOT NULL REFERENCES service, environment_id INTEGER NOT NULL REFERENCES environment,
  resource_id INTEGER NOT NULL DEFAULT 0, deployment_id INTEGER NOT NULL REFERENCES deployment,
  changed_at INTEGER NOT NULL, PRIMARY KEY(service_id, environment_id, resource_id)) STRICT, WITHOUT ROWID;

-- Checks on environments. settings_json: approvers, minRequiredApprovers, requesterCannotBeApprover, instructions.
CREATE TABLE check_configuration(
  id INTEGER PRIMARY KEY, environment_id INTEGER NOT NULL REFERENCES environment,
  type TEXT NOT NULL CHECK(type IN('approval','exclusiveLock')), settings_json TEXT NOT NULL DEFAULT '{}',
  timeout_minutes INTEGER NOT NULL DEFAULT 43200,
  -- 0: removed; the row stays for the approvals that were asked because of it
  enabled INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX check_lock ON check_configuration(environment_id) WHERE type = 'exclusiveLock' AND enabled = 1;
CREATE TABLE approval(
  id TEXT PRIMARY KEY, check_id INTEGER NOT NULL REFERENCES check_configuration, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  stage TEXT NOT NULL, stage_attempt INTEGER NOT NULL, record_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK(status IN('pending','approved','rejected','timedOut','canceled')),
  -- the rules as they were when the question was asked
  instructions TEXT NOT NULL DEFAULT '', min_required INTEGER NOT NULL, requester_barred INTEGER NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, decided_at INTEGER,
  UNIQUE(check_id, run_id, stage, stage_attempt)) STRICT;
CREATE INDEX approval_run ON approval(run_id);
CREATE INDEX approval_pending ON approval(status) WHERE status = 'pending';
CREATE TABLE approval_step(
  approval_id TEXT NOT NULL REFERENCES approval ON DELETE CASCADE, identity_id TEXT NOT NULL REFERENCES identity,
  status TEXT NOT NULL, comment TEXT NOT NULL DEFAULT '', decided_at INTEGER, PRIMARY KEY(approval_id, identity_id)) STRICT, WITHOUT ROWID;
-- Holder and waiters of an environment's exclusive lock. granted_at NULL = waiting.
CREATE TABLE exclusive_lock(
  environment_id INTEGER NOT NULL REFERENCES environment, run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  stage TEXT NOT NULL, stage_attempt INTEGER NOT NULL,
  -- 1: runLatest, a newer run of the same pipeline, branch and stage takes its place in the queue
  latest_only INTEGER NOT NULL, requested_at INTEGER NOT NULL, granted_at INTEGER,
  PRIMARY KEY(environment_id, run_id, stage, stage_attempt)) STRICT, WITHOUT ROWID;
CREATE INDEX exclusive_lock_run ON exclusive_lock(run_id);
CREATE UNIQUE INDEX exclusive_lock_holder ON exclusive_lock(environment_id) WHERE granted_at IS NOT NULL;

-- Who did what. Append-only.
CREATE TABLE audit_event(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, identity_id TEXT, action TEXT NOT NULL, object TEXT NOT NULL,
  details_json TEXT NOT NULL DEFAULT '{}') STRICT;

CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
