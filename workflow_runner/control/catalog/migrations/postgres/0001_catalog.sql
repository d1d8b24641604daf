-- Registered versions of tasks, workflows and launch plans; `kind` is a number of ResourceType.
CREATE TABLE control_entities (
  kind integer NOT NULL,
  project text NOT NULL,
  domain text NOT NULL,
  name text NOT NULL,
  version text NOT NULL,
  digest text NOT NULL,
  body bytea NOT NULL,
  created_at double precision NOT NULL,
  active integer NOT NULL,
  updated_at double precision NOT NULL,
  PRIMARY KEY (kind, project, domain, name, version)
);

CREATE INDEX control_entities_by_age ON control_entities (kind, project, domain, created_at);
CREATE UNIQUE INDEX control_active_plans ON control_entities (kind, project, domain, name) WHERE active = 1;

-- What executions were asked for, whether or not they have begun; `id` is what the runner calls them.
CREATE TABLE control_executions (
  project text NOT NULL,
  domain text NOT NULL,
  name text NOT NULL,
  id text NOT NULL UNIQUE,
  request bytea NOT NULL,
  mode text NOT NULL,
  launch_plan text NOT NULL,
  launch_plan_version text NOT NULL,
  workflow text NOT NULL,
  workflow_version text NOT NULL,
  task text NOT NULL,
  created_at double precision NOT NULL,
  archived integer NOT NULL,
  archived_at double precision,
  PRIMARY KEY (project, domain, name)
);

CREATE INDEX control_executions_by_age ON control_executions (project, domain, created_at);

CREATE TABLE control_projects (
  id text PRIMARY KEY,
  body bytea NOT NULL
);
