-- Encrypted before they come here.
CREATE TABLE credentials (
    id UUID PRIMARY KEY, organization_id UUID, name VARCHAR, type VARCHAR, secret BLOB, metadata JSON, created_by UUID,
    created_at TIMESTAMP, updated_at TIMESTAMP, last_used_at TIMESTAMP
);
