-- When which workflow runs by itself.
CREATE TABLE schedules (
    id UUID PRIMARY KEY, organization_id UUID, workflow_id UUID, flow VARCHAR, node_id VARCHAR, cron VARCHAR, interval_seconds DOUBLE, timezone VARCHAR,
    input JSON, config JSON, active BOOLEAN DEFAULT true, next_run_at TIMESTAMP, last_run_at TIMESTAMP, created_at TIMESTAMP, updated_at TIMESTAMP
);
