-- What the server asks about executions. An execution without an organization was run outside the server (a notebook, the command line): it
-- belongs to the default organization, $home. $organizations: those whose executions may be seen.

-- name: listed
-- Newest first. $before: the last id of the previous page (ids are ordered by time). $since and $until: of the acceptance, UTC.
SELECT execution_id, workflow_id, version_id, flow, coalesce(organization_id, $home::UUID) AS organization_id, trigger, mode, source,
    user_name, status, parent_execution_id, accepted_at, started_at, finished_at, duration_ms, error_type, error_message, error_node,
    nodes_total, tokens_in, tokens_out, cost_usd
FROM workflow_executions
WHERE coalesce(organization_id, $home::UUID) IN (SELECT unnest($organizations::UUID[]))
    AND ($workflow_id::UUID IS NULL OR workflow_id = $workflow_id::UUID)
    AND ($status::VARCHAR IS NULL OR status::VARCHAR = $status)
    AND ($trigger::VARCHAR IS NULL OR trigger = $trigger)
    AND ($since::TIMESTAMP IS NULL OR coalesce(accepted_at, started_at) >= $since::TIMESTAMP)
    AND ($until::TIMESTAMP IS NULL OR coalesce(accepted_at, started_at) < $until::TIMESTAMP)
    AND ($before::UUID IS NULL OR execution_id < $before::UUID)
ORDER BY execution_id DESC LIMIT $limit;

-- name: one
-- One execution, whoever's it is, with what went in and came out.
SELECT execution_id, workflow_id, version_id, flow, coalesce(organization_id, $home::UUID) AS organization_id, trigger, mode, source,
    user_name, status, parent_execution_id, accepted_at, started_at, finished_at, duration_ms, error_type, error_message, error_node,
    nodes_total, tokens_in, tokens_out, cost_usd, input, outputs, host, pid
FROM workflow_executions WHERE execution_id = $execution_id::UUID;

-- name: its_nodes
-- The nodes of one execution in the order in which they ended, those numbered above $after.
SELECT seq, node_id, node_type, path, status, level, started_at, duration_ms, attempt, error_type, error_message,
    model, tokens_in, tokens_out, cost_usd, iterations, payload
FROM execution_logs WHERE execution_id = $execution_id::UUID AND seq > $after ORDER BY seq LIMIT $limit;

-- name: workspace_names
-- Names of workspaces, by id.
SELECT id, name FROM workspaces WHERE id IN (SELECT unnest($ids::UUID[]));

-- name: stats
-- The figures of the overview.
SELECT
    (SELECT count(*) FROM workflows WHERE organization_id IN (SELECT unnest($organizations::UUID[]))) AS total_workflows,
    (SELECT count(*) FROM workflows WHERE active AND organization_id IN (SELECT unnest($organizations::UUID[]))) AS active_workflows,
    count(*) FILTER (coalesce(accepted_at, started_at) >= $now::TIMESTAMP - INTERVAL 24 HOURS) AS executions_today,
    count(*) FILTER (status = 'completed') AS completed_7d,
    count(*) FILTER (status IN ('completed', 'failed')) AS ended_7d
FROM workflow_executions
WHERE coalesce(organization_id, $home::UUID) IN (SELECT unnest($organizations::UUID[]))
    AND coalesce(accepted_at, started_at) >= $now::TIMESTAMP - INTERVAL 7 DAYS;

-- name: by_status
-- How many executions there are in each state, of the whole project.
SELECT status::VARCHAR AS status, count(*) AS executions FROM workflow_executions GROUP BY status ORDER BY status;
