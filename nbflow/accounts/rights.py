"""Who may do what: permissions, roles, and the one table between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from nbflow.core.states import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["RIGHTS", "Permission", "Role", "rights"]


class Permission(StrEnum):
    """One thing that can be allowed inside an organization. The text is what API keys list as their scopes."""

    ORGANIZATION_READ = "organization.read"  # its name, plan and settings
    ORGANIZATION_WRITE = "organization.write"
    ORGANIZATION_DELETE = "organization.delete"
    MEMBER_READ = "member.read"
    MEMBER_WRITE = "member.write"  # invite, change roles up to one's own, remove
    WORKSPACE_READ = "workspace.read"
    WORKSPACE_WRITE = "workspace.write"
    WORKFLOW_READ = "workflow.read"  # definitions, versions, webhooks; no data of any run
    WORKFLOW_RUN = "workflow.run"  # also retry
    WORKFLOW_WRITE = "workflow.write"  # create, change, activate, restore; and run a definition that is not saved
    WORKFLOW_DELETE = "workflow.delete"  # with its history
    EXECUTION_READ = "execution.read"  # inputs, outputs and logs: the data itself
    EXECUTION_CANCEL = "execution.cancel"
    CREDENTIAL_READ = "credential.read"  # names and kinds; values are shown to nobody
    CREDENTIAL_USE = "credential.use"  # test one, name one in a definition
    CREDENTIAL_WRITE = "credential.write"
    APIKEY_OWN = "apikey.own"
    APIKEY_ALL = "apikey.all"  # see and revoke those of others
    AUDIT_READ = "audit.read"
    PLUGIN_READ = "plugin.read"
    PLUGIN_WRITE = "plugin.write"
    METRICS_READ = "metrics.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"


# Each role may all that the one before may.
_GUEST = {Permission.ORGANIZATION_READ, Permission.WORKSPACE_READ, Permission.WORKFLOW_READ}
_VIEWER = _GUEST | {Permission.MEMBER_READ, Permission.EXECUTION_READ, Permission.APIKEY_OWN, Permission.PLUGIN_READ}
_MEMBER = _VIEWER | {Permission.WORKFLOW_RUN, Permission.EXECUTION_CANCEL}
_DEVELOPER = _MEMBER | {
    Permission.WORKFLOW_WRITE,
    Permission.WORKFLOW_DELETE,
    Permission.WORKSPACE_WRITE,
    Permission.CREDENTIAL_READ,
    Permission.CREDENTIAL_USE,
    Permission.CREDENTIAL_WRITE,
    Permission.METRICS_READ,
}
_ADMIN = set(Permission) - {Permission.ORGANIZATION_DELETE}

RIGHTS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),  # everything, also delete the organization; there is always one
    Role.ADMIN: frozenset(_ADMIN),  # runs the organization: members, everybody's keys, the audit log
    Role.DEVELOPER: frozenset(_DEVELOPER),  # builds: edits and deletes workflows, keeps credentials
    Role.MEMBER: frozenset(_MEMBER),  # works with what is built: runs and cancels
    Role.VIEWER: frozenset(_VIEWER),  # looks: workflows, and executions with their data
    Role.GUEST: frozenset(_GUEST),  # an outsider who may read how things are done, and none of the data
}
"""The one table. Routes ask for a permission, never for a role."""


def rights(role: Role, *, ceiling: Role | None = None, scopes: Collection[Permission] = ()) -> frozenset[Permission]:
    """What `role` allows; for an API key cut to what `ceiling` allows and, where it has any, to its `scopes`."""
    allowed = RIGHTS[role]
    if ceiling is not None:
        allowed &= RIGHTS[ceiling]
    return allowed & frozenset(scopes) if scopes else allowed
