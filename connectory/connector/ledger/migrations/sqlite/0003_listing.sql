-- What jobs are listed by, when it is not all of them in the order of their keys.
CREATE INDEX connectory_jobs_of_executions ON connectory_jobs (execution);
CREATE INDEX connectory_deleted_jobs ON connectory_jobs (key) WHERE state = 'deleted';
