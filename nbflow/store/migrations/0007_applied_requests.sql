-- Transactions already done, so that one repeated after its owner was killed is done once.
CREATE TABLE applied_requests (request_id UUID, ts TIMESTAMP);
