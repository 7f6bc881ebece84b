"""Workflows and their versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from nbflow.server.schemas.base import Answer, Body
from nbflow.workflows.workflow import Version, Workflow

DEFINITION: dict[str, Any] = {
    "nbflow": 1,
    "name": "greeting",
    "parameters": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    "nodes": [{"id": "greet", "type": "action.transform", "config": {"assignments": [{"name": "text", "value": "Hello {{ params.name }}!"}]}}],
}
"""The example of the documentation: it passes the check."""

_definition = Field(description="A flow document, as `flow.save()` writes it and `GET /node-types` describes its nodes.", examples=[DEFINITION])
_module = Field(default=None, description="The code of the flow's Python functions, as `GET /workflows/{id}/export` has it.")
_name = Field(default=None, min_length=1, max_length=200, description="Without it, the definition's own name.")
_tags = Field(description="Words to find it by.", max_length=50)
_comment = Field(default="", max_length=1000, description="Why this version was made.")


class NewWorkflow(Body):
    """A workflow to be made."""

    definition: dict[str, Any] = _definition
    module: dict[str, Any] | None = _module
    name: str | None = _name
    description: str | None = Field(default=None, max_length=10_000, description="Without it, the definition's own.")
    organization_id: UUID | None = Field(default=None, description="Whose it is; without it, your oldest organization in which you may make one.")
    workspace_id: UUID | None = Field(default=None, description="Its folder; without it, the organization's first.")
    active: StrictBool = Field(default=False, description="Whether its triggers start it from now on.")
    tags: list[str] = Field(default_factory=list, description=_tags.description, max_length=50)
    comment: str = _comment


class WorkflowChange(Body):
    """What to change; fields that are not given stay as they are."""

    definition: dict[str, Any] | None = Field(default=None, description="Another flow document makes another version.", examples=[DEFINITION])
    module: dict[str, Any] | None = _module
    name: str | None = _name
    description: str | None = Field(default=None, max_length=10_000)
    active: StrictBool | None = Field(default=None, description="Whether its triggers start it from now on.")
    tags: list[str] | None = Field(default=None, description=_tags.description, max_length=50)
    comment: str = _comment
    expected_version: StrictInt | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The version you have read: when somebody saved another one since, nothing is changed (409)."
    )


class WorkspaceName(Answer):
    """The folder that a workflow lies in."""

    id: UUID
    name: str


class WorkflowItem(Answer):
    """A workflow in a list."""

    id: UUID
    name: str = Field(examples=["daily-orders"])
    description: str
    organization_id: UUID | None
    workspace: WorkspaceName | None
    version: int = Field(description="Counts from 1.")
    version_id: UUID
    flow_hash: str = Field(description="SHA-256 of the definition without its layout.")
    active: bool = Field(description="Whether its triggers start it. It can be run by hand either way.")
    tags: list[str]
    triggers: list[str] = Field(description="Types of its trigger nodes.", examples=[["trigger.webhook"]])
    nodes_total: int
    has_code: bool = Field(description="Whether it has Python functions of its own; such flows run in worker processes.")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class VersionItem(Answer):
    """One state of a workflow's definition in a list; never changed."""

    id: UUID
    version: int
    name: str
    flow_hash: str
    comment: str
    created_by: UUID | None
    created_at: datetime


class VersionDetail(VersionItem):
    """One state of a workflow's definition."""

    definition: dict[str, Any]
    module: dict[str, Any] | None


class WorkflowDetail(WorkflowItem):
    """A workflow with its definition and its newest versions."""

    definition: dict[str, Any] = _definition
    module: dict[str, Any] | None = _module
    versions: list[VersionItem] = Field(description="The newest 50; GET /workflows/{id}/versions has all.")


class Change(Answer):
    """One thing that differs. `before` is null for what was added, `after` for what was removed."""

    kind: str = Field(examples=["node"])
    how: str = Field(examples=["changed"])
    name: str = Field(description="The node's id, the parameter's name; of an edge `fetch.output -> clean.input`.")
    field: str = Field(description="Of a node or parameter, dotted; empty for the whole.", examples=["config.url"])
    before: Any = None
    after: Any = None


class DifferenceAnswer(Answer):
    """What it takes to get from one version to another. Layout does not count."""

    before: int
    after: int
    changes: list[Change]
    code: str = Field(description="Unified diff of the Python code; empty when it is the same.")
    text: str = Field(description="All of it, for people.")


def workflow_item(workflow: Workflow, workspaces: dict[UUID, str]) -> WorkflowItem:
    """`workspaces`: names by id."""
    return WorkflowItem(**_facts(workflow, workspaces))


def workflow_detail(workflow: Workflow, workspaces: dict[UUID, str], versions: list[Version]) -> WorkflowDetail:
    """With its definition."""
    return WorkflowDetail(
        **_facts(workflow, workspaces),
        definition=workflow.flow.to_dict(),
        module=workflow.module.to_dict() if workflow.module else None,
        versions=[version_item(version) for version in versions],
    )


def _facts(workflow: Workflow, workspaces: dict[UUID, str]) -> dict[str, Any]:
    place = workflow.workspace_id
    return {
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description,
        "organization_id": workflow.organization_id,
        "workspace": WorkspaceName(id=place, name=workspaces[place]) if place in workspaces else None,
        "version": workflow.version,
        "version_id": workflow.version_id,
        "flow_hash": workflow.flow_hash,
        "active": workflow.active,
        "tags": list(workflow.tags),
        "triggers": [node.type for node in workflow.flow.nodes if node.type.startswith("trigger.")],
        "nodes_total": len(workflow.flow.nodes),
        "has_code": workflow.module is not None,
        "created_by": workflow.created_by,
        "created_at": workflow.created_at,
        "updated_at": workflow.updated_at,
    }


def version_item(version: Version) -> VersionItem:
    """Without its definition."""
    return VersionItem(**_version(version))


def version_detail(version: Version) -> VersionDetail:
    """With its definition."""
    return VersionDetail(**_version(version), definition=version.flow.to_dict(), module=version.module.to_dict() if version.module else None)


def _version(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "version": version.version,
        "name": version.name,
        "flow_hash": version.flow_hash,
        "comment": version.comment,
        "created_by": version.created_by,
        "created_at": version.created_at,
    }
