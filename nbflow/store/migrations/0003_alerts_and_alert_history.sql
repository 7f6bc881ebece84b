-- Alerts and what became of them.
CREATE TYPE alert_type AS ENUM ('failure', 'performance', 'usage', 'custom');
CREATE TABLE alerts (
    id UUID PRIMARY KEY, organization_id UUID, workflow_id UUID, name VARCHAR, type alert_type, condition JSON, channels JSON,
    window_seconds BIGINT, cooldown_seconds BIGINT, enabled BOOLEAN DEFAULT true, firing BOOLEAN DEFAULT false, last_triggered_at TIMESTAMP,
    created_by UUID, created_at TIMESTAMP, updated_at TIMESTAMP
);
CREATE TABLE alert_history (
    id UUID, alert_id UUID, kind VARCHAR, value DOUBLE, threshold DOUBLE, message VARCHAR, data JSON, deliveries JSON, created_at TIMESTAMP
);
