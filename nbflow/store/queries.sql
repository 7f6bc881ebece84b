-- What nbflow itself asks of its history. Each name says what comes back; `$name` are parameters, NULL means "any".

-- name: list_executions
-- Newest first. $before: the execution_id of the last row of the previous page (ids are ordered by time).
SELECT execution_id, workflow_id, flow, flow_hash, version_id, trigger, mode, source, user_name, host, pid, parent_execution_id,
    status, input, outputs, accepted_at, started_at, finished_at, duration_ms, error_type, error_message, error_node,
    nodes_total, tokens_in, tokens_out, cost_usd
FROM workflow_executions
WHERE ($flow::VARCHAR IS NULL OR flow = $flow)
    AND ($workflow_id::UUID IS NULL OR workflow_id = $workflow_id::UUID)
    AND ($status::VARCHAR IS NULL OR status::VARCHAR = $status)
    AND ($since::TIMESTAMP IS NULL OR coalesce(accepted_at, started_at) >= $since::TIMESTAMP)
    AND ($before::UUID IS NULL OR execution_id < $before::UUID)
ORDER BY execution_id DESC LIMIT $limit;

-- name: find_executions
-- At most ten executions whose ids lie between $low and $high: a whole id, or the range that a beginning spans.
SELECT execution_id, workflow_id, flow, flow_hash, version_id, trigger, mode, source, user_name, host, pid, parent_execution_id,
    status, input, outputs, accepted_at, started_at, finished_at, duration_ms, error_type, error_message, error_node,
    nodes_total, tokens_in, tokens_out, cost_usd
FROM workflow_executions WHERE execution_id BETWEEN $low::UUID AND $high::UUID ORDER BY execution_id LIMIT 10;

-- name: its_nodes
-- The nodes of one execution, in the order in which they ended.
SELECT execution_id, seq, node_id, node_type, path, status, level, started_at, duration_ms, attempt, error_type, error_message,
    model, tokens_in, tokens_out, cost_usd, iterations, payload
FROM execution_logs WHERE execution_id = $execution_id::UUID ORDER BY seq;

-- name: its_events
-- What was told of one execution, in order.
SELECT execution_id, kind, ts, node_id, path, status, data FROM execution_events WHERE execution_id = $execution_id::UUID ORDER BY ts, kind;

-- name: its_request
-- What another process would need to run it; null for executions that no server accepted.
SELECT request FROM workflow_executions WHERE execution_id = $execution_id::UUID;

-- name: flow_document
-- The document of this content hash.
SELECT document FROM flow_documents WHERE hash = $hash LIMIT 1;
