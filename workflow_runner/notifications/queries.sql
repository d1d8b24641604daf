-- name: ended
SELECT c.id, c.project, c.domain, c.name, c.request, c.workflow, c.launch_plan, e.phase, e.error, e.started_at, e.ended_at,
  coalesce(n.sent, 0)
FROM executions AS e
JOIN control_executions AS c ON c.id = e.id
LEFT JOIN notifications AS n ON n.id = c.id
WHERE e.ended_at > store_now() - :back AND (n.id IS NULL OR (n.settled = 0 AND n.due_at <= store_now()))
ORDER BY e.ended_at
LIMIT :most;

-- name: claim
INSERT INTO notifications (id, due_at, tries, sent, settled) VALUES (:id, store_now() + :hold, 1, 0, 0)
ON CONFLICT (id) DO UPDATE SET due_at = store_now() + :hold, tries = notifications.tries + 1
WHERE notifications.settled = 0 AND notifications.due_at <= store_now();

-- name: tries
SELECT tries FROM notifications WHERE id = :id;

-- name: sent
UPDATE notifications SET sent = :sent, due_at = store_now() + :hold WHERE id = :id;

-- name: put_off
UPDATE notifications SET due_at = store_now() + :seconds WHERE id = :id;

-- name: settle
UPDATE notifications SET settled = 1 WHERE id = :id;
