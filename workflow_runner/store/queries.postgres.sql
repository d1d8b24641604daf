-- name: insert_execution
WITH made AS (
  INSERT INTO executions (id, workflow, project, domain, phase, error, started_at, ended_at, owner, following)
  VALUES (:id, :workflow, :project, :domain, :phase, :error, :started_at, :ended_at, :owner, cardinality(:events::bytea[]))
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), written AS (
  INSERT INTO events (execution, number, event, commands)
  SELECT made.id, record.number - 1, record.event, record.commands
  FROM made, unnest(:events::bytea[], :commands::bytea[]) WITH ORDINALITY AS record (event, commands, number)
)
SELECT id FROM made;

-- name: append
WITH asked AS (
  SELECT * FROM unnest(
    :executions::text[], :numbers::bigint[], :counts::bigint[],
    :phases::text[], :errors::text[], :ends::double precision[]
  ) AS asked (execution, number, count, phase, error, ended_at)
), taken AS (
  UPDATE executions SET
    following = asked.number + asked.count,
    phase = coalesce(asked.phase, executions.phase),
    error = coalesce(asked.error, executions.error),
    ended_at = coalesce(asked.ended_at, executions.ended_at),
    owner = CASE WHEN asked.ended_at IS NULL THEN executions.owner ELSE '' END
  FROM asked
  WHERE executions.id = asked.execution AND executions.following = asked.number
    AND executions.owner IN ('', :owner)
  RETURNING executions.id
), written AS (
  INSERT INTO events (execution, number, event, commands)
  SELECT taken.id, record.number, record.event, record.commands
  FROM unnest(
    :record_executions::text[], :record_numbers::bigint[], :events::bytea[], :commands::bytea[]
  ) AS record (execution, number, event, commands)
  JOIN taken ON taken.id = record.execution
)
SELECT id FROM taken;

-- name: select_head
SELECT following, owner FROM executions WHERE id = :execution;

-- name: select_records
SELECT event, commands FROM events WHERE execution = :execution AND number >= :number ORDER BY number LIMIT :limit;

-- name: select_many_events
SELECT execution, event, commands FROM events
WHERE execution IN (SELECT json_array_elements_text(:executions::text::json)) ORDER BY execution, number;

-- name: upsert_plugin_state
INSERT INTO plugin_states (execution, node, attempt, version, state)
SELECT id, :node::text, :attempt::bigint, :version::bigint, :state::bytea
FROM executions WHERE id = :execution AND owner IN ('', :owner)
ON CONFLICT (execution, node, attempt) DO UPDATE SET version = excluded.version, state = excluded.state;

-- name: select_many_plugin_states
SELECT execution, node, attempt, version, state FROM plugin_states
WHERE execution IN (SELECT json_array_elements_text(:executions::text::json));

-- name: lock_leases
SELECT pg_advisory_xact_lock(7166488604517560681);

-- name: take_free
UPDATE executions SET owner = :owner WHERE id IN (
  SELECT id FROM executions
  WHERE ended_at IS NULL AND owner <> :owner
    AND owner NOT IN (SELECT owner FROM owners WHERE lease_until > store_now())
    AND id NOT IN (SELECT json_array_elements_text(:except_for::text::json))
  ORDER BY started_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING id;

-- name: let_go
UPDATE executions SET owner = ''
WHERE id IN (SELECT json_array_elements_text(:executions::text::json)) AND owner = :owner;
