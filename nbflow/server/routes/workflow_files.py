"""Workflows as files, to keep in version control or to bring to another server."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from starlette.responses import JSONResponse

from nbflow.core.flow import SUFFIX
from nbflow.server.errors import responses
from nbflow.server.routes.workflows import Reading, Writing, detail, find_workflow, place
from nbflow.server.schemas.workflow import DEFINITION, WorkflowDetail
from nbflow.server.state import State
from nbflow.workflows.file import from_document, to_document

router = APIRouter(prefix="/workflows", tags=["workflows"])


@router.get("/{workflow_id:uuid}/export", summary="Export a workflow", response_model=dict[str, Any], responses=responses(404))
def export_workflow(
    server: State,
    access: Reading,
    workflow_id: UUID,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A version's number; without it, the newest.")] = None,
) -> Response:
    """One `.flow.json`: the definition, the code of its functions, name and tags. Of credentials it has the names, never the values."""
    workflow = find_workflow(server, access, workflow_id)
    document = to_document(workflow, server.workflows.version(workflow.id, version) if version else None)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", workflow.name).strip("-.") or "workflow"
    return JSONResponse(document, headers={"Content-Disposition": f'attachment; filename="{name}{SUFFIX}"'})


@router.post("/import", status_code=201, summary="Import a workflow", responses=responses(404, 409))
def import_workflow(
    server: State,
    access: Writing,
    response: Response,
    document: Annotated[dict[str, Any], Body(description="What export gave, or a plain flow document.", examples=[DEFINITION])],
    organization_id: Annotated[UUID | None, Query(description="Whose it becomes; without it, your oldest organization.")] = None,
) -> WorkflowDetail:
    """Makes a workflow that is not active: look at it first."""
    file = from_document(document, source="the imported file")
    organization = access.choose(organization_id)
    workflow = server.workflows.create(
        file.flow,
        organization_id=organization,
        workspace_id=place(server, organization, None),
        name=file.name,
        description=file.description,
        module=file.module,
        tags=file.tags,
        comment="imported",
        actor=access.actor,
    )
    response.headers["Location"] = f"./{workflow.id}"
    return detail(server, workflow)
