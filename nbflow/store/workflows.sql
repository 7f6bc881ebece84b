-- Workflows, their versions, and what their triggers register. `$organizations` NULL means all of them.
-- A `refuse_*` statement stands first in a transaction: it raises when the change must not be, and then nothing is done.

-- name: select_workflows
-- One page of workflows, newest first (ids are ordered by time). $before: the last id of the previous page.
SELECT w.id, w.organization_id, w.workspace_id, w.name, w.description, w.definition, w.flow_hash, w.version, v.id AS version_id, w.active, w.tags,
    w.settings, w.module, w.created_by, w.created_at, w.updated_at
FROM workflows AS w LEFT JOIN workflow_versions AS v ON v.workflow_id = w.id AND v.version = w.version
WHERE ($organizations::UUID[] IS NULL OR list_contains($organizations::UUID[], w.organization_id))
    AND ($id::UUID IS NULL OR w.id = $id::UUID)
    AND ($name::VARCHAR IS NULL OR w.name = $name)
    AND ($search::VARCHAR IS NULL OR contains(lower(w.name), lower($search)) OR contains(lower(w.description), lower($search)))
    AND ($tag::VARCHAR IS NULL OR list_contains(w.tags, $tag))
    AND ($active::BOOLEAN IS NULL OR w.active = $active)
    AND ($before::UUID IS NULL OR w.id < $before::UUID)
ORDER BY w.id DESC LIMIT $limit;

-- name: select_versions
-- All versions of a workflow, newest first; or the one of this number, or of this id.
SELECT id, workflow_id, version, name, definition, flow_hash, module, comment, created_by, created_at
FROM workflow_versions
WHERE workflow_id = $workflow_id::UUID AND ($version::INTEGER IS NULL OR version = $version) AND ($id::UUID IS NULL OR id = $id::UUID)
ORDER BY version DESC;

-- name: select_webhooks
-- The registry. `name` and organization are the workflow's.
SELECT r.workflow_id, w.name AS workflow, w.organization_id, r.node_id, r.path, r.method, r.config, r.active
FROM webhook_registry AS r JOIN workflows AS w ON w.id = r.workflow_id
WHERE ($organizations::UUID[] IS NULL OR list_contains($organizations::UUID[], w.organization_id))
ORDER BY r.path, r.method, r.workflow_id;

-- name: refuse_other_version
-- Somebody has changed or deleted the workflow since it was read.
SELECT CASE WHEN NOT EXISTS (FROM workflows WHERE id = $id::UUID AND version = $version AND updated_at = $updated_at::TIMESTAMP)
    THEN error('nbflow:conflict') END;

-- name: refuse_webhook_clash
-- An active workflow answers this method on a path of the same shape.
SELECT CASE WHEN EXISTS (
    FROM webhook_registry
    WHERE active AND workflow_id <> $workflow_id::UUID AND method = $method AND regexp_replace(path, ':[^/]+', ':', 'g') = $shape
) THEN error('nbflow:clash') END;

-- name: select_clashes
-- Routes of other active workflows with one of these methods; `shape` is the path without the names of its parameters.
SELECT r.method, regexp_replace(r.path, ':[^/]+', ':', 'g') AS shape, w.name AS workflow, w.organization_id
FROM webhook_registry AS r JOIN workflows AS w ON w.id = r.workflow_id
WHERE r.active AND r.workflow_id IS DISTINCT FROM $workflow_id::UUID AND list_contains($methods::VARCHAR[], r.method);

-- name: insert_workflow
INSERT INTO workflows BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $workspace_id::UUID AS workspace_id, $name AS name, $description AS description,
    $definition::JSON AS definition, $flow_hash AS flow_hash, $version::INTEGER AS version, $active::BOOLEAN AS active, $tags::VARCHAR[] AS tags,
    $settings::JSON AS settings, $module::JSON AS module, $created_by::UUID AS created_by, $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at;

