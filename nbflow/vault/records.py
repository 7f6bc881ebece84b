"""Credentials as the store keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from nbflow.store.interface import Store

_SQL = "credentials.sql"


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialInfo:
    """What may be known of a credential: everything but its secrets."""

    id: UUID
    organization_id: UUID | None  # None: made before there was an organization; it belongs to the first
    name: str
    kind: str
    fields: Mapping[str, Any]  # values that are not secret
    secret_fields: tuple[str, ...]  # names of those that are
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None  # to the hour


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """A credential with its encrypted values."""

    info: CredentialInfo
    secret: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Whose credentials: one organization's, or (None) those of a project in which nobody has signed in yet."""

    organization_id: UUID | None
    first: bool  # the project's first organization, which the machine's own environment belongs to as well

    def params(self) -> dict[str, Any]:
        """For the queries."""
        return {"organization_id": None if self.organization_id is None else str(self.organization_id), "first": self.first}


def scope_of(store: Store, organization_id: UUID | None) -> Scope:
    """None asks for the first organization."""
    rows = store.query(statements(_SQL)["first_organization"]).rows
    first: UUID | None = rows[0][0] if rows else None
    if organization_id is None:
        return Scope(organization_id=first, first=True)
    return Scope(organization_id=organization_id, first=organization_id == first)


def listed(store: Store, scope: Scope) -> list[CredentialInfo]:
    """By name."""
    return [_info(row) for row in store.query(statements(_SQL)["list"], scope.params()).rows]


def found(store: Store, scope: Scope, name: str) -> Sealed | None:
    """By name or id."""
    rows = store.query(statements(_SQL)["find"], scope.params() | {"name": name}).rows
    return Sealed(info=_info(rows[0][:-1]), secret=bytes(rows[0][-1])) if rows else None


def everything(store: Store) -> list[tuple[UUID, UUID | None, str, bytes]]:
    """(id, organization, kind, sealed value) of all organizations."""
    return [(row[0], row[1], row[2], bytes(row[3])) for row in store.query(statements(_SQL)["all"]).rows]


def _info(row: tuple[Any, ...]) -> CredentialInfo:
    id_, organization_id, name, kind, metadata, created, updated, used = row
    known = json.loads(metadata or "{}")
    return CredentialInfo(
        id=id_,
        organization_id=organization_id,
        name=name,
        kind=kind,
        fields=known.get("fields", {}),
        secret_fields=tuple(known.get("secrets", ())),
        created_at=created.replace(tzinfo=UTC),
        updated_at=updated.replace(tzinfo=UTC),
        last_used_at=None if used is None else used.replace(tzinfo=UTC),
    )
