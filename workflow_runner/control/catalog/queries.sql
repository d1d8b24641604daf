-- name: insert_entity
INSERT INTO control_entities (kind, project, domain, name, version, digest, body, created_at, active, updated_at)
VALUES (:kind, :project, :domain, :name, :version, :digest, :body, :created_at, :active, :updated_at)
ON CONFLICT (kind, project, domain, name, version) DO NOTHING;

-- name: entities
SELECT kind, project, domain, name, version, digest, body, created_at, active, updated_at FROM control_entities

-- name: entity_names
SELECT project, domain, name FROM (SELECT DISTINCT kind, project, domain, name FROM control_entities) AS names

-- name: deactivate_others
UPDATE control_entities SET active = 0, updated_at = :at
WHERE kind = :kind AND project = :project AND domain = :domain AND name = :name AND version <> :version AND active = 1;

-- name: set_active
UPDATE control_entities SET updated_at = CASE WHEN active = :active THEN updated_at ELSE :at END, active = :active
WHERE kind = :kind AND project = :project AND domain = :domain AND name = :name AND version = :version;

-- name: insert_execution
INSERT INTO control_executions (project, domain, name, id, request, mode, launch_plan, launch_plan_version, workflow,
  workflow_version, task, created_at, archived, archived_at)
VALUES (:project, :domain, :name, :id, :request, :mode, :launch_plan, :launch_plan_version, :workflow,
  :workflow_version, :task, :created_at, 0, NULL);

-- name: find_name
SELECT 1 FROM control_executions WHERE project = :project AND domain = :domain AND name = :name;

-- name: find_id
SELECT 1 FROM executions WHERE id = :id UNION SELECT 1 FROM control_executions WHERE id = :id;

-- name: lock_plan
SELECT 1;

-- name: count_unended
SELECT count(*) FROM control_executions AS c LEFT JOIN executions AS e ON e.id = c.id
WHERE c.project = :project AND c.domain = :domain AND c.launch_plan = :launch_plan AND e.ended_at IS NULL;

-- name: delete_execution
DELETE FROM control_executions WHERE project = :project AND domain = :domain AND name = :name;

-- name: executions
SELECT project, domain, name, id, request, mode, launch_plan, launch_plan_version, workflow, workflow_version, task,
  created_at, archived, archived_at, phase, error, started_at, ended_at
FROM (
  SELECT c.project, c.domain, c.name, c.id, c.request, c.mode, c.launch_plan, c.launch_plan_version, c.workflow,
    c.workflow_version, c.task, c.created_at, c.archived, c.archived_at, coalesce(e.phase, 'QUEUED') AS phase,
    coalesce(e.error, '') AS error, e.started_at, e.ended_at,
    CASE WHEN c.archived = 1 THEN 'EXECUTION_ARCHIVED' ELSE 'EXECUTION_ACTIVE' END AS state,
    coalesce(e.ended_at, e.started_at, c.created_at) AS updated_at,
    coalesce(e.ended_at - e.started_at, 0) AS duration
  FROM control_executions AS c LEFT JOIN executions AS e ON e.id = c.id
) AS known

-- name: archive_execution
UPDATE control_executions SET archived = :archived, archived_at = :at
WHERE project = :project AND domain = :domain AND name = :name;

-- name: insert_project
INSERT INTO control_projects (id, body) VALUES (:id, :body) ON CONFLICT (id) DO NOTHING;

-- name: select_projects
SELECT id, body FROM control_projects ORDER BY id;
