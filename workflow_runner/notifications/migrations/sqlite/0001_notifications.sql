-- What was told of an execution that has ended: `sent` messages so far, and whether that is all. Times are seconds since
-- 1970; nobody else deals with it before `due_at`.
CREATE TABLE notifications (
  id TEXT PRIMARY KEY,
  due_at REAL NOT NULL,
  tries INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  settled INTEGER NOT NULL
);
