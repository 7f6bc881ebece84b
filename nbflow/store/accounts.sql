-- People, organizations, members, workspaces and API keys. Guards end a transaction with an error of ours, `nbflow:<name>`.

-- name: user
SELECT id, subject, email, name, active, created_at, updated_at, last_seen_at FROM users WHERE id = $id::UUID;

-- name: user_by_subject
SELECT id, subject, email, name, active, created_at, updated_at, last_seen_at FROM users WHERE subject = $subject;

-- name: user_by_email
-- Of several with one address the oldest.
SELECT id, subject, email, name, active, created_at, updated_at, last_seen_at FROM users WHERE lower(email) = lower($email) ORDER BY id LIMIT 1;

-- name: invitation
-- Somebody who was invited by this address and has not signed in yet.
SELECT id, subject, email, name, active, created_at, updated_at, last_seen_at
FROM users
WHERE lower(email) = lower($email) AND subject IS NULL
ORDER BY id LIMIT 1;

-- name: user_add
INSERT INTO users BY NAME
SELECT $id::UUID AS id, $subject::VARCHAR AS subject, $email::VARCHAR AS email, $name::VARCHAR AS name, true AS active,
    $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at, $seen::TIMESTAMP AS last_seen_at;

-- name: user_update
UPDATE users SET subject = $subject, email = $email, name = $name, updated_at = $now::TIMESTAMP, last_seen_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: user_seen
UPDATE users SET last_seen_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: user_active
UPDATE users SET active = $active, updated_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: guard_subject
SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE subject = $subject) THEN error('nbflow:subject_taken') END;

-- name: guard_invitation
SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM users WHERE id = $id::UUID AND subject IS NULL) THEN error('nbflow:subject_taken') END;

-- name: default_home
-- The person at this machine in the default organization.
SELECT m.user_id, m.organization_id, m.role
FROM organization_members m JOIN users u ON u.id = m.user_id JOIN organizations o ON o.id = m.organization_id
WHERE u.subject = $subject AND o.slug = $slug;

-- name: guard_no_default
SELECT CASE WHEN EXISTS (SELECT 1 FROM organizations WHERE slug = $slug) THEN error('nbflow:default_made') END;

-- name: organization
SELECT id, name, slug, plan, settings, created_at, updated_at FROM organizations WHERE id = $id::UUID;

-- name: slugs
SELECT slug FROM organizations WHERE slug = $slug OR starts_with(slug, $slug || '-');

-- name: organization_add
INSERT INTO organizations BY NAME
SELECT $id::UUID AS id, $name AS name, $slug AS slug, 'free' AS plan, '{}' AS settings, $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at;

-- name: organization_rename
UPDATE organizations SET name = $name, updated_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: guard_organization_empty
SELECT CASE WHEN EXISTS (SELECT 1 FROM workflows WHERE organization_id = $id::UUID) THEN error('nbflow:has_workflows') END;

-- name: organization_delete
DELETE FROM organizations WHERE id = $id::UUID;

-- name: organization_delete_members
DELETE FROM organization_members WHERE organization_id = $id::UUID;

-- name: organization_delete_workspaces
DELETE FROM workspaces WHERE organization_id = $id::UUID;

-- name: organization_delete_keys
DELETE FROM api_keys WHERE organization_id = $id::UUID;

-- name: organization_delete_credentials
DELETE FROM credentials WHERE organization_id = $id::UUID;

-- name: memberships
SELECT o.id, o.name, o.slug, o.plan, o.settings, o.created_at, o.updated_at, m.role
FROM organization_members m JOIN organizations o ON o.id = m.organization_id
WHERE m.user_id = $user_id::UUID
ORDER BY o.id;

-- name: members
SELECT u.id, u.subject, u.email, u.name, u.active, u.created_at, u.updated_at, u.last_seen_at, m.role, m.invited_by, m.created_at AS joined_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE m.organization_id = $organization_id::UUID AND ($user_id::UUID IS NULL OR m.user_id = $user_id::UUID)
    AND ($after::UUID IS NULL OR u.id > $after::UUID)
ORDER BY u.id LIMIT $limit;

-- name: member_add
INSERT INTO organization_members BY NAME
SELECT $organization_id::UUID AS organization_id, $user_id::UUID AS user_id, $role AS role, $invited_by::UUID AS invited_by,
    $now::TIMESTAMP AS created_at;

-- name: member_change
UPDATE organization_members SET role = $role WHERE organization_id = $organization_id::UUID AND user_id = $user_id::UUID;

-- name: member_remove
DELETE FROM organization_members WHERE organization_id = $organization_id::UUID AND user_id = $user_id::UUID;

