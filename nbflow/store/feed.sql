-- What the live feed asks of the store, once a tick for all who listen.

-- name: news
-- For each watched execution the records numbered above what was seen, in order, then one row of kind 'state': its status now, NULL when it
-- is not (any more) there. $ids and $seen are parallel lists. A record without a number (written by another hand than the execution's own)
-- is not among them; the state tells of it.
WITH watched AS (
    SELECT unnest($ids::UUID[]) AS execution_id, unnest($seen::BIGINT[]) AS seen
), told AS (
    SELECT w.execution_id, coalesce((e.data ->> '$.seq')::BIGINT, CASE WHEN e.kind = 'accepted' THEN 0 END) AS seq,
        e.kind, e.ts, e.node_id, e.path, e.status, e.data, w.seen
    FROM execution_events AS e JOIN watched AS w ON e.execution_id = w.execution_id
    WHERE e.execution_id >= $oldest::UUID
), ended AS (
    SELECT w.execution_id, l.seq, 'node' AS kind, l.started_at + to_microseconds((l.duration_ms * 1000)::BIGINT) AS ts, l.node_id, l.path, l.status::VARCHAR AS status,
        json_object('node_type', l.node_type, 'level', l.level, 'duration_ms', l.duration_ms, 'attempt', l.attempt, 'error_type', l.error_type,
            'error_message', l.error_message, 'model', l.model, 'tokens_in', l.tokens_in, 'tokens_out', l.tokens_out, 'cost_usd', l.cost_usd,
            'iterations', l.iterations) AS data, w.seen
    FROM execution_logs AS l JOIN watched AS w ON l.execution_id = w.execution_id
    WHERE l.execution_id >= $oldest::UUID
), states AS (
    SELECT w.execution_id, NULL::BIGINT AS seq, 'state' AS kind, x.finished_at AS ts, x.error_node AS node_id, NULL::VARCHAR AS path,
        x.status::VARCHAR AS status,
        json_object('duration_ms', x.duration_ms, 'error_type', x.error_type, 'error_message', x.error_message) AS data, w.seen
    FROM watched AS w LEFT JOIN workflow_executions AS x ON x.execution_id = w.execution_id
), news AS (
    SELECT * FROM (SELECT * FROM told UNION ALL SELECT * FROM ended) WHERE seq > seen
    QUALIFY row_number() OVER (PARTITION BY execution_id ORDER BY seq) <= $most
)
SELECT execution_id, seq, kind, ts, node_id, path, status, data FROM (SELECT * FROM news UNION ALL SELECT * FROM states)
ORDER BY execution_id, seq NULLS LAST;
