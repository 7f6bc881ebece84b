-- Named credentials. What is secret stands in `secret` only, encrypted; `metadata` is what may be listed.
-- A row without an organization was made before there was one: it belongs to the first ($first: that is the one that asks).

-- name: first_organization
SELECT id FROM organizations ORDER BY created_at, id LIMIT 1;

-- name: list
SELECT id, organization_id, name, type, metadata, created_at, updated_at, last_used_at
FROM credentials
WHERE organization_id IS NOT DISTINCT FROM $organization_id::UUID OR ($first AND organization_id IS NULL)
ORDER BY name, organization_id NULLS LAST;

-- name: find
-- By name, or by id.
SELECT id, organization_id, name, type, metadata, created_at, updated_at, last_used_at, secret
FROM credentials
WHERE (organization_id IS NOT DISTINCT FROM $organization_id::UUID OR ($first AND organization_id IS NULL))
    AND (name = $name OR id = TRY_CAST($name AS UUID))
ORDER BY organization_id NULLS LAST LIMIT 1;

-- name: refuse_second
-- Fails when the name is taken: inside the transaction, so that of two who add it at once one is refused.
SELECT CASE WHEN count(*) > 0 THEN error('there is a credential of this name already') END
FROM credentials
WHERE (organization_id IS NOT DISTINCT FROM $organization_id::UUID OR ($first AND organization_id IS NULL)) AND name = $name;

-- name: insert
INSERT INTO credentials BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $name AS name, $type AS type, $secret::BLOB AS secret, $metadata::JSON AS metadata,
    $created_by::UUID AS created_by, $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at;

-- name: refuse_gone
-- Fails when it is not there any more.
SELECT CASE WHEN count(*) = 0 THEN error('this credential was removed meanwhile') END FROM credentials WHERE id = $id::UUID;

-- name: update
UPDATE credentials SET type = $type, secret = $secret::BLOB, metadata = $metadata::JSON, updated_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: remove
DELETE FROM credentials WHERE id = $id::UUID;

-- name: used
UPDATE credentials SET last_used_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: all
-- Of every organization: for a rotation of the key.
SELECT id, organization_id, type, secret FROM credentials ORDER BY id;

-- name: reseal
UPDATE credentials SET secret = $secret::BLOB WHERE id = $id::UUID;