-- name: guard_no_member
SELECT CASE WHEN EXISTS (
    SELECT 1 FROM organization_members WHERE organization_id = $organization_id::UUID AND user_id = $user_id::UUID
) THEN error('nbflow:member_exists') END;

-- name: guard_owner
-- After the change: somebody is owner still.
SELECT CASE WHEN NOT EXISTS (
    SELECT 1 FROM organization_members WHERE organization_id = $organization_id::UUID AND role = 'owner'
) THEN error('nbflow:last_owner') END;

-- name: workspaces
SELECT id, organization_id, name, description, created_by, created_at, updated_at
FROM workspaces
WHERE list_contains($organizations::UUID[], organization_id) AND ($after::UUID IS NULL OR id > $after::UUID)
ORDER BY id LIMIT $limit;

-- name: workspace
SELECT id, organization_id, name, description, created_by, created_at, updated_at FROM workspaces WHERE id = $id::UUID;

-- name: workspace_add
INSERT INTO workspaces BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $name AS name, $description AS description, $created_by::UUID AS created_by,
    $now::TIMESTAMP AS created_at, $now::TIMESTAMP AS updated_at;

-- name: workspace_update
UPDATE workspaces SET name = $name, description = $description, updated_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: guard_workspace_empty
SELECT CASE WHEN EXISTS (SELECT 1 FROM workflows WHERE workspace_id = $id::UUID) THEN error('nbflow:has_workflows') END;

-- name: guard_another_workspace
SELECT CASE WHEN NOT EXISTS (
    SELECT 1 FROM workspaces WHERE organization_id = $organization_id::UUID AND id <> $id::UUID
) THEN error('nbflow:last_workspace') END;

-- name: workspace_delete
DELETE FROM workspaces WHERE id = $id::UUID;

-- name: keys
SELECT id, organization_id, user_id, name, prefix, role, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys
WHERE list_contains($organizations::UUID[], organization_id) AND ($user_id::UUID IS NULL OR user_id = $user_id::UUID)
    AND ($before::UUID IS NULL OR id < $before::UUID)
ORDER BY id DESC LIMIT $limit;

-- name: key
SELECT id, organization_id, user_id, name, prefix, role, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys WHERE id = $id::UUID;

-- name: key_by_hash
SELECT id, organization_id, user_id, name, prefix, role, scopes, created_at, expires_at, last_used_at, revoked_at, key_hash
FROM api_keys WHERE key_hash = $key_hash;

-- name: key_add
INSERT INTO api_keys BY NAME
SELECT $id::UUID AS id, $organization_id::UUID AS organization_id, $user_id::UUID AS user_id, $name AS name, $prefix AS prefix,
    $key_hash AS key_hash, $role::member_role AS role, $scopes::VARCHAR[] AS scopes, $now::TIMESTAMP AS created_at,
    $expires_at::TIMESTAMP AS expires_at;

-- name: key_revoke
UPDATE api_keys SET revoked_at = $now::TIMESTAMP WHERE id = $id::UUID AND revoked_at IS NULL;

-- name: keys_of_member_revoke
UPDATE api_keys SET revoked_at = $now::TIMESTAMP
WHERE organization_id = $organization_id::UUID AND user_id = $user_id::UUID AND revoked_at IS NULL;

-- name: key_used
UPDATE api_keys SET last_used_at = $now::TIMESTAMP WHERE id = $id::UUID;

-- name: audit
-- Newest first, of these organizations; the names are the present ones.
SELECT a.id, a.organization_id, a.user_id, u.name AS user_name, u.email AS user_email, a.api_key_id, k.name AS api_key_name, a.action, a.subject_type,
    a.subject_id, a.data, a.address, a.created_at
FROM audit_logs a LEFT JOIN users u ON u.id = a.user_id LEFT JOIN api_keys k ON k.id = a.api_key_id
WHERE list_contains($organizations::UUID[], a.organization_id)
    AND ($action::VARCHAR IS NULL OR a.action = $action) AND ($subject_type::VARCHAR IS NULL OR a.subject_type = $subject_type)
    AND ($subject_id::VARCHAR IS NULL OR a.subject_id = $subject_id) AND ($user_id::UUID IS NULL OR a.user_id = $user_id::UUID)
    AND ($since::TIMESTAMP IS NULL OR a.created_at >= $since::TIMESTAMP) AND ($until::TIMESTAMP IS NULL OR a.created_at < $until::TIMESTAMP)
    AND ($before::UUID IS NULL OR a.id < $before::UUID)
ORDER BY a.id DESC LIMIT $limit;

-- name: sessions_ended
-- Sessions that were signed out and whose cookie might still be within its time.
SELECT subject_id FROM audit_logs WHERE action = 'session.ended' AND created_at >= $since::TIMESTAMP;
