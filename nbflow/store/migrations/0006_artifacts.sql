-- Which executions need which file of artifacts/.
CREATE TABLE artifacts (digest VARCHAR NOT NULL, execution_id UUID NOT NULL, size_bytes BIGINT, created_at TIMESTAMP);
