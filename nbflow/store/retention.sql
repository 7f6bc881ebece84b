-- Which executions to remove, and removing them. An execution without an end is never removed.

-- name: by_age
-- Accepted before a moment.
SELECT execution_id FROM workflow_executions WHERE finished_at IS NOT NULL AND coalesce(accepted_at, started_at, finished_at) < $before;

-- name: by_count
-- All ended ones but the newest.
SELECT execution_id FROM workflow_executions WHERE finished_at IS NOT NULL
ORDER BY coalesce(accepted_at, started_at, finished_at) DESC, execution_id DESC OFFSET $keep;

-- name: oldest_share
-- The oldest part of all ended ones; $share from 0 to 1.
SELECT execution_id FROM (
    SELECT execution_id, row_number() OVER (ORDER BY coalesce(accepted_at, started_at, finished_at), execution_id) AS age_rank, count(*) OVER () AS total
    FROM workflow_executions WHERE finished_at IS NOT NULL
) WHERE age_rank <= ceil(total * $share);

-- name: artifacts_of_victims
-- Files that may be needed no more.
SELECT DISTINCT digest FROM artifacts WHERE execution_id IN (SELECT execution_id FROM victim);

-- name: delete_logs
DELETE FROM execution_logs WHERE execution_id IN (SELECT execution_id FROM victim);

-- name: delete_events
DELETE FROM execution_events WHERE execution_id IN (SELECT execution_id FROM victim);

-- name: delete_artifacts
DELETE FROM artifacts WHERE execution_id IN (SELECT execution_id FROM victim);

-- name: delete_executions
DELETE FROM workflow_executions WHERE execution_id IN (SELECT execution_id FROM victim);

-- name: delete_requests
-- A client gives up long before a day is over.
DELETE FROM applied_requests WHERE ts < now() - INTERVAL 1 DAY;

-- name: needed_artifacts
-- Files that an execution still needs.
SELECT DISTINCT digest FROM artifacts;
