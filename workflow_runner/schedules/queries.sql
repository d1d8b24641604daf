-- name: scheduled_plans
SELECT e.project, e.domain, e.name, e.version, e.body, e.updated_at, s.reached
FROM control_entities AS e
LEFT JOIN schedules AS s ON s.project = e.project AND s.domain = e.domain AND s.name = e.name
WHERE e.kind = :kind AND e.active = 1
ORDER BY e.project, e.domain, e.name;

-- name: reach
INSERT INTO schedules (project, domain, name, reached) VALUES (:project, :domain, :name, :reached)
ON CONFLICT (project, domain, name) DO UPDATE SET reached = excluded.reached
WHERE schedules.reached < excluded.reached;
