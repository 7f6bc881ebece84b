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
        "organization_id": "UUID", "idempotency_key": "VARCHAR", "request": "JSON",
        "seq": "BIGINT", "node_id": "VARCHAR", "node_type": "VARCHAR", "path": "VARCHAR", "status": "VARCHAR", "level": "VARCHAR",
        "started": "BIGINT", "duration": "BIGINT", "attempt": "INTEGER", "error_type": "VARCHAR", "error_message": "VARCHAR",
        "error_node": "VARCHAR", "model": "VARCHAR", "tokens_in": "BIGINT", "tokens_out": "BIGINT", "cost_usd": "DOUBLE",
        "iterations": "BIGINT", "payload": "JSON", "outputs": "JSON", "digest": "VARCHAR", "size_bytes": "BIGINT"
    }') AS r
    FROM (SELECT unnest(string_split($lines, chr(10))) AS line)
);

-- name: kinds
-- Which kinds the slice has; NULL for lines that are JSON and yet not a record that this version knows.
SELECT DISTINCT CASE WHEN NOT (k <> 'flow' AND execution_id IS NULL OR k = 'flow' AND hash IS NULL OR k = 'artifact' AND digest IS NULL)
    AND k IN ('flow', 'accepted', 'started', 'node_started', 'node', 'finished', 'artifact') THEN k END
FROM batch;

-- name: quarantine_unknown
-- Those lines.
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
-- Everything that this slice says of one execution, as one row: a = its acceptance, f = its end. Structs, because planning 25 aggregates
-- takes longer than running them. `goes_on`: begun again after its end in this very slice (retried from a checkpoint, resumed).
CREATE OR REPLACE TEMP TABLE change AS
SELECT *, started_at IS NOT NULL AND (f IS NULL OR restarted_at > f.at_utc) AS goes_on FROM (SELECT execution_id,
    any_value(struct_pack(flow, flow_hash, workflow_id, version_id, trigger, mode, source, "user", host, pid, parent_execution_id, input, organization_id, idempotency_key, request, at_utc))
        FILTER (k = 'accepted') AS a,
    arg_max(struct_pack(status := (CASE WHEN k = 'finished' THEN status END)::execution_status, duration, outputs, error_type, error_message, error_node, at_utc), ts)
        FILTER (k = 'finished') AS f,
    min(at_utc) FILTER (k = 'started') AS started_at, max(at_utc) FILTER (k = 'started') AS restarted_at,
    count(*) FILTER (k = 'node') AS nodes_total, coalesce(sum(tokens_in) FILTER (k = 'node'), 0)::BIGINT AS tokens_in,
    coalesce(sum(tokens_out) FILTER (k = 'node'), 0)::BIGINT AS tokens_out, sum(cost_usd) FILTER (k = 'node') AS cost_usd
FROM batch WHERE k IN ('accepted', 'started', 'node', 'finished') AND execution_id IS NOT NULL GROUP BY execution_id) AS one;

-- name: known
-- How many of them are new, known, and known without their acceptance, which this slice brings.
SELECT count(*) FILTER (e.execution_id IS NULL), count(e.execution_id),
    count(*) FILTER (e.execution_id IS NOT NULL AND e.accepted_at IS NULL AND c.a IS NOT NULL)
FROM change AS c LEFT JOIN workflow_executions AS e ON c.execution_id = e.execution_id;

-- name: update_executions
-- Executions known from earlier slices. A start after an end (a resume, or a mistaken end) makes it run again.
UPDATE workflow_executions AS e SET
    status = CASE WHEN c.goes_on AND (e.finished_at IS NULL OR c.restarted_at > e.finished_at) THEN 'running'
        WHEN c.f IS NOT NULL THEN c.f.status WHEN e.status = 'pending' AND c.nodes_total > 0 THEN 'running' ELSE e.status END,
    started_at = coalesce(e.started_at, c.started_at),
    finished_at = CASE WHEN c.goes_on AND (e.finished_at IS NULL OR c.restarted_at > e.finished_at) THEN NULL
        ELSE coalesce(c.f.at_utc, e.finished_at) END,
    duration_ms = coalesce(c.f.duration / 1e6, e.duration_ms), outputs = coalesce(c.f.outputs, e.outputs),
    error_type = CASE WHEN c.f IS NOT NULL OR c.goes_on THEN c.f.error_type ELSE e.error_type END,
    error_message = CASE WHEN c.f IS NOT NULL OR c.goes_on THEN c.f.error_message ELSE e.error_message END,
    error_node = CASE WHEN c.f IS NOT NULL OR c.goes_on THEN c.f.error_node ELSE e.error_node END,
    journal = CASE WHEN c.started_at IS NOT NULL THEN $writer ELSE coalesce(e.journal, $writer) END,
    nodes_total = e.nodes_total + c.nodes_total, tokens_in = e.tokens_in + c.tokens_in, tokens_out = e.tokens_out + c.tokens_out,
    cost_usd = CASE WHEN c.cost_usd IS NULL THEN e.cost_usd ELSE coalesce(e.cost_usd, 0) + c.cost_usd END
FROM change AS c WHERE e.execution_id = c.execution_id;

-- name: complete_executions
-- The acceptance came after the first events: it was written by another process, whose journal was read later.
UPDATE workflow_executions AS e SET
    flow = c.a.flow, flow_hash = c.a.flow_hash, workflow_id = c.a.workflow_id, version_id = c.a.version_id, trigger = c.a.trigger,
    mode = c.a.mode, source = c.a.source, user_name = c.a."user", host = c.a.host, pid = c.a.pid,
    parent_execution_id = c.a.parent_execution_id, input = c.a.input, organization_id = c.a.organization_id,
    idempotency_key = c.a.idempotency_key, request = c.a.request, accepted_at = c.a.at_utc
FROM change AS c WHERE c.a IS NOT NULL AND e.execution_id = c.execution_id AND e.accepted_at IS NULL;

-- name: complete_logs
-- The same for rows of nodes that came before the acceptance.
UPDATE execution_logs AS l SET flow = c.a.flow, workflow_id = c.a.workflow_id
FROM change AS c WHERE c.a IS NOT NULL AND l.execution_id = c.execution_id;

-- name: insert_executions
-- Executions seen for the first time.
INSERT INTO workflow_executions BY NAME
SELECT execution_id, c.a.workflow_id, c.a.flow, c.a.flow_hash, c.a.version_id, c.a.trigger, c.a.mode, c.a.source, c.a."user" AS user_name,
    c.a.host, c.a.pid, c.a.parent_execution_id, $writer AS journal,
    (CASE WHEN goes_on THEN 'running' WHEN f IS NOT NULL THEN c.f.status WHEN nodes_total > 0 THEN 'running' ELSE 'pending' END)::execution_status AS status,
    c.a.input, c.f.outputs, c.a.at_utc AS accepted_at, started_at, CASE WHEN NOT goes_on THEN c.f.at_utc END AS finished_at,
    c.f.duration / 1e6 AS duration_ms, c.f.error_type, c.f.error_message, c.f.error_node, nodes_total, tokens_in, tokens_out, cost_usd,
    c.a.organization_id, c.a.idempotency_key, c.a.request
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
