-- The schema of a new store. A test proves that the migrations, applied in order, give the same.
-- No foreign keys (DuckDB checks them over-eagerly on updates); no key and no index on what grows with every run
-- (measured: a UUID key makes inserts 15 times slower and the file 4 times larger). Times are UTC in TIMESTAMP: TIMESTAMPTZ is 3 to 20 times slower.

CREATE TYPE plan_name AS ENUM ('free', 'pro', 'team', 'enterprise');
CREATE TYPE member_role AS ENUM ('owner', 'admin', 'developer', 'viewer', 'guest', 'member');
CREATE TYPE execution_status AS ENUM ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled');
CREATE TYPE node_status AS ENUM ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'skipped');
CREATE TYPE log_level AS ENUM ('info', 'warn', 'error', 'debug');
CREATE TYPE alert_type AS ENUM ('failure', 'performance', 'usage', 'custom');

-- People ---------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id UUID PRIMARY KEY, subject VARCHAR, email VARCHAR, name VARCHAR, password_hash VARCHAR, active BOOLEAN DEFAULT true,
    created_at TIMESTAMP, updated_at TIMESTAMP, last_seen_at TIMESTAMP
);
CREATE TABLE organizations (
    id UUID PRIMARY KEY, name VARCHAR, slug VARCHAR, plan plan_name DEFAULT 'free', settings JSON, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE organization_members (
    organization_id UUID, user_id UUID, role member_role, invited_by UUID, created_at TIMESTAMP, PRIMARY KEY (organization_id, user_id)
);
CREATE TABLE workspaces (
    id UUID PRIMARY KEY, organization_id UUID, name VARCHAR, description VARCHAR, created_by UUID, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE api_keys (
    id UUID PRIMARY KEY, organization_id UUID, user_id UUID, name VARCHAR, prefix VARCHAR, key_hash VARCHAR, role member_role, scopes VARCHAR[],
    created_at TIMESTAMP, expires_at TIMESTAMP, last_used_at TIMESTAMP, revoked_at TIMESTAMP
);
CREATE TABLE audit_logs (
    id UUID, organization_id UUID, user_id UUID, api_key_id UUID, action VARCHAR, subject_type VARCHAR, subject_id VARCHAR, data JSON,
    address VARCHAR, created_at TIMESTAMP
);
CREATE TABLE plugins (
    name VARCHAR PRIMARY KEY, version VARCHAR, enabled BOOLEAN DEFAULT true, manifest JSON, installed_by UUID, installed_at TIMESTAMP
);

-- Workflows: the stored records of flows ---------------------------------------------------------------------

CREATE TABLE workflows (
    id UUID PRIMARY KEY, organization_id UUID, workspace_id UUID, name VARCHAR, description VARCHAR, definition JSON, flow_hash VARCHAR,
    version INTEGER DEFAULT 1, active BOOLEAN DEFAULT false, tags VARCHAR[], settings JSON, created_by UUID, created_at TIMESTAMP, updated_at TIMESTAMP,
    module JSON
);
CREATE TABLE workflow_versions (
    id UUID PRIMARY KEY, workflow_id UUID, version INTEGER, name VARCHAR, definition JSON, flow_hash VARCHAR, comment VARCHAR,
    created_by UUID, created_at TIMESTAMP, module JSON
);
CREATE TABLE flow_documents (hash VARCHAR, name VARCHAR, document JSON, first_seen_at TIMESTAMP);

-- Executions: written by the owner alone, from the journals ---------------------------------------------------

-- What was told, never changed.
CREATE TABLE execution_events (
    execution_id UUID NOT NULL, kind VARCHAR NOT NULL, ts TIMESTAMP, node_id VARCHAR, path VARCHAR, status VARCHAR, data JSON
);
-- One row per execution, kept equal to its events in the same transaction.
CREATE TABLE workflow_executions (
    execution_id UUID NOT NULL, workflow_id UUID, flow VARCHAR, flow_hash VARCHAR, version_id UUID, trigger VARCHAR, mode VARCHAR, source VARCHAR,
    user_name VARCHAR, host VARCHAR, pid BIGINT, parent_execution_id UUID, journal VARCHAR, status execution_status, input JSON, outputs JSON,
    accepted_at TIMESTAMP, started_at TIMESTAMP, finished_at TIMESTAMP, duration_ms DOUBLE,
    error_type VARCHAR, error_message VARCHAR, error_node VARCHAR,
    nodes_total BIGINT DEFAULT 0, tokens_in BIGINT DEFAULT 0, tokens_out BIGINT DEFAULT 0, cost_usd DOUBLE,
    organization_id UUID, idempotency_key VARCHAR, request JSON
);
-- One row per node that ended. workflow_id and flow are copied from the execution: analytics need no join.
CREATE TABLE execution_logs (
    execution_id UUID NOT NULL, workflow_id UUID, flow VARCHAR, seq BIGINT, node_id VARCHAR, node_type VARCHAR, path VARCHAR,
    status node_status, level log_level, started_at TIMESTAMP, duration_ms DOUBLE, attempt INTEGER, error_type VARCHAR, error_message VARCHAR,
    model VARCHAR, tokens_in BIGINT, tokens_out BIGINT, cost_usd DOUBLE, iterations BIGINT, payload JSON
);

-- The owner's own books ------------------------------------------------------------------------------------

CREATE TABLE ingest_offsets (file VARCHAR, off UBIGINT, ingested_at TIMESTAMP);
CREATE TABLE quarantine (file VARCHAR, off UBIGINT, line VARCHAR, error VARCHAR, ts TIMESTAMP);

-- Later things, one migration each ----------------------------------------------------------------------------

CREATE TABLE webhook_registry (
    workflow_id UUID, node_id VARCHAR, path VARCHAR, method VARCHAR, config JSON, active BOOLEAN DEFAULT true,
    created_at TIMESTAMP, updated_at TIMESTAMP, PRIMARY KEY (workflow_id, node_id, method)
);
CREATE TABLE alerts (
    id UUID PRIMARY KEY, organization_id UUID, workflow_id UUID, name VARCHAR, type alert_type, condition JSON, channels JSON,
    window_seconds BIGINT, cooldown_seconds BIGINT, enabled BOOLEAN DEFAULT true, firing BOOLEAN DEFAULT false, last_triggered_at TIMESTAMP,
    created_by UUID, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE alert_history (
    id UUID, alert_id UUID, kind VARCHAR, value DOUBLE, threshold DOUBLE, message VARCHAR, data JSON, deliveries JSON, created_at TIMESTAMP
);
CREATE TABLE credentials (
    id UUID PRIMARY KEY, organization_id UUID, name VARCHAR, type VARCHAR, secret BLOB, metadata JSON, created_by UUID,
    created_at TIMESTAMP, updated_at TIMESTAMP, last_used_at TIMESTAMP
);
CREATE TABLE schedules (
    id UUID PRIMARY KEY, organization_id UUID, workflow_id UUID, flow VARCHAR, node_id VARCHAR, cron VARCHAR, interval_seconds DOUBLE, timezone VARCHAR,
    input JSON, config JSON, active BOOLEAN DEFAULT true, next_run_at TIMESTAMP, last_run_at TIMESTAMP, created_at TIMESTAMP, updated_at TIMESTAMP
);
-- Which executions need which file of artifacts/.
CREATE TABLE artifacts (digest VARCHAR NOT NULL, execution_id UUID NOT NULL, size_bytes BIGINT, created_at TIMESTAMP);
-- Transactions already done, so that one repeated after its owner was killed is done once.
CREATE TABLE applied_requests (request_id UUID, ts TIMESTAMP);
-- Short names for `nbflow.sql`.
CREATE VIEW executions AS
SELECT execution_id, flow, status, trigger, source, user_name, started_at, finished_at, duration_ms, nodes_total, error_type, error_message, error_node,
    tokens_in, tokens_out, cost_usd, input, outputs, accepted_at, workflow_id, parent_execution_id
FROM workflow_executions;
CREATE VIEW nodes AS
SELECT execution_id, flow, node_id, node_type, path, status, started_at, duration_ms, attempt, error_type, error_message,
    model, tokens_in, tokens_out, cost_usd, iterations, payload, seq, workflow_id
FROM execution_logs;
