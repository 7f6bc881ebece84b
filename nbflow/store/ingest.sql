-- How a slice of a journal becomes rows. All statements of one slice run in one transaction, in this order.
-- Times in records are integers: nanoseconds since the epoch, UTC; durations are nanoseconds.

-- name: stage
-- One row per journal line. `from_json` gives NULL where a value does not fit, and raises where a line is not JSON.
CREATE OR REPLACE TEMP TABLE batch AS
SELECT r.*, make_timestamp(r.ts // 1000) AS at_utc, line
FROM (
    SELECT line, from_json(line, '{
        "k": "VARCHAR", "execution_id": "UUID", "ts": "BIGINT", "hash": "VARCHAR", "name": "VARCHAR", "document": "JSON",
        "flow": "VARCHAR", "flow_hash": "VARCHAR", "workflow_id": "UUID", "version_id": "UUID", "trigger": "VARCHAR", "mode": "VARCHAR",
        "source": "VARCHAR", "user": "VARCHAR", "host": "VARCHAR", "pid": "BIGINT", "parent_execution_id": "UUID", "input": "JSON",
        "seq": "BIGINT", "node_id": "VARCHAR", "node_type": "VARCHAR", "path": "VARCHAR", "status": "VARCHAR", "level": "VARCHAR",
        "started": "BIGINT", "duration": "BIGINT", "attempt": "INTEGER", "error_type": "VARCHAR", "error_message": "VARCHAR",
        "error_node": "VARCHAR", "model": "VARCHAR", "tokens_in": "BIGINT", "tokens_out": "BIGINT", "cost_usd": "DOUBLE",
        "iterations": "BIGINT", "payload": "JSON", "outputs": "JSON", "digest": "VARCHAR", "size_bytes": "BIGINT"
    }') AS r
    FROM (SELECT unnest(string_split($lines, chr(10))) AS line)
);

-- name: quarantine_unknown
-- Lines that are JSON and yet not a record that this version knows.
INSERT INTO quarantine
SELECT $file, $off, line, 'not a record that this nbflow knows', now() FROM batch
WHERE coalesce(k, '') NOT IN ('flow', 'accepted', 'started', 'node_started', 'node', 'finished', 'artifact')
    OR (k <> 'flow' AND execution_id IS NULL) OR (k = 'flow' AND hash IS NULL) OR (k = 'artifact' AND digest IS NULL);

-- name: insert_flows
-- A flow document is kept once per content.
INSERT INTO flow_documents BY NAME
SELECT hash, any_value(name) AS name, any_value(document) AS document, min(at_utc) AS first_seen_at
FROM batch WHERE k = 'flow' AND hash IS NOT NULL AND hash NOT IN (SELECT hash FROM flow_documents) GROUP BY hash;

-- name: insert_events
-- What was told, never changed.
INSERT INTO execution_events BY NAME
SELECT execution_id, k AS kind, at_utc AS ts, node_id, path, status, line AS data
FROM batch WHERE k IN ('accepted', 'started', 'node_started', 'finished') AND execution_id IS NOT NULL;

-- name: fold
-- Everything that this slice says of one execution, as one row. `owned`: the slice's writer accepted or started it.
CREATE OR REPLACE TEMP TABLE change AS
SELECT execution_id,
    any_value(flow) FILTER (k = 'accepted') AS flow, any_value(flow_hash) FILTER (k = 'accepted') AS flow_hash,
    any_value(workflow_id) FILTER (k = 'accepted') AS workflow_id, any_value(version_id) FILTER (k = 'accepted') AS version_id,
    any_value(trigger) FILTER (k = 'accepted') AS trigger, any_value(mode) FILTER (k = 'accepted') AS mode,
    any_value(source) FILTER (k = 'accepted') AS source, any_value("user") FILTER (k = 'accepted') AS user_name,
    any_value(host) FILTER (k = 'accepted') AS host, any_value(pid) FILTER (k = 'accepted') AS pid,
    any_value(parent_execution_id) FILTER (k = 'accepted') AS parent_execution_id, any_value(input) FILTER (k = 'accepted') AS input,
    bool_or(k = 'accepted') AS accepted, bool_or(k = 'started') AS started,
    min(at_utc) FILTER (k = 'accepted') AS accepted_at, min(at_utc) FILTER (k = 'started') AS started_at,
    max(at_utc) FILTER (k = 'finished') AS finished_at,
    arg_max(status, ts) FILTER (k = 'finished')::execution_status AS ended,
    arg_max(duration, ts) FILTER (k = 'finished') / 1e6 AS duration_ms, any_value(outputs) FILTER (k = 'finished') AS outputs,
    any_value(error_type) FILTER (k = 'finished') AS error_type, any_value(error_message) FILTER (k = 'finished') AS error_message,
    any_value(error_node) FILTER (k = 'finished') AS error_node,
    count(*) FILTER (k = 'node') AS nodes_total, coalesce(sum(tokens_in) FILTER (k = 'node'), 0)::BIGINT AS tokens_in,
    coalesce(sum(tokens_out) FILTER (k = 'node'), 0)::BIGINT AS tokens_out, sum(cost_usd) FILTER (k = 'node') AS cost_usd,
    -- Begun again after its end in this very slice: retried from a checkpoint, resumed.
    coalesce(max(ts) FILTER (k = 'started') > max(ts) FILTER (k = 'finished'), bool_or(k = 'started')) AS goes_on
FROM batch WHERE k IN ('accepted', 'started', 'node', 'finished') AND execution_id IS NOT NULL GROUP BY execution_id;

-- name: update_executions
-- Executions known from earlier slices. A start after an end (a resume, or a mistaken end) makes it run again.
UPDATE workflow_executions AS e SET
    status = CASE
        WHEN c.goes_on AND (e.finished_at IS NULL OR c.started_at > e.finished_at) THEN 'running'
        WHEN c.ended IS NOT NULL THEN c.ended ELSE e.status END,
    started_at = coalesce(e.started_at, c.started_at),
    finished_at = CASE WHEN c.goes_on AND c.started_at > e.finished_at THEN NULL ELSE coalesce(c.finished_at, e.finished_at) END,
    duration_ms = coalesce(c.duration_ms, e.duration_ms), outputs = coalesce(c.outputs, e.outputs),
    error_type = CASE WHEN c.ended IS NOT NULL OR c.started THEN c.error_type ELSE e.error_type END,
    error_message = CASE WHEN c.ended IS NOT NULL OR c.started THEN c.error_message ELSE e.error_message END,
    error_node = CASE WHEN c.ended IS NOT NULL OR c.started THEN c.error_node ELSE e.error_node END,
    journal = CASE WHEN c.started THEN $writer ELSE coalesce(e.journal, $writer) END,
    nodes_total = e.nodes_total + c.nodes_total, tokens_in = e.tokens_in + c.tokens_in, tokens_out = e.tokens_out + c.tokens_out,
    cost_usd = CASE WHEN c.cost_usd IS NULL THEN e.cost_usd ELSE coalesce(e.cost_usd, 0) + c.cost_usd END
FROM change AS c WHERE e.execution_id = c.execution_id;

-- name: complete_executions
-- The acceptance came after the first events: it was written by another process, whose journal was read later.
UPDATE workflow_executions AS e SET
    flow = c.flow, flow_hash = c.flow_hash, workflow_id = c.workflow_id, version_id = c.version_id, trigger = c.trigger, mode = c.mode,
    source = c.source, user_name = c.user_name, host = c.host, pid = c.pid, parent_execution_id = c.parent_execution_id, input = c.input,
    accepted_at = c.accepted_at
FROM change AS c WHERE c.accepted AND e.execution_id = c.execution_id AND e.accepted_at IS NULL
RETURNING e.execution_id;

-- name: complete_logs
-- The same for rows of nodes that came before the acceptance.
UPDATE execution_logs AS l SET flow = c.flow, workflow_id = c.workflow_id
FROM change AS c WHERE c.accepted AND l.execution_id = c.execution_id;

-- name: insert_executions
-- Executions seen for the first time.
INSERT INTO workflow_executions BY NAME
SELECT execution_id, workflow_id, flow, flow_hash, version_id, trigger, mode, source, user_name, host, pid, parent_execution_id,
    $writer AS journal, (CASE WHEN goes_on THEN 'running' WHEN ended IS NOT NULL THEN ended WHEN accepted AND NOT started AND nodes_total = 0 THEN 'pending' ELSE 'running' END)::execution_status AS status,
    input, outputs, accepted_at, started_at, CASE WHEN goes_on THEN NULL ELSE finished_at END AS finished_at, duration_ms,
    error_type, error_message, error_node, nodes_total, tokens_in, tokens_out, cost_usd
FROM change AS c ANTI JOIN workflow_executions AS e USING (execution_id)
ORDER BY execution_id;

-- name: insert_logs
-- One row per node that ended, with its execution's names.
INSERT INTO execution_logs BY NAME
SELECT b.execution_id, e.workflow_id, e.flow, b.seq, b.node_id, b.node_type, coalesce(b.path, '') AS path, b.status::node_status AS status,
    coalesce(b.level, 'info')::log_level AS level, make_timestamp(b.started // 1000) AS started_at, b.duration / 1e6 AS duration_ms,
    b.attempt, b.error_type, b.error_message, b.model, b.tokens_in, b.tokens_out, b.cost_usd, b.iterations, b.payload
FROM batch AS b LEFT JOIN workflow_executions AS e ON b.execution_id = e.execution_id
WHERE b.k = 'node' AND b.execution_id IS NOT NULL;

-- name: insert_artifacts
-- Which execution needs which file.
INSERT INTO artifacts BY NAME
SELECT digest, execution_id, any_value(size_bytes) AS size_bytes, min(at_utc) AS created_at
FROM batch WHERE k = 'artifact' AND execution_id IS NOT NULL AND digest IS NOT NULL GROUP BY digest, execution_id;

-- name: move_offset
-- In the same transaction: this is what makes it exactly once.
UPDATE ingest_offsets SET off = $off, ingested_at = now() WHERE file = $file RETURNING file;

-- name: first_offset
-- The first slice of a file.
INSERT INTO ingest_offsets VALUES ($file, $off, now());

-- name: all_offsets
-- How far each file was read, when an owner begins.
SELECT file, max(off) FROM ingest_offsets GROUP BY file;

-- name: forget_offset
-- After the file is gone, never before: without an offset it would be read again.
DELETE FROM ingest_offsets WHERE file = $file;

-- name: quarantine_line
-- A line that breaks its slice.
INSERT INTO quarantine VALUES ($file, $off, $line, $error, now());
