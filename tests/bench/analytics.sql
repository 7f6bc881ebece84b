-- What the analytics endpoints (contract R16 to R20) and an alert ask, over nbflow's own tables. `now` is the newest row's time.

-- name: fill_executions
INSERT INTO workflow_executions BY NAME
SELECT format('{:08x}-{:04x}-7000-8000-{:012x}', (i * 17) // 65536, (i * 17) % 65536, i)::UUID AS execution_id,
    format('00000000-0000-7000-8000-{:012x}', i % 40)::UUID AS workflow_id, 'flow ' || (i % 40) AS flow, 'manual' AS trigger,
    (CASE WHEN hash(i) % 20 = 0 THEN 'failed' ELSE 'completed' END)::execution_status AS status,
    TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * (i * 90 * 86400.0 / $executions) AS accepted_at, accepted_at AS started_at,
    hash(i) % 90000 / 10.0 AS duration_ms, accepted_at + INTERVAL 1 MILLISECOND * (hash(i) % 9000)::INTEGER AS finished_at, 8 AS nodes_total
FROM range($executions) AS t(i);

-- name: fill_logs
INSERT INTO execution_logs BY NAME
SELECT format('{:08x}-{:04x}-7000-8000-{:012x}', (i // 8 * 17) // 65536, (i // 8 * 17) % 65536, i // 8)::UUID AS execution_id,
    format('00000000-0000-7000-8000-{:012x}', (i // 8) % 40)::UUID AS workflow_id, 'flow ' || ((i // 8) % 40) AS flow, i % 8 AS seq,
    'node_' || (i % 8) AS node_id, 'group' || (hash(i) % 4) || '.type' || (hash(i) % 23) AS node_type, '' AS path,
    (CASE WHEN hash(i) % 50 = 0 THEN 'failed' ELSE 'completed' END)::node_status AS status, 'info'::log_level AS level,
    TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * (i * 90 * 86400.0 / $rows) AS started_at, hash(i * 3) % 100000 / 37.0 AS duration_ms, 1 AS attempt,
    CASE WHEN hash(i) % 50 = 0 THEN ['TimeoutError', 'ValueError', 'HttpError', 'KeyError'][1 + (hash(i * 7) % 4)::INTEGER] END AS error_type,
    CASE WHEN hash(i) % 50 = 0 THEN 'message ' || hash(i * 11) % 200 END AS error_message,
    CASE WHEN hash(i) % 10 = 1 THEN 'model-' || hash(i * 13) % 6 END AS model, CASE WHEN hash(i) % 10 = 1 THEN hash(i * 17) % 4000 END AS tokens_in,
    CASE WHEN hash(i) % 10 = 1 THEN hash(i * 19) % 900 END AS tokens_out, CASE WHEN hash(i) % 10 = 1 THEN hash(i * 23) % 1000 / 1e5 END AS cost_usd,
    0 AS iterations, '{"preview": ' || i || '}' AS payload
FROM range($rows) AS t(i);

-- name: R16_workflows_per_day
SELECT workflow_id, flow, date_trunc('day', started_at) AS day, count(*) AS executions, avg((status = 'completed')::INTEGER) AS success_rate,
    quantile_cont(duration_ms, [0.5, 0.95]) AS durations_ms
FROM workflow_executions GROUP BY ALL ORDER BY day, flow;

-- name: R16_one_workflow
SELECT count(*) AS executions, avg((status = 'completed')::INTEGER) AS success_rate, quantile_cont(duration_ms, [0.5, 0.95]) AS durations_ms
FROM workflow_executions WHERE workflow_id = '00000000-0000-7000-8000-000000000007' AND started_at >= TIMESTAMP '2026-03-01';

-- name: R17_nodes
SELECT node_type, count(*) AS used, avg((status = 'completed')::INTEGER) AS success_rate, avg(duration_ms) AS average_ms,
    quantile_cont(duration_ms, 0.95) AS p95_ms
FROM execution_logs GROUP BY node_type ORDER BY used DESC;

-- name: R17_nodes_30_days
SELECT node_type, quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS durations_ms
FROM execution_logs WHERE started_at >= TIMESTAMP '2026-03-01' GROUP BY node_type;

-- name: R18_costs
SELECT model, flow, date_trunc('day', started_at) AS day, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(cost_usd) AS cost_usd, count(*) AS calls
FROM execution_logs WHERE model IS NOT NULL GROUP BY ALL ORDER BY day, model, flow;

-- name: R19_errors
SELECT error_type, error_message, node_type, count(*) AS failures, max(started_at) AS last_at
FROM execution_logs WHERE status = 'failed' GROUP BY ALL ORDER BY failures DESC LIMIT 20;

-- name: R20_hours
SELECT dayofweek(started_at) AS weekday, hour(started_at) AS hour, count(*) AS nodes FROM execution_logs GROUP BY ALL ORDER BY nodes DESC;

-- name: R20_days
SELECT date_trunc('day', started_at) AS day, count(*) AS executions, sum(nodes_total) AS nodes FROM workflow_executions GROUP BY day ORDER BY day;

-- name: alert_failure_rate
SELECT avg((status = 'failed')::INTEGER) FROM workflow_executions
WHERE workflow_id = '00000000-0000-7000-8000-000000000007' AND started_at >= TIMESTAMP '2026-03-31 23:45';

-- name: newest_50
SELECT * FROM workflow_executions WHERE flow = 'flow 7' ORDER BY execution_id DESC LIMIT 50;

-- name: one_execution
SELECT * FROM execution_logs WHERE execution_id = (SELECT max(execution_id) FROM workflow_executions WHERE flow = 'flow 7') ORDER BY seq;
