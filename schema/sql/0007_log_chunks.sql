-- Logs as chunks: what a log consists of, in order. Small pieces stand here and become durable with the commit that
-- acknowledges them; big ones stand in the log's file and this row says where. server/logs/README.md tells the format.
CREATE TABLE log_chunk(
  run_id INTEGER NOT NULL, log_id INTEGER NOT NULL,
  first_byte INTEGER NOT NULL,                  -- of the log, before compression
  bytes INTEGER NOT NULL,                       -- likewise
  first_line INTEGER NOT NULL,                  -- line feeds before this chunk
  lines INTEGER NOT NULL,                       -- line feeds in it
  open_line INTEGER NOT NULL,                   -- 1: its last byte is no line feed
  first_time INTEGER,                           -- stamp of its first whole line; NULL: it has none
  codec INTEGER NOT NULL CHECK(codec IN(0, 1, 2)), -- 0: data as it is, 1: data by zstd, 2: zstd at `place` of the file
  place INTEGER NOT NULL DEFAULT 0, stored INTEGER NOT NULL, -- stored: bytes after compression
  data BLOB,
  PRIMARY KEY(run_id, log_id, first_byte)) STRICT, WITHOUT ROWID;
