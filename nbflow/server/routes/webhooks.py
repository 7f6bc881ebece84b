"""The registry of webhooks: which method on which path starts which workflow."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.server.access import Access, require
from nbflow.server.paging import Page
from nbflow.server.schemas.base import Answer
from nbflow.server.state import State

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class WebhookItem(Answer):
    """One method of one webhook trigger."""

    workflow_id: UUID
    workflow: str = Field(description="The workflow's name.")
    organization_id: UUID | None
    node_id: str
    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/orders/:id"])
    url: str = Field(description="Where to send requests.", examples=["/webhooks/orders/:id"])
    test_url: str = Field(description="For development: signed in, also when the workflow is not active.", examples=["/webhooks-test/orders/:id"])
    active: bool = Field(description="Whether it answers: whether the workflow is active.")
    auth: str = Field(description="How callers prove themselves: none, basic, header, jwt or hmac.")
    response_mode: str


@router.get("", summary="List webhooks")
def list_webhooks(
    server: State,
    access: Annotated[Access, require(Permission.WORKFLOW_READ)],
    *,
    workflow_id: Annotated[UUID | None, Query(description="Only of this workflow.")] = None,
    active: Annotated[bool | None, Query(description="Only active, or only inactive ones.")] = None,
    cursor: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next_cursor` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Items in a page at most.")] = 50,
) -> Page[WebhookItem]:
    """Ordered by path and method."""
    base = server.settings.base_url.rstrip("/")
    found = [
        WebhookItem(
            workflow_id=webhook.workflow_id,
            workflow=webhook.workflow,
            organization_id=webhook.organization_id,
            node_id=webhook.node_id,
            method=webhook.method,
            path=webhook.path,
            url=f"{base}/webhooks{webhook.path}",
            test_url=f"{base}/webhooks-test{webhook.path}",
            active=webhook.active,
            auth=str(webhook.config.get("auth", "none")),
            response_mode=str(webhook.config.get("response_mode", "at_once")),
        )
        for webhook in server.workflows.webhooks(organizations=access.organizations)
        if workflow_id in {None, webhook.workflow_id} and active in {None, webhook.active}
    ]
    end = cursor + limit
    return Page(items=found[cursor:end], next_cursor=end if len(found) > end else None)
