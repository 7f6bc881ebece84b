"""Who changed what."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from nbflow.accounts.audit_log import AuditEntry
from nbflow.accounts.rights import Permission
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Cursor, Limit, Page, page
from nbflow.server.schemas.base import Answer
from nbflow.server.schemas.moment import Moment
from nbflow.server.state import State

router = APIRouter(prefix="/audit-logs", tags=["accounts"])

Filter = Annotated[str | None, Query(max_length=100)]


class AuditActor(Answer):
    """Who did it. Without a user: somebody at the server's machine, by notebook or command line."""

    user_id: UUID | None
    name: str | None = Field(description="The user's present name or address.")
    api_key_id: UUID | None
    api_key: str | None = Field(description="The present name of the key.")
    address: str | None = Field(description="Of the caller, as the server saw it.")


class AuditItem(Answer):
    """One change."""

    id: UUID
    organization_id: UUID
    action: str = Field(examples=["workflow.updated"])
    actor: AuditActor
    subject_type: str = Field(examples=["workflow"])
    subject_id: str
    before: dict[str, Any] | None = Field(description="What was changed, as it was.")
    after: dict[str, Any] | None = Field(description="As it is since.")
    created_at: datetime


@router.get("", summary="List changes", responses=responses(404))
def list_audit_logs(
    server: State,
    access: Annotated[Access, require(Permission.AUDIT_READ)],
    *,
    organization_id: Annotated[UUID | None, Query(description="Only of this organization.")] = None,
    action: Filter = None,
    subject_type: Filter = None,
    subject_id: Filter = None,
    user_id: Annotated[UUID | None, Query(description="Only by this user.")] = None,
    start_date: Annotated[Moment | None, Query(description="At this time or later, ISO 8601; without a zone it is UTC.")] = None,
    end_date: Annotated[Moment | None, Query(description="Before this time.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AuditItem]:
    """Newest first. Every change that anybody makes is here, and stays."""
    organizations = {access.check(organization_id)} if organization_id else access.organizations
    found = server.directory.audit(
        organizations,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        user_id=user_id,
        since=start_date,
        until=end_date,
        before=cursor,
        limit=limit + 1,
    )
    return page(found, limit, _item, lambda entry: entry.id)


def _item(entry: AuditEntry) -> AuditItem:
    actor = AuditActor(
        user_id=entry.user_id,
        name=entry.user_name or entry.user_email,
        api_key_id=entry.api_key_id,
        api_key=entry.api_key_name,
        address=entry.address,
    )
    own = set(AuditItem.model_fields) - {"actor"}
    return AuditItem(actor=actor, **{name: getattr(entry, name) for name in own})
