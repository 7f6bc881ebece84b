"""Workflows: the stored records of flows."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from nbflow.accounts.rights import Permission
from nbflow.core.errors import UnknownAccountError
from nbflow.core.flow import Flow
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Cursor, Limit, Page, page
from nbflow.server.schemas.workflow import (
    NewWorkflow,
    WorkflowChange,
    WorkflowDetail,
    WorkflowItem,
    workflow_detail,
    workflow_item,
)
from nbflow.server.state import ServerState, State
from nbflow.store.sql import statements
from nbflow.workflows.library import KEEP
from nbflow.workflows.module import Module
from nbflow.workflows.workflow import Workflow

router = APIRouter(prefix="/workflows", tags=["workflows"])

Reading = Annotated[Access, require(Permission.WORKFLOW_READ)]
Writing = Annotated[Access, require(Permission.WORKFLOW_WRITE)]
Deleting = Annotated[Access, require(Permission.WORKFLOW_DELETE)]
_VERSIONS = 50  # in the answer for one workflow


@router.get("", summary="List workflows", responses=responses(404))
def list_workflows(
    server: State,
    access: Reading,
    *,
    search: Annotated[str | None, Query(max_length=200, description="Part of the name or description.")] = None,
    tag: Annotated[str | None, Query(max_length=100, description="Only with this tag.")] = None,
    active: Annotated[bool | None, Query(description="Only active, or only inactive ones.")] = None,
    organization_id: Annotated[UUID | None, Query(description="Only of this organization.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[WorkflowItem]:
    """Those of your organizations, newest first."""
    organizations = {access.check(organization_id)} if organization_id else access.organizations
    found = server.workflows.list(organizations=organizations, search=search, tag=tag, active=active, before=cursor, limit=limit + 1)
    names = workspace_names(server, found)
    return page(found, limit, lambda workflow: workflow_item(workflow, names), lambda workflow: workflow.id)


@router.post("", status_code=201, summary="Create a workflow", responses=responses(404, 409))
def create_workflow(server: State, access: Writing, body: NewWorkflow, response: Response) -> WorkflowDetail:
    """The definition is checked as a whole: when it has problems, the answer lists them all and nothing is stored."""
    organization = access.choose(body.organization_id)
    workflow = server.workflows.create(
        Flow.from_dict(body.definition, source="definition"),
        organization_id=organization,
        workspace_id=place(server, organization, body.workspace_id),
        name=body.name,
        description=body.description,
        module=module_of(body.module),
        active=body.active,
        tags=body.tags,
        comment=body.comment,
        actor=access.actor,
    )
    response.headers["Location"] = f"./workflows/{workflow.id}"
    return detail(server, workflow)


@router.get("/{workflow_id:uuid}", summary="One workflow", responses=responses(404))
def get_workflow(server: State, access: Reading, workflow_id: UUID) -> WorkflowDetail:
    """With its definition and its newest versions."""
    return detail(server, find_workflow(server, access, workflow_id))


@router.put("/{workflow_id:uuid}", summary="Change a workflow", responses=responses(404, 409))
def change_workflow(server: State, access: Writing, workflow_id: UUID, body: WorkflowChange) -> WorkflowDetail:
    """What is not given stays as it is. Another definition makes a version, unless only the layout differs."""
    workflow = find_workflow(server, access, workflow_id)
    given = body.model_dump(exclude_unset=True, exclude_none=True, include={"name", "description", "active", "tags", "comment", "expected_version"})
    changes: dict[str, Any] = {**given, "module": KEEP}
    if body.definition is not None:
        changes["flow"] = Flow.from_dict(body.definition, source="definition")
    if "module" in body.model_fields_set:
        changes["module"] = module_of(body.module)
    return detail(server, server.workflows.update(workflow.id, organizations=access.organizations, actor=access.actor, **changes))


@router.delete("/{workflow_id:uuid}", status_code=204, summary="Delete a workflow", responses=responses(404))
async def delete_workflow(server: State, access: Deleting, workflow_id: UUID) -> None:
    """With its versions, executions, logs, webhooks and schedules. What runs or waits of it is cancelled first."""
    workflow = await asyncio.to_thread(find_workflow, server, access, workflow_id)
    await asyncio.to_thread(server.workflows.deactivate, workflow.id, organizations=access.organizations, actor=access.actor)  # nothing new begins
    await server.executor.cancel_workflow(workflow.id)
    await asyncio.to_thread(server.workflows.delete, workflow.id, organizations=access.organizations, actor=access.actor)


@router.post("/{workflow_id:uuid}/duplicate", status_code=201, summary="Copy a workflow", responses=responses(404))
def duplicate_workflow(server: State, access: Writing, workflow_id: UUID) -> WorkflowDetail:
    """The copy is named "NAME (Copy)" and is not active."""
    workflow = find_workflow(server, access, workflow_id)
    return detail(server, server.workflows.duplicate(workflow.id, organizations=access.organizations, actor=access.actor))


@router.post("/{workflow_id:uuid}/activate", summary="Activate a workflow", responses=responses(404, 409))
def activate_workflow(server: State, access: Writing, workflow_id: UUID) -> WorkflowDetail:
    """Its triggers start it from now on. 409 when another active workflow answers on one of its webhook paths."""
    workflow = find_workflow(server, access, workflow_id)
    return detail(server, server.workflows.activate(workflow.id, organizations=access.organizations, actor=access.actor))


@router.post("/{workflow_id:uuid}/deactivate", summary="Deactivate a workflow", responses=responses(404))
def deactivate_workflow(server: State, access: Writing, workflow_id: UUID) -> WorkflowDetail:
    """Its triggers start it no more. What runs goes on."""
    workflow = find_workflow(server, access, workflow_id)
    return detail(server, server.workflows.deactivate(workflow.id, organizations=access.organizations, actor=access.actor))


def find_workflow(server: ServerState, access: Access, workflow_id: UUID) -> Workflow:
    """404 for one of another organization, 403 where the route's permission is missing."""
    workflow = server.workflows.get(workflow_id, organizations=access.principal.organizations)
    if workflow.organization_id is not None:
        access.check(workflow.organization_id)
    return workflow


def place(server: ServerState, organization_id: UUID, workspace_id: UUID | None) -> UUID:
    """The workspace for a new workflow: the one named, when it is the organization's, else its oldest. Raises UnknownAccountError."""
    if workspace_id is None:
        return server.directory.home(organization_id).id
    if server.directory.workspace(workspace_id).organization_id != organization_id:
        raise UnknownAccountError(workspace_id, "workspace")
    return workspace_id


def detail(server: ServerState, workflow: Workflow) -> WorkflowDetail:
    """The answer for one workflow."""
    versions = server.workflows.versions(workflow.id)[:_VERSIONS]
    return workflow_detail(workflow, workspace_names(server, [workflow]), versions)


def workspace_names(server: ServerState, workflows: list[Workflow]) -> dict[UUID, str]:
    """Names of the workspaces that these workflows lie in, by id."""
    ids = sorted({str(workflow.workspace_id) for workflow in workflows if workflow.workspace_id})
    return dict(server.store.query(statements("executions.sql")["workspace_names"], {"ids": ids}).rows) if ids else {}


def module_of(given: dict[str, Any] | None) -> Module | None:
    """Raises DocumentError (422)."""
    return None if given is None else Module.from_dict(given, source="module")
