"""A workflow is the stored record of a flow: whose it is, its versions, whether it is active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from nbflow.core.flow import Flow
    from nbflow.workflows.module import Module


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow in its present state. Times are aware, UTC."""

    id: UUID
    organization_id: UUID | None
    workspace_id: UUID | None
    name: str
    description: str
    flow: Flow
    flow_hash: str
    version: int  # counts from 1
    version_id: UUID
    active: bool  # whether its triggers start it; it can be run by hand either way
    tags: tuple[str, ...]
    settings: Mapping[str, Any]  # of the record, not of the flow
    module: Module | None  # the code of its Python functions
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of a workflow's definition. Never changed."""

    id: UUID
    workflow_id: UUID
    version: int
    name: str
    flow: Flow
    flow_hash: str
    module: Module | None
    comment: str
    created_by: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One method of one webhook trigger, as registered."""

    workflow_id: UUID
    workflow: str  # its name
    organization_id: UUID | None
    node_id: str
    path: str  # as in `/orders/:id`, below /webhooks
    method: str
    config: Mapping[str, Any]  # the node's, expressions not evaluated
    active: bool
