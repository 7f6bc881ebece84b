"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nbflow.accounts.rights import Permission, Role, rights
from nbflow.store.audit import Actor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from nbflow.accounts.api_key import ApiKey
    from nbflow.accounts.user import User

Kind = Literal["token", "session", "api_key", "oidc", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """A signed-in user and how they signed in. The gate leaves it in `scope["state"]["principal"]`, also for websockets."""

    user: User
    memberships: Mapping[UUID, Role]  # organization id -> role; of an API key only its own organization
    kind: Kind  # `token`: the server's own; `session`: cookie; `oidc`: the provider's token; `none`: a server without sign-in
    api_key: ApiKey | None = None
    scopes: frozenset[Permission] = frozenset()  # of an API key; empty: no further limit
    session_id: UUID | None = None

    @property
    def organizations(self) -> frozenset[UUID]:
        """The organizations whose things exist for this principal; everything else is answered 404."""
        return frozenset(self.memberships)

    def rights(self, organization_id: UUID) -> frozenset[Permission]:
        """All that is allowed in an organization; empty where the user is no member."""
        role = self.memberships.get(organization_id)
        if role is None:
            return frozenset()
        return rights(role, ceiling=self.api_key.role if self.api_key else None, scopes=self.scopes)

    def may(self, permission: Permission, organization_id: UUID) -> bool:
        """Whether this is allowed there."""
        return permission in self.rights(organization_id)

    def where(self, permission: Permission) -> frozenset[UUID]:
        """The organizations in which this is allowed."""
        return frozenset(organization for organization in self.memberships if self.may(permission, organization))

    def may_give(self, given: Collection[Permission], organization_id: UUID) -> bool:
        """Nobody gives (by role or key) more than they have."""
        return self.rights(organization_id) >= frozenset(given)

    def actor(self, address: str | None) -> Actor:
        """For the audit log. `address` is the caller's, as the server saw it."""
        return Actor(user_id=self.user.id, api_key_id=self.api_key.id if self.api_key else None, address=address)
