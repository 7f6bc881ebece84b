-- What publishing and serving keep: the code of a version, several workflows that want one path (one of them active), and of an execution
-- whose it is, the key under which it was asked for, and all that it takes to run it (again).
ALTER TABLE workflows ADD COLUMN module JSON;
ALTER TABLE workflow_versions ADD COLUMN module JSON;
ALTER TABLE workflow_executions ADD COLUMN organization_id UUID;
ALTER TABLE workflow_executions ADD COLUMN idempotency_key VARCHAR;
ALTER TABLE workflow_executions ADD COLUMN request JSON;
DROP TABLE webhook_registry;
CREATE TABLE webhook_registry (
    workflow_id UUID, node_id VARCHAR, path VARCHAR, method VARCHAR, config JSON, active BOOLEAN DEFAULT true,
    created_at TIMESTAMP, updated_at TIMESTAMP, PRIMARY KEY (workflow_id, node_id, method)
);
