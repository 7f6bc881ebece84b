"""Versions of a workflow: every state that its definition ever had."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import HTMLResponse, Response

from nbflow.server.errors import responses
from nbflow.server.paging import Page
from nbflow.server.routes.workflows import Reading, Writing, detail, find_workflow
from nbflow.server.schemas.workflow import Change, DifferenceAnswer, VersionDetail, VersionItem, WorkflowDetail, version_detail, version_item
from nbflow.server.state import State
from nbflow.workflows.difference import Difference, diff
from nbflow.workflows.workflow import Version

router = APIRouter(prefix="/workflows/{workflow_id:uuid}", tags=["workflows"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="The version's number.")]
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><meta name="color-scheme" content="light dark">
<body style="font-family:system-ui,sans-serif;margin:2rem">{body}</body></html>"""


@router.get("/versions", summary="List versions", responses=responses(404))
def list_versions(
    server: State,
    access: Reading,
    workflow_id: UUID,
    cursor: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next_cursor` of the page before: a version's number.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Items in a page at most.")] = 50,
) -> Page[VersionItem]:
    """Newest first."""
    workflow = find_workflow(server, access, workflow_id)
    found = [version for version in server.workflows.versions(workflow.id) if cursor is None or version.version < cursor]
    return Page(items=[version_item(version) for version in found[:limit]], next_cursor=found[limit - 1].version if len(found) > limit else None)


@router.get("/versions/{version}", summary="One version", responses=responses(404))
def get_version(server: State, access: Reading, workflow_id: UUID, version: Number) -> VersionDetail:
    """With its definition."""
    workflow = find_workflow(server, access, workflow_id)
    return version_detail(server.workflows.version(workflow.id, version))


@router.post("/versions/{version_id}/restore", summary="Restore a version", responses=responses(404, 409))
def restore_version(server: State, access: Writing, workflow_id: UUID, version_id: UUID) -> WorkflowDetail:
    """Makes a new version with the old one's content; no version is ever lost."""
    workflow = find_workflow(server, access, workflow_id)
    return detail(server, server.workflows.restore(workflow.id, version_id, organizations=access.organizations, actor=access.actor))


@router.get(
    "/diff",
    summary="Compare two versions",
    response_model=DifferenceAnswer,
    responses={**responses(404), 200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def compare_versions(
    server: State,
    access: Reading,
    workflow_id: UUID,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A version's number; without it, the one before `after`.")] = None,
    after: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A version's number; without it, the newest.")] = None,
    format: Annotated[Literal["json", "html"], Query(description="`html` is a page to look at.")] = "json",  # noqa: A002 -- the parameter's name
) -> Response | DifferenceAnswer:
    """Node by node, field by field, and the code as a unified diff. Moving nodes about is no difference."""
    workflow = find_workflow(server, access, workflow_id)
    new = server.workflows.version(workflow.id, after or workflow.version)
    old = server.workflows.version(workflow.id, before or max(1, new.version - 1))
    found = _difference(old, new)
    if format == "html":
        return HTMLResponse(_PAGE.format(title=f"v{old.version} → v{new.version}", body=found._repr_html_()))
    changes = [Change(**{name: getattr(change, name) for name in Change.model_fields}) for change in found.changes]
    return DifferenceAnswer(before=old.version, after=new.version, changes=changes, code=found.code, text=found.text())


def _difference(old: Version, new: Version) -> Difference:
    return diff(old.flow, new.flow, (f"v{old.version}", f"v{new.version}"), modules=(old.module, new.module))
