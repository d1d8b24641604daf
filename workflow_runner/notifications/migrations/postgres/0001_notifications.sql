-- What was told of an execution that has ended: `sent` messages so far, and whether that is all. Times are seconds since
-- 1970; nobody else deals with it before `due_at`.
CREATE TABLE notifications (
  id text PRIMARY KEY,
  due_at double precision NOT NULL,
  tries integer NOT NULL,
  sent integer NOT NULL,
  settled integer NOT NULL
);
