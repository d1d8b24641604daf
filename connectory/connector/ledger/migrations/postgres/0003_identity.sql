-- What this ledger is known by, however it is reached: whoever asked for a create can tell whether the same ledger is
-- asked again. One row, which is never changed.
CREATE TABLE connectory_ledger_identity (id TEXT NOT NULL);
INSERT INTO connectory_ledger_identity (id)
VALUES (md5(concat_ws(' ', random(), random(), clock_timestamp(), pg_backend_pid(), inet_server_addr())));
