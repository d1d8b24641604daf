-- How far the schedule of a launch plan has come: the latest point in time that was dealt with, in seconds since 1970.
CREATE TABLE schedules (
  project text NOT NULL,
  domain text NOT NULL,
  name text NOT NULL,
  reached double precision NOT NULL,
  PRIMARY KEY (project, domain, name)
);
