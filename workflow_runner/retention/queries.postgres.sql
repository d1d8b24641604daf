-- name: delete_signals
DELETE FROM signals WHERE execution IN (SELECT json_array_elements_text(:executions::text::json));

-- name: delete_plugin_states
DELETE FROM plugin_states WHERE execution IN (SELECT json_array_elements_text(:executions::text::json));

-- name: delete_events
DELETE FROM events WHERE execution IN (SELECT json_array_elements_text(:executions::text::json));

-- name: delete_executions
DELETE FROM executions WHERE id IN (SELECT json_array_elements_text(:executions::text::json));

-- name: delete_requests
DELETE FROM control_executions WHERE id IN (SELECT json_array_elements_text(:executions::text::json));

-- name: delete_notifications
DELETE FROM notifications WHERE id IN (SELECT json_array_elements_text(:executions::text::json));
