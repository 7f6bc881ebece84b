-- Short names for `nbflow.sql`.
CREATE VIEW executions AS
SELECT execution_id, flow, status, trigger, source, user_name, started_at, finished_at, duration_ms, nodes_total, error_type, error_message, error_node,
    tokens_in, tokens_out, cost_usd, input, outputs, accepted_at, workflow_id, parent_execution_id
FROM workflow_executions;
CREATE VIEW nodes AS
SELECT execution_id, flow, node_id, node_type, path, status, started_at, duration_ms, attempt, error_type, error_message,
    model, tokens_in, tokens_out, cost_usd, iterations, payload, seq, workflow_id
FROM execution_logs;
