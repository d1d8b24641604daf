-- The server's clock, in seconds since 1970 (UTC), as it goes on within a transaction.
CREATE FUNCTION store_now() RETURNS double precision LANGUAGE sql VOLATILE
AS 'SELECT extract(epoch FROM clock_timestamp())::double precision';

-- `following` is the number of the next record of the log; `owner` the runner that drives the execution, if any does.
CREATE TABLE executions (
  id text PRIMARY KEY,
  workflow text NOT NULL,
  project text NOT NULL,
  domain text NOT NULL,
  phase text NOT NULL,
  error text NOT NULL,
  started_at double precision NOT NULL,
  ended_at double precision,
  owner text NOT NULL DEFAULT '',
  following bigint NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX executions_by_start ON executions (started_at DESC, id);
CREATE INDEX unfinished_executions ON executions (owner, started_at) WHERE ended_at IS NULL;

-- The log: one row for each event, with the commands that it led to.
CREATE TABLE events (
  execution text NOT NULL REFERENCES executions (id),
  number bigint NOT NULL,
  event bytea NOT NULL,
  commands bytea NOT NULL,
  PRIMARY KEY (execution, number)
);

-- What plugins remember of an attempt from one round to the next.
CREATE TABLE plugin_states (
  execution text NOT NULL REFERENCES executions (id),
  node text NOT NULL,
  attempt bigint NOT NULL,
  version bigint NOT NULL,
  state bytea NOT NULL,
  PRIMARY KEY (execution, node, attempt)
);

-- Answers to gates; the process that drives the execution takes them from here.
CREATE TABLE signals (
  execution text NOT NULL REFERENCES executions (id),
  signal text NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (execution, signal)
);

-- Results of tasks, by what they depend on.
CREATE TABLE cached_results (
  key text PRIMARY KEY,
  outputs bytea NOT NULL,
  source text NOT NULL,
  kept_at double precision NOT NULL
);

-- Who works out a result that only one may work out at a time, and until when that is believed.
CREATE TABLE cache_claims (
  key text PRIMARY KEY,
  owner text NOT NULL,
  until double precision NOT NULL
);

-- Runners, and until when each of them is believed to live unless it says so again.
CREATE TABLE owners (
  owner text PRIMARY KEY,
  lease_until double precision NOT NULL
);
