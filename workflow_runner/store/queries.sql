-- name: insert_execution
INSERT INTO executions (id, workflow, phase, error, started_at, ended_at)
VALUES (:id, :workflow, :phase, :error, :started_at, :ended_at);

-- name: update_execution
UPDATE executions SET phase = :phase, error = :error, ended_at = :ended_at WHERE id = :id;

-- name: insert_event
INSERT INTO events (execution, number, event, commands) VALUES (:execution, :number, :event, :commands);

-- name: select_following_number
SELECT coalesce(max(number) + 1, 0) FROM events WHERE execution = :execution;

-- name: select_events
SELECT event, commands FROM events WHERE execution = :execution ORDER BY number;

-- name: select_execution
SELECT id, workflow, phase, error, started_at, ended_at FROM executions WHERE id = :id;

-- name: select_executions
SELECT id, workflow, phase, error, started_at, ended_at FROM executions
ORDER BY started_at DESC, id LIMIT :limit;

-- name: upsert_plugin_state
INSERT INTO plugin_states (execution, node, attempt, version, state)
VALUES (:execution, :node, :attempt, :version, :state)
ON CONFLICT (execution, node, attempt) DO UPDATE SET version = excluded.version, state = excluded.state;

-- name: select_plugin_states
SELECT node, attempt, version, state FROM plugin_states WHERE execution = :execution;

-- name: delete_plugin_states
DELETE FROM plugin_states WHERE execution = :execution;

-- name: insert_signal
INSERT INTO signals (execution, signal, value) VALUES (:execution, :signal, :value) ON CONFLICT DO NOTHING;

-- name: select_signals
SELECT signal, value FROM signals WHERE execution = :execution;

-- name: select_cached_result
SELECT outputs, source, kept_at FROM cached_results WHERE key = :key AND kept_at >= :not_before;

-- name: upsert_cached_result
INSERT INTO cached_results (key, outputs, source, kept_at) VALUES (:key, :outputs, :source, :kept_at)
ON CONFLICT (key) DO UPDATE SET outputs = excluded.outputs, source = excluded.source, kept_at = excluded.kept_at;

-- name: upsert_cache_claim
INSERT INTO cache_claims (key, owner, until) VALUES (:key, :owner, :until)
ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE cache_claims.owner = excluded.owner OR cache_claims.until < :now;

-- name: delete_cache_claim
DELETE FROM cache_claims WHERE key = :key AND owner = :owner;
