"""Workspaces: the folders of an organization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.accounts.stored import Stored, now, statement
from nbflow.core.errors import AccountConflictError, QueryError, UnknownAccountError
from nbflow.core.ids import new_id
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A folder for workflows."""

    id: UUID
    organization_id: UUID
    name: str
    description: str
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class Workspaces(Stored):
    """See Directory."""

    def workspaces(self, organizations: Collection[UUID], *, after: UUID | None = None, limit: int = 1000) -> list[Workspace]:
        """Those of the organizations, oldest first; `after` is the last id of the page before."""
        wanted = [str(id_) for id_ in organizations]
        return [Workspace(**row) for row in self._rows("workspaces", organizations=wanted, after=after, limit=limit)]

    def workspace(self, id_: UUID) -> Workspace:
        """Raises UnknownAccountError."""
        found = self._rows("workspace", id=id_)
        if not found:
            raise UnknownAccountError(id_, "workspace")
        return Workspace(**found[0])

    def create_workspace(self, organization_id: UUID, name: str, *, description: str = "", actor: Actor = LOCAL) -> Workspace:
        """A new folder; names may repeat."""
        id_ = new_id()
        new = {"id": id_, "organization_id": organization_id, "name": name, "description": description, "created_by": actor.user_id, "now": now()}
        written = entry(
            actor, "workspace.created", "workspace", id_, organization_id=organization_id, after={"name": name, "description": description}
        )
        self.store.transact([statement("workspace_add", **new), written])
        return self.workspace(id_)

    def update_workspace(self, id_: UUID, *, name: str | None = None, description: str | None = None, actor: Actor = LOCAL) -> Workspace:
        """What is None stays. Raises UnknownAccountError."""
        before = self.workspace(id_)
        after = {"name": before.name if name is None else name, "description": before.description if description is None else description}
        change = {"before": {"name": before.name, "description": before.description}, "after": after}
        written = entry(actor, "workspace.updated", "workspace", id_, organization_id=before.organization_id, **change)
        self.store.transact([statement("workspace_update", id=id_, **after, now=now()), written])
        return self.workspace(id_)

    def delete_workspace(self, id_: UUID, *, actor: Actor = LOCAL) -> None:
        """Raises UnknownAccountError; AccountConflictError while it has workflows, and for an organization's last one."""
        before = self.workspace(id_)
        try:
            self.store.transact(
                [
                    statement("guard_workspace_empty", id=id_),
                    statement("guard_another_workspace", id=id_, organization_id=before.organization_id),
                    statement("workspace_delete", id=id_),
                    entry(actor, "workspace.deleted", "workspace", id_, organization_id=before.organization_id, before={"name": before.name}),
                ]
            )
        except QueryError as error:
            if "nbflow:has_workflows" in str(error):
                msg = f"workspace '{before.name}' still has workflows: move or delete them first"
            elif "nbflow:last_workspace" in str(error):
                msg = f"'{before.name}' is the last workspace of its organization: make another one first"
            else:
                raise
            raise AccountConflictError(msg) from None
