-- Executions whose process is gone. They end as failed, with a row for each node that was seen running.

-- name: writers
-- Journals (writers) that executions without an end belong to.
SELECT DISTINCT journal FROM workflow_executions WHERE finished_at IS NULL AND journal IS NOT NULL;

-- name: find
-- The unended executions of one writer. Waiting ones are suspended on purpose and belong to nobody. Those that a server accepted and never
-- started have lost nothing: the next server runs them, by what was kept in `request`.
CREATE OR REPLACE TEMP TABLE orphan AS
SELECT execution_id, flow, workflow_id, now()::TIMESTAMP AS at_utc, coalesce(started_at, accepted_at) AS since,
    'interrupted: the process that ran it is gone (' || coalesce(host, 'host unknown') || ', pid ' || coalesce(pid::VARCHAR, 'unknown') || ')' AS message
FROM workflow_executions WHERE journal = $writer AND finished_at IS NULL AND status <> 'waiting'
    AND NOT (status = 'pending' AND started_at IS NULL AND request IS NOT NULL);

-- name: count
-- How many there are.
SELECT count(*) FROM orphan;

-- name: number
-- The number of each one's last record: what is told now goes on from there, so that a reader who has come so far sees it.
CREATE OR REPLACE TEMP TABLE orphan_last AS
SELECT execution_id, max(seq) AS last FROM (
    SELECT execution_id, -1 AS seq FROM orphan
    UNION ALL SELECT execution_id, seq FROM execution_logs WHERE execution_id IN (SELECT execution_id FROM orphan)
    UNION ALL SELECT execution_id, (data ->> '$.seq')::BIGINT FROM execution_events WHERE execution_id IN (SELECT execution_id FROM orphan)
) GROUP BY execution_id;

-- name: end_nodes
-- Nodes that began and never ended.
INSERT INTO execution_logs BY NAME
SELECT o.execution_id, o.workflow_id, o.flow, n.last + row_number() OVER (PARTITION BY o.execution_id ORDER BY b.ts) AS seq,
    b.node_id, NULL AS node_type, b.path, 'failed'::node_status AS status, 'error'::log_level AS level, b.ts AS started_at,
    date_diff('microsecond', b.ts, o.at_utc) / 1e3 AS duration_ms, 1 AS attempt, 'Interrupted' AS error_type, o.message AS error_message
FROM orphan AS o
JOIN (SELECT execution_id, node_id, coalesce(path, '') AS path, max(ts) AS ts FROM execution_events
      WHERE kind = 'node_started' AND execution_id IN (SELECT execution_id FROM orphan) GROUP BY ALL) AS b ON b.execution_id = o.execution_id
JOIN orphan_last AS n ON n.execution_id = o.execution_id
WHERE NOT EXISTS (SELECT 1 FROM execution_logs AS l WHERE l.execution_id = b.execution_id AND l.node_id = b.node_id AND l.path = b.path);

-- name: tell
-- The end belongs to what was told.
INSERT INTO execution_events BY NAME
SELECT o.execution_id, 'finished' AS kind, at_utc AS ts, 'failed' AS status,
    json_object('k', 'finished', 'status', 'failed', 'error_type', 'Interrupted', 'error_message', message, 'seq', n.last + 1 + (
        SELECT count(*) FROM execution_logs AS l WHERE l.execution_id = o.execution_id AND l.seq > n.last)) AS data
FROM orphan AS o JOIN orphan_last AS n ON n.execution_id = o.execution_id;

-- name: end_executions
-- The executions themselves.
UPDATE workflow_executions AS e SET
    status = 'failed', finished_at = o.at_utc, duration_ms = date_diff('microsecond', o.since, o.at_utc) / 1e3,
    error_type = 'Interrupted', error_message = o.message,
    error_node = (SELECT max(l.node_id) FROM execution_logs AS l WHERE l.execution_id = o.execution_id AND l.error_type = 'Interrupted')
FROM orphan AS o WHERE e.execution_id = o.execution_id;
