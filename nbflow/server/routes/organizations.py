"""Organizations, and who is a member of them with which role."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from nbflow.accounts.member import Member
from nbflow.accounts.organization import Organization
from nbflow.accounts.rights import RIGHTS, Permission, Role
from nbflow.core.errors import ForbiddenError
from nbflow.server.access import Access, require
from nbflow.server.errors import responses
from nbflow.server.paging import Cursor, Limit, Page, page, whole
from nbflow.server.routes.auth import UserItem, user_item
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.schemas.name import Email, Name
from nbflow.server.state import State

router = APIRouter(prefix="/organizations", tags=["accounts"])

Reading = Annotated[Access, require(Permission.ORGANIZATION_READ)]
Writing = Annotated[Access, require(Permission.ORGANIZATION_WRITE)]
Deleting = Annotated[Access, require(Permission.ORGANIZATION_DELETE)]
ReadingMembers = Annotated[Access, require(Permission.MEMBER_READ)]
WritingMembers = Annotated[Access, require(Permission.MEMBER_WRITE)]


class OrganizationBody(Body):
    """What an organization is called."""

    name: Name = Field(examples=["Research"])


class OrganizationItem(Answer):
    """An organization of yours."""

    id: UUID
    name: str
    slug: str = Field(description="Made of the first name; it never changes.")
    plan: str
    role: Role = Field(description="Yours.")
    created_at: datetime
    updated_at: datetime


class Invitation(Body):
    """A member by address."""

    email: Email = Field(
        description="Whoever signs in with this address, verified by the identity provider, is the member.", examples=["ada@example.org"]
    )
    role: Role = Field(examples=["developer"])


class KnownMember(Body):
    """A user of this server as a member."""

    user_id: UUID
    role: Role


class RoleBody(Body):
    """Another role."""

    role: Role = Field(examples=["viewer"])


class MemberItem(Answer):
    """A member."""

    user: UserItem
    role: Role
    invited_by: UUID | None
    created_at: datetime
    signed_in: bool = Field(description="false: invited, and not seen yet.")


@router.get("", summary="List organizations")
def list_organizations(server: State, access: Reading) -> Page[OrganizationItem]:
    """Those you are a member of, oldest first."""
    return whole([_item(access, server.directory.organization(id_)) for id_ in sorted(access.organizations)])


@router.post("", status_code=201, summary="Make an organization")
def create_organization(server: State, access: Writing, body: OrganizationBody, response: Response) -> OrganizationItem:
    """You own it. Only who runs an organization already may make another: in their own people can do everything."""
    if access.principal.api_key is not None:
        msg = "an API key belongs to one organization and cannot make another: sign in yourself"
        raise ForbiddenError(msg, permission=Permission.ORGANIZATION_WRITE)
    made = server.directory.create_organization(body.name, access.principal.user.id, actor=access.actor)
    response.headers["Location"] = f"./organizations/{made.id}"
    return _item(access, made, role=Role.OWNER)


@router.get("/{organization_id}", summary="One organization", responses=responses(404))
def get_organization(server: State, access: Reading, organization_id: UUID) -> OrganizationItem:
    """With your role in it."""
    return _item(access, server.directory.organization(access.check(organization_id)))


@router.put("/{organization_id}", summary="Rename an organization", responses=responses(404))
def change_organization(server: State, access: Writing, organization_id: UUID, body: OrganizationBody) -> OrganizationItem:
    """Its slug stays."""
    return _item(access, server.directory.rename_organization(access.check(organization_id), body.name, actor=access.actor))


@router.delete("/{organization_id}", status_code=204, summary="Delete an organization", responses=responses(404, 409))
def delete_organization(server: State, access: Deleting, organization_id: UUID) -> None:
    """With its members, keys, credentials and workspaces; 409 while it has workflows. The default organization stays."""
    server.directory.delete_organization(access.check(organization_id), actor=access.actor)


@router.get("/{organization_id}/members", summary="List members", responses=responses(404))
def list_members(server: State, access: ReadingMembers, organization_id: UUID, cursor: Cursor = None, limit: Limit = 50) -> Page[MemberItem]:
    """In the order in which they came to this server."""
    found = server.directory.members(access.check(organization_id), after=cursor, limit=limit + 1)
    return page(found, limit, _member, lambda member: member.user.id)


@router.post("/{organization_id}/members", status_code=201, summary="Add a member", responses=responses(404, 409))
def add_member(server: State, access: WritingMembers, organization_id: UUID, body: Invitation | KnownMember) -> MemberItem:
    """By address or by the id of a user, with at most what you may yourself."""
    _may_give(access, access.check(organization_id), body.role)
    if isinstance(body, Invitation):
        return _member(server.directory.invite(organization_id, body.email, body.role, actor=access.actor))
    return _member(server.directory.add_member(organization_id, body.user_id, body.role, actor=access.actor))


@router.put("/{organization_id}/members/{user_id}", summary="Change a member's role", responses=responses(404, 409))
def change_member(server: State, access: WritingMembers, organization_id: UUID, user_id: UUID, body: RoleBody) -> MemberItem:
    """It holds at once, also for their sessions and keys. The last owner stays."""
    _may_give(access, access.check(organization_id), body.role)
    _may_give(access, organization_id, server.directory.member(organization_id, user_id).role)
    return _member(server.directory.change_member(organization_id, user_id, body.role, actor=access.actor))


@router.delete("/{organization_id}/members/{user_id}", status_code=204, summary="Remove a member", responses=responses(404, 409))
def remove_member(server: State, access: WritingMembers, organization_id: UUID, user_id: UUID) -> None:
    """Revokes their keys for this organization. What they made stays. The last owner stays."""
    _may_give(access, access.check(organization_id), server.directory.member(organization_id, user_id).role)
    server.directory.remove_member(organization_id, user_id, actor=access.actor)


def _may_give(access: Access, organization_id: UUID, role: Role) -> None:
    """Nobody gives, or takes from somebody, more than they have."""
    if not access.principal.may_give(RIGHTS[role], organization_id):
        msg = f"'{role}' may more than you may here: ask somebody who has as much"
        raise ForbiddenError(msg, permission=Permission.MEMBER_WRITE)


def _item(access: Access, organization: Organization, *, role: Role | None = None) -> OrganizationItem:
    facts = {name: getattr(organization, name) for name in OrganizationItem.model_fields if name != "role"}
    return OrganizationItem(**facts, role=role or access.principal.memberships[organization.id])


def _member(member: Member) -> MemberItem:
    return MemberItem(
        user=user_item(member.user),
        role=member.role,
        invited_by=member.invited_by,
        created_at=member.created_at,
        signed_in=member.user.subject is not None,
    )
