"""Who you are."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request

from nbflow.accounts.organization import Organization
from nbflow.accounts.rights import Permission, Role
from nbflow.accounts.user import User
from nbflow.server.access import principal_of
from nbflow.server.auth.header import bearer
from nbflow.server.errors import ApiError, responses
from nbflow.server.principal import Kind, Principal
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.state import State

router = APIRouter(prefix="/auth", tags=["accounts"])


class SyncBody(Body):
    """An identity provider's token, for callers that cannot send it as a header."""

    token: str = Field(
        min_length=1, max_length=16_384, description="As the provider made it: three parts with dots between.", examples=["eyJhbGciOi..."]
    )


class UserItem(Answer):
    """A person."""

    id: UUID
    name: str | None
    email: str | None = Field(description="Verified by the identity provider, or the address of an invitation.")
    active: bool
    created_at: datetime
    last_seen_at: datetime | None


class MembershipItem(Answer):
    """What you are in an organization."""

    id: UUID = Field(description="Of the organization.")
    name: str
    slug: str
    plan: str
    role: Role
    permissions: list[Permission] = Field(description="What this credential allows there.")


class Me(Answer):
    """Who you are, and what you may do where."""

    user: UserItem
    organizations: list[MembershipItem]
    signed_in_by: Kind = Field(description="`none`: this server has no sign-in.")
    api_key_id: UUID | None = Field(description="Of the API key that was sent, if it was one.")


@router.post("/sync", summary="Sign in by identity provider", responses=responses(400, 401, 403, 409))
async def sync(request: Request, server: State, body: SyncBody | None = None) -> Me:
    """Makes your account on first sight, with an organization and a workspace, and keeps name and address up to date afterwards.

    The token goes into the body or into `Authorization: Bearer`. Any other route takes it too, and does the same by itself.
    """
    if server.settings.auth != "oidc":
        message = (
            f"this server signs in by '{server.settings.auth}', not by an identity provider; whoever runs it can change that (auth, oidc.issuer)"
        )
        raise ApiError(409, "no_identity_provider", message)
    token = body.token if body is not None else bearer(request.headers)
    if token is None:
        raise ApiError(401, "not_signed_in", "send the identity provider's token as 'Authorization: Bearer <token>' or as {\"token\": ...}")
    identity = await server.authenticator.provider.identity(token)
    address = request.client.host if request.client else None
    return await _me(server, await server.authenticator.identified(identity, address))


@router.get("/me", summary="Who am I")
async def me(server: State, principal: Annotated[Principal, Depends(principal_of)]) -> Me:
    """You, your organizations, and what your credential allows in each."""
    return await _me(server, principal)


async def _me(server: State, principal: Principal) -> Me:
    organizations = await server.authenticator.roster.organizations(principal.organizations)
    return Me(
        user=user_item(principal.user),
        organizations=[_membership(principal, organization) for organization in organizations],
        signed_in_by=principal.kind,
        api_key_id=principal.api_key.id if principal.api_key else None,
    )


def user_item(user: User) -> UserItem:
    """The answer for a user."""
    return UserItem(**{name: getattr(user, name) for name in UserItem.model_fields})


def _membership(principal: Principal, organization: Organization) -> MembershipItem:
    facts = {name: getattr(organization, name) for name in ("id", "name", "slug", "plan")}
    return MembershipItem(**facts, role=principal.memberships[organization.id], permissions=sorted(principal.rights(organization.id)))
