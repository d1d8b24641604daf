-- What jobs are listed by, when it is not all of them in the order of their keys. The beginning of an execution is a
-- range of them only where characters are compared by their numbers.
ALTER TABLE connectory_jobs ALTER COLUMN execution TYPE TEXT COLLATE "C";
CREATE INDEX connectory_jobs_of_executions ON connectory_jobs (execution);
CREATE INDEX connectory_deleted_jobs ON connectory_jobs (key) WHERE state = 'deleted';
