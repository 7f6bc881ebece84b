-- What the webhooks of a server ask for when it starts, and when its memory has not got it.

-- name: remembered
-- Idempotency keys of executions accepted since, newest first: more than the limit are asked for one by one.
SELECT idempotency_key, execution_id, accepted_at FROM workflow_executions
WHERE idempotency_key IS NOT NULL AND accepted_at >= $since ORDER BY execution_id DESC LIMIT $most;

-- name: remembered_one
-- The newest execution with this key, whatever was sent with it.
SELECT idempotency_key, execution_id, accepted_at FROM workflow_executions
WHERE starts_with(idempotency_key, $beginning) AND accepted_at >= $since ORDER BY execution_id DESC LIMIT 1;

-- name: outcome
-- How an execution has ended, for a repeated request whose answer is not in memory any more.
SELECT status, outputs FROM workflow_executions WHERE execution_id = $execution_id::UUID;
