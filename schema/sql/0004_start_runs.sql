-- What starts runs besides pushes and schedules. trigger_json: variables that say what started the run
-- (System.PullRequest.*, Build.TriggeredBy.*, resources.*), object name -> value.
ALTER TABLE run ADD COLUMN trigger_json TEXT NOT NULL DEFAULT '{}';

-- Pull requests of hosted repositories. evaluated_*: what runs were last started for.
CREATE TABLE pull_request(
  id INTEGER PRIMARY KEY AUTOINCREMENT, repository_id TEXT NOT NULL REFERENCES repository, title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '', source_ref TEXT NOT NULL, target_ref TEXT NOT NULL,
  status TEXT NOT NULL CHECK(status IN('active','abandoned','completed')), is_draft INTEGER NOT NULL DEFAULT 0,
  created_by TEXT REFERENCES identity, created_at INTEGER NOT NULL, closed_at INTEGER,
  source_commit TEXT NOT NULL DEFAULT '', target_commit TEXT NOT NULL DEFAULT '', merge_commit TEXT NOT NULL DEFAULT '',
  merge_status TEXT NOT NULL CHECK(merge_status IN('queued','succeeded','conflicts','failure')),
  conflicts_json TEXT NOT NULL DEFAULT '[]',
  evaluated_commit TEXT NOT NULL DEFAULT '', evaluated_draft INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX pull_request_repository ON pull_request(repository_id, id DESC);
CREATE UNIQUE INDEX pull_request_active ON pull_request(repository_id, source_ref, target_ref) WHERE status = 'active';

-- `batch: true`: the newest push that waits for a run of the branch to end.
CREATE TABLE batched_push(
  pipeline_id INTEGER NOT NULL REFERENCES pipeline, ref TEXT NOT NULL, commit_id TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(pipeline_id, ref)) STRICT, WITHOUT ROWID;
