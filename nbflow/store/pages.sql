-- What the server's pages show. $organizations: the ids of those whose executions the visitor may see; $home: the organization
-- to which executions belong that were started outside the server (in notebooks, by the command line).

-- name: page_executions
-- The newest executions, without what they were given and what they gave. $text is looked for in the flow's name, the error and the id.
SELECT execution_id, flow, workflow_id, status, trigger, source, accepted_at, started_at, finished_at, duration_ms, nodes_total,
    error_type, left(error_message, 300) AS error_message, error_node
FROM workflow_executions
WHERE list_contains($organizations::UUID[], coalesce(organization_id, $home::UUID))
    AND ($status::VARCHAR IS NULL OR status::VARCHAR = $status
        OR ($status = 'active' AND status IN ('pending', 'running', 'waiting')))
    AND ($text::VARCHAR IS NULL OR contains(lower(flow), lower($text)) OR contains(lower(error_message), lower($text))
        OR starts_with(execution_id::VARCHAR, lower($text)))
ORDER BY execution_id DESC LIMIT $limit;

-- name: page_counts
-- How many executions of each status there were since $since; whatever still runs counts, however old.
SELECT status, count(*) AS executions FROM workflow_executions
WHERE list_contains($organizations::UUID[], coalesce(organization_id, $home::UUID)) AND accepted_at >= $since::TIMESTAMP
GROUP BY status;

-- name: page_execution
-- Where one execution belongs, and what can be done with it.
SELECT coalesce(organization_id, $home::UUID) AS organization_id, workflow_id, status, request IS NOT NULL AS repeatable, parent_execution_id, user_name
FROM workflow_executions WHERE execution_id = $execution_id::UUID;
