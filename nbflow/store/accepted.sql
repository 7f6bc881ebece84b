-- Executions that a server accepted: what a restart takes up, and what a retry repeats.

-- name: pending
-- Accepted and never started, oldest first.
SELECT execution_id, workflow_id, version_id, flow_hash, trigger, mode, source, user_name, parent_execution_id, organization_id,
    idempotency_key, request, status
FROM workflow_executions WHERE status = 'pending' AND started_at IS NULL AND request IS NOT NULL ORDER BY execution_id;

-- name: interrupted
-- Ended because their process was gone, and not run again since. A request that was too long for a row has to be read to know what it says.
SELECT execution_id, workflow_id, version_id, flow_hash, trigger, mode, source, user_name, parent_execution_id, organization_id,
    idempotency_key, request, status
FROM workflow_executions AS e
WHERE status = 'failed' AND error_type = 'Interrupted' AND (request ->> '$.on_interrupt' = 'run_again' OR contains(request::VARCHAR, '"$artifact"'))
    AND NOT EXISTS (SELECT 1 FROM workflow_executions AS again WHERE again.parent_execution_id = e.execution_id)
ORDER BY execution_id;

-- name: one
-- One execution.
SELECT execution_id, workflow_id, version_id, flow_hash, trigger, mode, source, user_name, parent_execution_id, organization_id,
    idempotency_key, request, status
FROM workflow_executions WHERE execution_id = $execution_id::UUID;

-- name: publishes_code
-- Whether an active workflow has Python functions.
SELECT count(*) > 0 FROM workflows WHERE active AND module IS NOT NULL;
