-- How far the schedule of a launch plan has come: the latest point in time that was dealt with, in seconds since 1970.
CREATE TABLE schedules (
  project TEXT NOT NULL,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  reached REAL NOT NULL,
  PRIMARY KEY (project, domain, name)
);
