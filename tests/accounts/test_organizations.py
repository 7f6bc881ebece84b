from __future__ import annotations

import pytest

from nbflow.accounts.rights import Role
from nbflow.core.errors import AccountConflictError, UnknownAccountError
from nbflow.core.ids import new_id


def add_workflow(store, organization_id, workspace_id=None):
    row = {"id": str(new_id()), "organization": str(organization_id), "workspace": str(workspace_id) if workspace_id else None}
    sql = "INSERT INTO workflows (id, organization_id, workspace_id, name) VALUES ($id::UUID, $organization::UUID, $workspace::UUID, 'w')"
    store.transact([(sql, row)])


def test_an_organization_has_an_owner_and_a_workspace(directory, home, actions):
    made = directory.create_organization("Field Research", home.user.id)

    assert made.slug == "field-research"
    assert [(member.user.id, member.role) for member in directory.members(made.id)] == [(home.user.id, Role.OWNER)]
    assert len(directory.workspaces([made.id])) == 1
    assert actions(made.id) == ["organization.created"]


@pytest.mark.parametrize(
    ("name", "slug"), [("Lab", "lab"), ("  Lab & Co. ", "lab-co"), ("実験室", "organization"), ("x" * 90, "x" * 40), ("Default", "default-2")]
)
def test_the_slug_is_made_of_the_name(directory, home, name, slug):
    assert directory.create_organization(name, home.user.id).slug == slug


def test_slugs_do_not_repeat(directory, home):
    assert [directory.create_organization("Lab", home.user.id).slug for _ in range(3)] == ["lab", "lab-2", "lab-3"]


def test_renaming_keeps_the_slug_and_is_told(directory, home):
    made = directory.create_organization("Lab", home.user.id)

    renamed = directory.rename_organization(made.id, "Laboratory")

    assert (renamed.name, renamed.slug) == ("Laboratory", "lab")
    entry = directory.audit([made.id])[0]
    assert (entry.before, entry.after) == ({"name": "Lab"}, {"name": "Laboratory"})


def test_an_organization_with_workflows_is_not_deleted(directory, home, store):
    made = directory.create_organization("Lab", home.user.id)
    add_workflow(store, made.id)

    with pytest.raises(AccountConflictError, match="delete them first"):
        directory.delete_organization(made.id)

    assert directory.organization(made.id) == made
    assert directory.members(made.id)


def test_deleting_an_organization_leaves_its_audit_log(directory, home, ada, store, actions):
    made = directory.create_organization("Lab", home.user.id)
    directory.add_member(made.id, ada.id, Role.ADMIN)
    directory.create_key(made.id, ada.id, "k")

    directory.delete_organization(made.id)

    with pytest.raises(UnknownAccountError):
        directory.organization(made.id)
    for table in ("organization_members", "workspaces", "api_keys"):
        assert store.query(f"SELECT count(*) FROM {table} WHERE organization_id = $id::UUID", {"id": str(made.id)}).rows == [(0,)]
    assert actions(made.id)[-1] == "organization.deleted"


def test_the_default_organization_stays(directory, home):
    with pytest.raises(AccountConflictError, match="publish to"):
        directory.delete_organization(home.organization.id)


# Workspaces -----------------------------------------------------------------------------------------


def test_a_workspace_is_made_changed_and_deleted(directory, home, actions):
    made = directory.create_workspace(home.organization.id, "Reports", description="monthly")
    assert made in directory.workspaces([home.organization.id])

    changed = directory.update_workspace(made.id, name="Monthly reports")
    assert (changed.name, changed.description) == ("Monthly reports", "monthly")

    directory.delete_workspace(made.id)
    with pytest.raises(UnknownAccountError, match="no workspace"):
        directory.workspace(made.id)
    assert actions(home.organization.id)[-3:] == ["workspace.created", "workspace.updated", "workspace.deleted"]


def test_a_workspace_with_workflows_is_not_deleted(directory, home, store):
    made = directory.create_workspace(home.organization.id, "Reports")
    add_workflow(store, home.organization.id, made.id)

    with pytest.raises(AccountConflictError, match="move or delete them first"):
        directory.delete_workspace(made.id)


def test_the_last_workspace_stays(directory, home):
    with pytest.raises(AccountConflictError, match="make another one first"):
        directory.delete_workspace(home.workspace.id)


def test_workspaces_of_other_organizations_are_not_listed(directory, home, ada):
    assert directory.workspaces([]) == []
    assert [space.organization_id for space in directory.workspaces([home.organization.id])] == [home.organization.id]
