-- Which workflow answers which path and method.
CREATE TABLE webhook_registry (
    path VARCHAR, method VARCHAR, workflow_id UUID, node_id VARCHAR, test BOOLEAN DEFAULT false, config JSON, active BOOLEAN DEFAULT true,
    created_at TIMESTAMP, updated_at TIMESTAMP, PRIMARY KEY (path, method, test)
);
