-- Who changed what.

-- name: insert
-- One entry; written in the transaction of the change itself.
INSERT INTO audit_logs BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $user_id::UUID AS user_id, $api_key_id::UUID AS api_key_id, $action AS action,
    $subject_type AS subject_type, $subject_id AS subject_id, $data::JSON AS data, $address AS address, $created_at::TIMESTAMP AS created_at;

-- name: list
-- Newest first. $before: the id of the last row of the previous page (ids are ordered by time).
SELECT id, organization_id, user_id, api_key_id, action, subject_type, subject_id, data, address, created_at
FROM audit_logs
WHERE organization_id = $organization_id::UUID
    AND ($action::VARCHAR IS NULL OR action = $action) AND ($subject_type::VARCHAR IS NULL OR subject_type = $subject_type)
    AND ($subject_id::VARCHAR IS NULL OR subject_id = $subject_id) AND ($before::UUID IS NULL OR id < $before::UUID)
ORDER BY id DESC LIMIT $limit;
