-- Who changed what.

-- name: insert
-- One entry; written in the transaction of the change itself.
INSERT INTO audit_logs BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $user_id::UUID AS user_id, $api_key_id::UUID AS api_key_id, $action AS action,
    $subject_type AS subject_type, $subject_id AS subject_id, $data::JSON AS data, $address AS address, $created_at::TIMESTAMP AS created_at;