-- name: insert_version
INSERT INTO workflow_versions BY NAME
SELECT $id::UUID AS id, $workflow_id::UUID AS workflow_id, $version::INTEGER AS version, $name AS name, $definition::JSON AS definition,
    $flow_hash AS flow_hash, $module::JSON AS module, $comment AS comment, $created_by::UUID AS created_by, $now::TIMESTAMP AS created_at;

-- name: update_workflow
UPDATE workflows SET name = $name, description = $description, definition = $definition::JSON, flow_hash = $flow_hash, version = $version,
    active = $active, tags = $tags::VARCHAR[], settings = $settings::JSON, module = $module::JSON, updated_at = $now::TIMESTAMP
WHERE id = $id::UUID;

-- name: update_version_layout
-- The same definition, its nodes moved.
UPDATE workflow_versions SET definition = $definition::JSON WHERE workflow_id = $workflow_id::UUID AND version = $version;

-- name: register_webhook
INSERT INTO webhook_registry BY NAME
SELECT $workflow_id::UUID AS workflow_id, $node_id AS node_id, $path AS path, $method AS method, $config::JSON AS config, $active::BOOLEAN AS active,
    $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at
ON CONFLICT (workflow_id, node_id, method)
DO UPDATE SET path = EXCLUDED.path, config = EXCLUDED.config, active = EXCLUDED.active, updated_at = EXCLUDED.updated_at;

-- name: drop_webhooks
-- All of the workflow but those in $kept (`node method`).
DELETE FROM webhook_registry WHERE workflow_id = $workflow_id::UUID AND NOT list_contains($kept::VARCHAR[], node_id || ' ' || method);

-- name: insert_schedule
INSERT INTO schedules BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $workflow_id::UUID AS workflow_id, $flow AS flow, $node_id AS node_id,
    $cron AS cron, $interval_seconds::DOUBLE AS interval_seconds, $timezone AS timezone, $config::JSON AS config, $active::BOOLEAN AS active,
    $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at;

-- name: update_schedule
-- A changed rule makes the next start unknown again; the scheduler works it out.
UPDATE schedules SET flow = $flow, cron = $cron, interval_seconds = $interval_seconds, timezone = $timezone, config = $config::JSON, active = $active,
    next_run_at = CASE WHEN config = $config::JSON AND timezone = $timezone THEN next_run_at END, updated_at = $now::TIMESTAMP
WHERE workflow_id = $workflow_id::UUID AND node_id = $node_id;

-- name: drop_schedules
-- All of the workflow but those of the nodes in $kept.
DELETE FROM schedules WHERE workflow_id = $workflow_id::UUID AND NOT list_contains($kept::VARCHAR[], node_id);

-- name: select_schedules
-- Which nodes of a workflow have a schedule.
SELECT node_id FROM schedules WHERE workflow_id = $workflow_id::UUID;

-- name: delete_alert_history
DELETE FROM alert_history WHERE alert_id IN (SELECT id FROM alerts WHERE workflow_id = $id::UUID);

-- name: delete_alerts
DELETE FROM alerts WHERE workflow_id = $id::UUID;

-- name: delete_logs
DELETE FROM execution_logs WHERE workflow_id = $id::UUID OR execution_id IN (SELECT execution_id FROM workflow_executions WHERE workflow_id = $id::UUID);

-- name: delete_events
DELETE FROM execution_events WHERE execution_id IN (SELECT execution_id FROM workflow_executions WHERE workflow_id = $id::UUID);

-- name: delete_artifacts
-- The files themselves go with the next `prune`, which looks for those that nothing needs.
DELETE FROM artifacts WHERE execution_id IN (SELECT execution_id FROM workflow_executions WHERE workflow_id = $id::UUID);

-- name: delete_executions
DELETE FROM workflow_executions WHERE workflow_id = $id::UUID;

-- name: delete_webhooks
DELETE FROM webhook_registry WHERE workflow_id = $id::UUID;

-- name: delete_schedules
DELETE FROM schedules WHERE workflow_id = $id::UUID;

-- name: delete_versions
DELETE FROM workflow_versions WHERE workflow_id = $id::UUID;

-- name: delete_workflow
DELETE FROM workflows WHERE id = $id::UUID;
