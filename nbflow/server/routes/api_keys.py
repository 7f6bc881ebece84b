"""API keys: for programs that act for somebody."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nbflow.accounts.api_key import ApiKey
from nbflow.accounts.rights import Permission, Role, rights
from nbflow.core.errors import ForbiddenError
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Cursor, Limit, Page, page
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.schemas.name import Name
from nbflow.server.state import ServerState, State

router = APIRouter(prefix="/api-keys", tags=["accounts"])

Own = Annotated[Access, require(Permission.APIKEY_OWN)]


class NewKey(Body):
    """A key to be made, for yourself."""

    name: Name = Field(description="What it is for.", examples=["nightly report"])
    organization_id: UUID | None = Field(default=None, description="The one organization that it opens; without it, your oldest.")
    role: Role | None = Field(default=None, description="The most that it may, whatever you may; without it, all that you may.")
    scopes: list[Permission] = Field(
        default_factory=list, max_length=len(Permission), description="Only this of it; empty: all.", examples=[["workflow.run"]]
    )
    expires_in_days: int | None = Field(default=None, ge=1, le=3650, description="Without it, it works until it is revoked.")


class KeyItem(Answer):
    """All that may be known of a key."""

    id: UUID
    organization_id: UUID
    user_id: UUID
    name: str
    prefix: str = Field(description="How it begins, to recognize it by.", examples=["nbf_Xy1zAb2c"])
    role: Role | None
    scopes: list[Permission]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To ten minutes.")
    revoked_at: datetime | None


class MadeKey(KeyItem):
    """A key that was just made."""

    key: str = Field(description="The key itself. It is shown this once: only a hash of it is kept.", examples=["nbf_..."])


@router.get("", summary="List API keys", responses=responses(404))
def list_keys(
    server: State,
    access: Own,
    *,
    organization_id: Annotated[UUID | None, Query(description="Only for this organization.")] = None,
    of_all: Annotated[bool, Query(description="Those of all members, which needs the permission apikey.all; else your own.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[KeyItem]:
    """Newest first, revoked and expired ones too."""
    wanted = Permission.APIKEY_ALL if of_all else Permission.APIKEY_OWN
    organizations = {access.check(organization_id, wanted)} if organization_id else access.where(wanted)
    user_id = None if of_all else access.principal.user.id
    found = server.directory.keys(organizations, user_id=user_id, before=cursor, limit=limit + 1)
    return page(found, limit, _item, lambda key: key.id)


@router.post("", status_code=201, summary="Make an API key", responses=responses(404))
def create_key(server: State, access: Own, body: NewKey, response: Response) -> MadeKey:
    """The answer holds the key, once. A key cannot make one that may more than itself."""
    organization_id = access.choose(body.organization_id)
    principal = access.principal
    given = rights(principal.memberships[organization_id], ceiling=body.role, scopes=body.scopes)
    if not principal.may_give(given, organization_id):
        msg = "an API key cannot make a key that may more than itself: give it fewer scopes or a lower role, or sign in yourself"
        raise ForbiddenError(msg, permission=", ".join(sorted(given - principal.rights(organization_id))))
    expires_at = None if body.expires_in_days is None else datetime.now(UTC) + timedelta(days=body.expires_in_days)
    key, plain = server.directory.create_key(
        organization_id, principal.user.id, body.name, role=body.role, scopes=body.scopes, expires_at=expires_at, actor=access.actor
    )
    response.headers["Location"] = f"./api-keys/{key.id}"
    response.headers["Cache-Control"] = "no-store"
    return MadeKey(**_item(key).model_dump(), key=plain)


@router.get("/{key_id}", summary="One API key", responses=responses(404))
def get_key(server: State, access: Own, key_id: UUID) -> KeyItem:
    """Without the key itself."""
    return _item(_find(server, access, key_id))


@router.delete("/{key_id}", status_code=204, summary="Revoke an API key", responses=responses(404))
def revoke_key(server: State, access: Own, key_id: UUID) -> None:
    """It is refused from now on, everywhere. It stays in the list."""
    server.directory.revoke(_find(server, access, key_id).id, actor=access.actor)


def _find(server: ServerState, access: Access, key_id: UUID) -> ApiKey:
    """404 for one of another organization, 403 for somebody else's without the right to all."""
    key = server.directory.key_of(access.principal.organizations, key_id)
    access.check(key.organization_id, Permission.APIKEY_OWN if key.user_id == access.principal.user.id else Permission.APIKEY_ALL)
    return key


def _item(key: ApiKey) -> KeyItem:
    facts = {name: getattr(key, name) for name in KeyItem.model_fields}
    return KeyItem(**facts | {"scopes": list(key.scopes)})
