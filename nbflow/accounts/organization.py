"""Organizations: who owns workflows, credentials and executions; nothing of one is seen in another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from nbflow.accounts.stored import Statement, Stored, now, statement
from nbflow.core.errors import AccountConflictError, QueryError, UnknownAccountError
from nbflow.core.ids import new_id
from nbflow.core.states import Role
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

DEFAULT_SLUG = "default"
_SLUG_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """An organization; `slug` is unique and made of the name."""

    id: UUID
    name: str
    slug: str
    plan: str  # free, pro, team or enterprise
    settings: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """What a user is in an organization."""

    organization: Organization
    role: Role


class Organizations(Stored):
    """See Directory."""

    def organization(self, id_: UUID) -> Organization:
        """Raises UnknownAccountError."""
        found = self._rows("organization", id=id_)
        if not found:
            raise UnknownAccountError(id_, "organization")
        return _organization(found[0])

    def organizations(self, user_id: UUID) -> list[Membership]:
        """Where the user is a member, oldest first."""
        return [Membership(role=Role(row.pop("role")), organization=_organization(row)) for row in self._rows("memberships", user_id=user_id)]

    def create_organization(self, name: str, owner_id: UUID, *, actor: Actor = LOCAL) -> Organization:
        """With its owner and a first workspace."""
        id_, changes = self._new_organization(name, owner_id, actor)
        self.store.transact(changes)
        return self.organization(id_)

    def rename_organization(self, id_: UUID, name: str, *, actor: Actor = LOCAL) -> Organization:
        """The slug stays: others may have written it down. Raises UnknownAccountError."""
        before = self.organization(id_)
        written = entry(actor, "organization.updated", "organization", id_, organization_id=id_, before={"name": before.name}, after={"name": name})
        self.store.transact([statement("organization_rename", id=id_, name=name, now=now()), written])
        return self.organization(id_)

    def delete_organization(self, id_: UUID, *, actor: Actor = LOCAL) -> None:
        """With its workspaces, members, keys and credentials. What it has done stays in the audit log.

        Raises UnknownAccountError; AccountConflictError while it has workflows, and for the default organization.
        """
        before = self.organization(id_)
        if before.slug == DEFAULT_SLUG:
            msg = f"'{before.name}' is where notebooks of this project publish to: it stays; delete its workflows instead"
            raise AccountConflictError(msg)
        names = ("keys", "credentials", "workspaces", "members")
        try:
            self.store.transact(
                [
                    statement("guard_organization_empty", id=id_),
                    *(statement(f"organization_delete_{name}", id=id_) for name in names),
                    statement("organization_delete", id=id_),
                    entry(actor, "organization.deleted", "organization", id_, organization_id=id_, before={"name": before.name}),
                ]
            )
        except QueryError as error:
            if "nbflow:has_workflows" not in str(error):
                raise
            msg = f"organization '{before.name}' still has workflows: delete them first"
            raise AccountConflictError(msg) from None

    def _new_organization(self, name: str, owner_id: UUID, actor: Actor, *, slug: str | None = None) -> tuple[UUID, list[Statement]]:
        """The statements that make one with its owner and first workspace."""
        id_, moment = new_id(), now()
        workspace = {"id": new_id(), "organization_id": id_, "name": "Default", "description": "", "created_by": owner_id}
        return id_, [
            statement("organization_add", id=id_, name=name, slug=slug or self._free_slug(name), now=moment),
            statement("member_add", organization_id=id_, user_id=owner_id, role="owner", invited_by=None, now=moment),
            statement("workspace_add", **workspace, now=moment),
            entry(actor, "organization.created", "organization", id_, organization_id=id_, after={"name": name, "owner": str(owner_id)}),
        ]

    def _free_slug(self, name: str) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_SLUG_CHARACTERS] or "organization"
        taken = {row["slug"] for row in self._rows("slugs", slug=slug)} | {DEFAULT_SLUG}
        return next(found for number in range(1, len(taken) + 2) if (found := slug if number == 1 else f"{slug}-{number}") not in taken)


def _organization(row: dict[str, Any]) -> Organization:
    return Organization(**row | {"settings": orjson.loads(row["settings"] or "{}")})
