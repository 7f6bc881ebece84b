"""Members: users in an organization, each with a role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.accounts.stored import Stored, now, statement
from nbflow.accounts.user import LOCAL_SUBJECT, User
from nbflow.core.errors import AccountConflictError, LastOwnerError, QueryError, UnknownAccountError
from nbflow.core.ids import new_id
from nbflow.core.states import Role
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from nbflow.accounts.stored import Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A user of an organization."""

    user: User
    role: Role
    invited_by: UUID | None
    created_at: datetime


class Members(Stored):
    """See Directory."""

    def members(self, organization_id: UUID, *, after: UUID | None = None, limit: int = 1000) -> list[Member]:
        """By user id; `after` is the last one of the page before."""
        return [_member(row) for row in self._rows("members", organization_id=organization_id, user_id=None, after=after, limit=limit)]

    def member(self, organization_id: UUID, user_id: UUID) -> Member:
        """Raises UnknownAccountError."""
        found = self._rows("members", organization_id=organization_id, user_id=user_id, after=None, limit=1)
        if not found:
            raise UnknownAccountError(user_id, "member")
        return _member(found[0])

    def invite(self, organization_id: UUID, email: str, role: Role, *, actor: Actor = LOCAL) -> Member:
        """A member by address. Where nobody has it yet, whoever first signs in with this address, verified by the identity provider, is it.

        Raises AccountConflictError for somebody who is a member already.
        """
        known = self._rows("user_by_email", email=email)
        if known:
            return self.add_member(organization_id, known[0]["id"], role, actor=actor)
        user_id, moment = new_id(), now()
        user = statement("user_add", id=user_id, subject=None, email=email, name=None, now=moment, seen=None)
        return self._add(organization_id, user_id, role, actor, user, invited=email)

    def add_member(self, organization_id: UUID, user_id: UUID, role: Role, *, actor: Actor = LOCAL) -> Member:
        """Raises UnknownAccountError for an unknown user, AccountConflictError for a member."""
        if not self._rows("user", id=user_id):
            raise UnknownAccountError(user_id, "user")
        return self._add(organization_id, user_id, role, actor)

    def change_member(self, organization_id: UUID, user_id: UUID, role: Role, *, actor: Actor = LOCAL) -> Member:
        """Gives a member another role, at once also for their sessions and keys.

        Raises UnknownAccountError, LastOwnerError; AccountConflictError for the person at this machine.
        """
        before = self._movable(organization_id, user_id)
        change = statement("member_change", organization_id=organization_id, user_id=user_id, role=str(role))
        written = {"before": {"role": str(before.role)}, "after": {"role": str(role)}}
        self._keep_an_owner(organization_id, [change, entry(actor, "member.changed", "member", user_id, organization_id=organization_id, **written)])
        return self.member(organization_id, user_id)

    def remove_member(self, organization_id: UUID, user_id: UUID, *, actor: Actor = LOCAL) -> None:
        """Ends a membership and revokes the member's keys for the organization. Raises as `change_member` does."""
        before = self._movable(organization_id, user_id)
        whose = {"organization_id": organization_id, "user_id": user_id}
        self._keep_an_owner(
            organization_id,
            [
                statement("member_remove", **whose),
                statement("keys_of_member_revoke", **whose, now=now()),
                entry(actor, "member.removed", "member", user_id, organization_id=organization_id, before={"role": str(before.role)}),
            ],
        )

    def _movable(self, organization_id: UUID, user_id: UUID) -> Member:
        found = self.member(organization_id, user_id)
        if found.user.subject == LOCAL_SUBJECT:
            msg = "the person at this machine can do everything in this project anyway, and stays its owner"
            raise AccountConflictError(msg)
        return found

    def _add(self, organization_id: UUID, user_id: UUID, role: Role, actor: Actor, *first: Statement, invited: str | None = None) -> Member:
        whose = {"organization_id": organization_id, "user_id": user_id}
        after = {"role": str(role)} | ({"invited": invited} if invited else {})
        try:
            self.store.transact(
                [
                    *first,
                    statement("guard_no_member", **whose),
                    statement("member_add", **whose, role=str(role), invited_by=actor.user_id, now=now()),
                    entry(actor, "member.added", "member", user_id, organization_id=organization_id, after=after),
                ]
            )
        except QueryError as error:
            if "nbflow:member_exists" not in str(error):
                raise
            msg = f"user '{user_id}' is a member of this organization already: change the role instead"
            raise AccountConflictError(msg) from None
        return self.member(organization_id, user_id)

    def _keep_an_owner(self, organization_id: UUID, changes: list[Statement]) -> None:
        try:
            self.store.transact([*changes, statement("guard_owner", organization_id=organization_id)])
        except QueryError as error:
            if "nbflow:last_owner" not in str(error):
                raise
            [organization] = self._rows("organization", id=organization_id)
            raise LastOwnerError(organization["name"]) from None


def _member(row: dict[str, Any]) -> Member:
    own = {"role": Role(row.pop("role")), "invited_by": row.pop("invited_by"), "created_at": row.pop("joined_at")}
    return Member(user=User(**row), **own)
