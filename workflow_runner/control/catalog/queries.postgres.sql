-- name: lock_plan
SELECT version FROM control_entities
WHERE kind = :kind AND project = :project AND domain = :domain AND name = :launch_plan
ORDER BY version
FOR UPDATE;
