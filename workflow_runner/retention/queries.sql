-- name: select_ended
SELECT id FROM executions
WHERE ended_at < :before AND id NOT IN (
  SELECT id FROM executions WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT :keep
)
ORDER BY ended_at, id;

-- name: select_beginnings
SELECT event FROM events WHERE number = 0 AND execution IN (SELECT id FROM executions WHERE ended_at IS NULL);

-- name: select_accepted_recoveries
SELECT request FROM control_executions WHERE mode = 'RECOVERED' AND id NOT IN (SELECT id FROM executions);

-- name: select_named
SELECT id FROM control_executions WHERE project = :project AND domain = :domain AND name = :name;

-- name: count_results
SELECT count(*) FROM cached_results WHERE kept_at < :before;

-- name: delete_results
DELETE FROM cached_results WHERE kept_at < :before;

-- name: delete_claims
DELETE FROM cache_claims WHERE until < store_now() - 86400;

-- name: select_rooms
SELECT DISTINCT schema FROM schema_versions;

-- name: delete_signals
DELETE FROM signals WHERE execution IN (SELECT value FROM json_each(:executions));

-- name: delete_plugin_states
DELETE FROM plugin_states WHERE execution IN (SELECT value FROM json_each(:executions));

-- name: delete_events
DELETE FROM events WHERE execution IN (SELECT value FROM json_each(:executions));

-- name: delete_executions
DELETE FROM executions WHERE id IN (SELECT value FROM json_each(:executions));

-- name: delete_requests
DELETE FROM control_executions WHERE id IN (SELECT value FROM json_each(:executions));

-- name: delete_notifications
DELETE FROM notifications WHERE id IN (SELECT value FROM json_each(:executions));
