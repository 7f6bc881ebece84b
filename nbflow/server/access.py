"""What a route asks of whoever calls it: `access: Annotated[Access, require(Permission.WORKFLOW_READ)]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi import Depends
from starlette.requests import HTTPConnection  # noqa: TC002  (FastAPI reads the annotation)

from nbflow.core.errors import ForbiddenError, NotSignedInError, UnknownAccountError
from nbflow.server.principal import Principal

if TYPE_CHECKING:
    from uuid import UUID

    from nbflow.accounts.rights import Permission
    from nbflow.store.audit import Actor


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """A principal with the permission that the route asked for, somewhere."""

    principal: Principal
    permission: Permission
    organizations: frozenset[UUID]  # those where it is allowed: what a list shows, what a look-up may find
    actor: Actor

    def check(self, organization_id: UUID, permission: Permission | None = None) -> UUID:
        """Gives the id back when the route's permission (or another) is had there.

        Raises ForbiddenError (403) in one's own organization, UnknownAccountError (404) elsewhere.
        """
        wanted = permission or self.permission
        if organization_id not in self.principal.memberships:
            raise UnknownAccountError(organization_id, "organization")
        if not self.principal.may(wanted, organization_id):
            raise _forbidden(self.principal, wanted)
        return organization_id

    def where(self, permission: Permission) -> frozenset[UUID]:
        """The organizations in which another permission than the route's is had. Raises ForbiddenError when there is none."""
        return self.principal.where(permission) or _none(self.principal, permission)

    def choose(self, organization_id: UUID | None) -> UUID:
        """The organization for something new: the one named (checked as in `check`), else the oldest in which this is allowed."""
        return min(self.organizations) if organization_id is None else self.check(organization_id)


def principal_of(connection: HTTPConnection) -> Principal:
    """Whoever the gate found. Raises NotSignedInError (401) on a route that the gate leaves open."""
    found = connection.scope.get("state", {}).get("principal")
    if not isinstance(found, Principal):
        msg = "sign in first: send 'Authorization: Bearer <token or API key>', or open the server's page in a browser"
        raise NotSignedInError(msg)
    return found


def require(permission: Permission) -> Any:
    """The dependency that gives a route its `Access`. Raises ForbiddenError (403) when no organization of the caller allows this."""

    async def access(connection: HTTPConnection) -> Access:
        principal = principal_of(connection)
        organizations = principal.where(permission) or _none(principal, permission)
        address = connection.client.host if connection.client else None
        return Access(principal=principal, permission=permission, organizations=organizations, actor=principal.actor(address))

    return Depends(access)


def _none(principal: Principal, permission: Permission) -> NoReturn:
    raise _forbidden(principal, permission)


def _forbidden(principal: Principal, permission: Permission) -> ForbiddenError:
    if principal.api_key is not None:
        message = f"API key '{principal.api_key.name}' ({principal.api_key.prefix}...) does not allow {permission}: make one that does"
    else:
        roles = " or ".join(sorted({str(role) for role in principal.memberships.values()})) or "nobody's member"
        message = f"{principal.user.label} is {roles} and may not do this ({permission}): an owner or admin of the organization can change that"
    return ForbiddenError(message, permission=str(permission))
