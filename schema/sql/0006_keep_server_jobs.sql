-- Jobs of `pool: server` that run; sealed, because their messages hold secrets.
CREATE TABLE server_job(job_id TEXT PRIMARY KEY, state_sealed BLOB NOT NULL) STRICT;
