-- Registered versions of tasks, workflows and launch plans; `kind` is a number of ResourceType.
CREATE TABLE control_entities (
  kind INTEGER NOT NULL,
  project TEXT NOT NULL,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  body BLOB NOT NULL,
  created_at REAL NOT NULL,
  active INTEGER NOT NULL,
  updated_at REAL NOT NULL,
  PRIMARY KEY (kind, project, domain, name, version)
);

CREATE INDEX control_entities_by_age ON control_entities (kind, project, domain, created_at);
CREATE UNIQUE INDEX control_active_plans ON control_entities (kind, project, domain, name) WHERE active = 1;

-- What executions were asked for, whether or not they have begun; `id` is what the runner calls them.
CREATE TABLE control_executions (
  project TEXT NOT NULL,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  request BLOB NOT NULL,
  mode TEXT NOT NULL,
  launch_plan TEXT NOT NULL,
  launch_plan_version TEXT NOT NULL,
  workflow TEXT NOT NULL,
  workflow_version TEXT NOT NULL,
  task TEXT NOT NULL,
  created_at REAL NOT NULL,
  archived INTEGER NOT NULL,
  archived_at REAL,
  PRIMARY KEY (project, domain, name)
);

CREATE INDEX control_executions_by_age ON control_executions (project, domain, created_at);

CREATE TABLE control_projects (
  id TEXT PRIMARY KEY,
  body BLOB NOT NULL
);
