"""Workspaces: the folders that workflows lie in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.accounts.workspace import Workspace
from nbflow.core.errors import UnknownAccountError
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Cursor, Limit, Page, page
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.schemas.name import Name, Text
from nbflow.server.state import ServerState, State

router = APIRouter(prefix="/workspaces", tags=["accounts"])

Reading = Annotated[Access, require(Permission.WORKSPACE_READ)]
Writing = Annotated[Access, require(Permission.WORKSPACE_WRITE)]


class NewWorkspace(Body):
    """A workspace to be made."""

    name: Name = Field(examples=["Reports"])
    description: Text = ""
    organization_id: UUID | None = Field(default=None, description="Whose it is; without it, your oldest organization.")


class WorkspaceChange(Body):
    """What to change; what is not given stays."""

    name: Name | None = None
    description: Text | None = None


class WorkspaceItem(Answer):
    """A workspace."""

    id: UUID
    organization_id: UUID
    name: str
    description: str
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


@router.get("", summary="List workspaces", responses=responses(404))
def list_workspaces(
    server: State,
    access: Reading,
    organization_id: Annotated[UUID | None, Query(description="Only of this organization.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[WorkspaceItem]:
    """Those of your organizations, oldest first."""
    organizations = {access.check(organization_id)} if organization_id else access.organizations
    found = server.directory.workspaces(organizations, after=cursor, limit=limit + 1)
    return page(found, limit, _item, lambda workspace: workspace.id)


@router.post("", status_code=201, summary="Make a workspace", responses=responses(404))
def create_workspace(server: State, access: Writing, body: NewWorkspace, response: Response) -> WorkspaceItem:
    """Names may repeat."""
    organization_id = access.choose(body.organization_id)
    made = server.directory.create_workspace(organization_id, body.name, description=body.description, actor=access.actor)
    response.headers["Location"] = f"./workspaces/{made.id}"
    return _item(made)


@router.get("/{workspace_id}", summary="One workspace", responses=responses(404))
def get_workspace(server: State, access: Reading, workspace_id: UUID) -> WorkspaceItem:
    """Its name, description and organization."""
    return _item(_find(server, access, workspace_id))


@router.put("/{workspace_id}", summary="Change a workspace", responses=responses(404))
def change_workspace(server: State, access: Writing, workspace_id: UUID, body: WorkspaceChange) -> WorkspaceItem:
    """Name and description."""
    found = _find(server, access, workspace_id)
    return _item(server.directory.update_workspace(found.id, name=body.name, description=body.description, actor=access.actor))


@router.delete("/{workspace_id}", status_code=204, summary="Delete a workspace", responses=responses(404, 409))
def delete_workspace(server: State, access: Writing, workspace_id: UUID) -> None:
    """409 while it has workflows, and for the last one of its organization."""
    server.directory.delete_workspace(_find(server, access, workspace_id).id, actor=access.actor)


def _find(server: ServerState, access: Access, workspace_id: UUID) -> Workspace:
    """404 for one of another organization, 403 where the route's permission is missing."""
    found = server.directory.workspace(workspace_id)
    if found.organization_id not in access.principal.organizations:
        raise UnknownAccountError(workspace_id, "workspace")
    access.check(found.organization_id)
    return found


def _item(workspace: Workspace) -> WorkspaceItem:
    return WorkspaceItem(**{name: getattr(workspace, name) for name in WorkspaceItem.model_fields})
