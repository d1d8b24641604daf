-- Answers to gates; the process that drives the execution takes them from here.
CREATE TABLE signals (
  execution TEXT NOT NULL REFERENCES executions (id),
  signal TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (execution, signal)
) WITHOUT ROWID;
