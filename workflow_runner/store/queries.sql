-- name: insert_execution
INSERT INTO executions (id, workflow, project, domain, phase, error, started_at, ended_at, owner)
VALUES (:id, :workflow, :project, :domain, :phase, :error, :started_at, :ended_at, :owner);

-- name: update_execution
UPDATE executions SET phase = :phase, error = :error, ended_at = :ended_at,
  owner = CASE WHEN :ended_at IS NULL THEN owner ELSE '' END
WHERE id = :id;

-- name: insert_event
INSERT INTO events (execution, number, event, commands) VALUES (:execution, :number, :event, :commands);

-- name: append_event
INSERT INTO events (execution, number, event, commands)
SELECT id, :number, :event, :commands FROM executions
WHERE id = :execution AND owner IN ('', :owner)
  AND :number = (SELECT coalesce(max(number) + 1, 0) FROM events WHERE execution = :execution);

-- name: select_head
SELECT (SELECT coalesce(max(number) + 1, 0) FROM events WHERE execution = :execution), owner
FROM executions WHERE id = :execution;

-- name: select_events
SELECT event, commands FROM events WHERE execution = :execution ORDER BY number;

-- name: select_many_events
SELECT execution, event, commands FROM events
WHERE execution IN (SELECT value FROM json_each(:executions)) ORDER BY execution, number;

-- name: select_execution
SELECT id, workflow, project, domain, phase, error, started_at, ended_at FROM executions WHERE id = :id;

-- name: select_executions
SELECT id, workflow, project, domain, phase, error, started_at, ended_at FROM executions
ORDER BY started_at DESC, id LIMIT :limit;

-- name: upsert_plugin_state
INSERT INTO plugin_states (execution, node, attempt, version, state)
SELECT id, :node, :attempt, :version, :state FROM executions WHERE id = :execution AND owner IN ('', :owner)
ON CONFLICT (execution, node, attempt) DO UPDATE SET version = excluded.version, state = excluded.state;

-- name: select_plugin_states
SELECT node, attempt, version, state FROM plugin_states WHERE execution = :execution;

-- name: select_many_plugin_states
SELECT execution, node, attempt, version, state FROM plugin_states
WHERE execution IN (SELECT value FROM json_each(:executions));

-- name: insert_signal
INSERT INTO signals (execution, signal, value) VALUES (:execution, :signal, :value)
ON CONFLICT (execution, signal) DO NOTHING;

-- name: select_signals
SELECT signal, value FROM signals WHERE execution = :execution;

-- name: select_cached_result
SELECT outputs, source, kept_at FROM cached_results WHERE key = :key AND kept_at >= :not_before;

-- name: select_cached_keys
SELECT key, source, kept_at, length(outputs) FROM cached_results
WHERE substr(key, 1, :length) = :prefix ORDER BY kept_at DESC, key LIMIT :limit;

-- name: delete_cached_results
DELETE FROM cached_results WHERE substr(key, 1, :length) = :prefix;

-- name: upsert_cached_result
INSERT INTO cached_results (key, outputs, source, kept_at) VALUES (:key, :outputs, :source, :kept_at)
ON CONFLICT (key) DO UPDATE SET outputs = excluded.outputs, source = excluded.source, kept_at = excluded.kept_at;

-- name: upsert_cache_claim
INSERT INTO cache_claims (key, owner, until) VALUES (:key, :owner, store_now() + :seconds)
ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE cache_claims.owner = excluded.owner OR cache_claims.until <= store_now();

-- name: delete_cache_claim
DELETE FROM cache_claims WHERE key = :key AND owner = :owner;

-- name: upsert_owner
INSERT INTO owners (owner, lease_until) VALUES (:owner, store_now() + :seconds)
ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until;

-- name: select_held
SELECT id FROM executions WHERE owner = :owner AND ended_at IS NULL;

-- name: lock_leases
SELECT 1;

-- name: take
UPDATE executions SET owner = :owner
WHERE id = :execution AND ended_at IS NULL AND (
  owner IN ('', :owner, :instead_of) OR owner NOT IN (SELECT owner FROM owners WHERE lease_until > store_now())
);

-- name: select_holder
SELECT executions.owner, coalesce(owners.lease_until - store_now(), 0)
FROM executions LEFT JOIN owners ON owners.owner = executions.owner WHERE executions.id = :execution;

-- name: take_free
UPDATE executions SET owner = :owner WHERE id IN (
  SELECT id FROM executions
  WHERE ended_at IS NULL AND owner <> :owner
    AND owner NOT IN (SELECT owner FROM owners WHERE lease_until > store_now())
    AND id NOT IN (SELECT value FROM json_each(:except_for))
  ORDER BY started_at LIMIT :limit
)
RETURNING id;

-- name: let_go
UPDATE executions SET owner = ''
WHERE id IN (SELECT value FROM json_each(:executions)) AND owner = :owner;

-- name: let_go_of_all
UPDATE executions SET owner = '' WHERE owner = :owner AND ended_at IS NULL;

-- name: delete_owner
DELETE FROM owners WHERE owner = :owner;

-- name: select_other_owners
SELECT owner, lease_until - store_now() FROM owners
WHERE owner <> :owner AND owner IN (SELECT owner FROM executions WHERE ended_at IS NULL);

-- name: delete_past_owners
DELETE FROM owners
WHERE lease_until < store_now() AND owner NOT IN (SELECT owner FROM executions WHERE ended_at IS NULL);
