-- The open jobs of each pool are counted for every page of pools and every scrape of /metrics: from the index alone,
-- not from rows with what each job is made of.
DROP INDEX job_open;
CREATE INDEX job_open ON job(state, queued_at, pool_id) WHERE state <> 'completed';
