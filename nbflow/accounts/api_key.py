"""API keys: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.accounts.rights import Permission
from nbflow.accounts.stored import Stored, now, statement
from nbflow.core.errors import ExpiredApiKeyError, RevokedApiKeyError, UnknownAccountError, UnknownApiKeyError
from nbflow.core.ids import new_id
from nbflow.core.states import Role
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

PREFIX = "nbf_"
_RANDOM_BYTES = 32
_SHOWN_CHARACTERS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key of a user for one organization. It allows what its user may there now, cut to `role` and `scopes` where it has them."""

    id: UUID
    organization_id: UUID
    user_id: UUID
    name: str
    prefix: str  # the first characters, to recognize it by
    role: Role | None
    scopes: tuple[Permission, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeys(Stored):
    """See Directory."""

    def create_key(
        self,
        organization_id: UUID,
        user_id: UUID,
        name: str,
        *,
        role: Role | None = None,
        scopes: Collection[Permission] = (),
        expires_at: datetime | None = None,
        actor: Actor = LOCAL,
    ) -> tuple[ApiKey, str]:
        """A key and its text, which is nowhere after this: the store has its SHA-256. A slow hash is for passwords, which can be guessed."""
        id_, plain = new_id(), PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        new = {"organization_id": organization_id, "user_id": user_id, "name": name, "prefix": plain[:_SHOWN_CHARACTERS]}
        limits = {"role": None if role is None else str(role), "scopes": sorted({str(scope) for scope in scopes})}
        written = {"name": name, "prefix": new["prefix"], "user": str(user_id), **limits, "expires_at": expires_at}
        self.store.transact(
            [
                statement("key_add", id=id_, **new, **limits, key_hash=_hash(plain), expires_at=expires_at, now=now()),
                entry(actor, "api_key.created", "api_key", id_, organization_id=organization_id, after=written),
            ]
        )
        return self.key(id_), plain

    def key(self, id_: UUID) -> ApiKey:
        """Raises UnknownAccountError."""
        found = self._rows("key", id=id_)
        if not found:
            raise UnknownAccountError(id_, "API key")
        return _key(found[0])

    def key_of(self, organizations: Collection[UUID], id_: UUID) -> ApiKey:
        """The key, if it is for one of these organizations. Raises UnknownAccountError."""
        key = self.key(id_)
        if key.organization_id not in organizations:
            raise UnknownAccountError(id_, "API key")
        return key

    def keys(self, organizations: Collection[UUID], *, user_id: UUID | None = None, before: UUID | None = None, limit: int = 1000) -> list[ApiKey]:
        """Those for the organizations (of one user, or of all), newest first, revoked ones too; `before` is the last id of the page before."""
        wanted = [str(id_) for id_ in organizations]
        return [_key(row) for row in self._rows("keys", organizations=wanted, user_id=user_id, before=before, limit=limit)]

    def revoke(self, id_: UUID, *, actor: Actor = LOCAL) -> ApiKey:
        """Ends a key at once; again has no effect. Raises UnknownAccountError."""
        found = self.key(id_)
        if found.revoked_at is None:
            written = entry(
                actor, "api_key.revoked", "api_key", id_, organization_id=found.organization_id, before={"name": found.name, "prefix": found.prefix}
            )
            self.store.transact([statement("key_revoke", id=id_, now=now()), written])
        return self.key(id_)

    def verify_key(self, plain: str) -> ApiKey:
        """The key with this text. Raises UnknownApiKeyError, RevokedApiKeyError, ExpiredApiKeyError."""
        wanted = _hash(plain)
        found = [row for row in self._rows("key_by_hash", key_hash=wanted) if hmac.compare_digest(row.pop("key_hash"), wanted)]
        if not found:
            msg = f"no API key '{plain[:_SHOWN_CHARACTERS]}...' was made on this server: compare it with the one you were shown, or make a new one"
            raise UnknownApiKeyError(msg)
        key = _key(found[0])
        check_key(key)
        return key

    def key_used(self, id_: UUID) -> None:
        """Notes that it was used now. Like each change this makes caches read again, so not for every request."""
        self.store.transact([statement("key_used", id=id_, now=now())])


def check_key(key: ApiKey) -> None:
    """Raises RevokedApiKeyError or ExpiredApiKeyError for a key that has ended."""
    if key.revoked_at is not None:
        msg = f"API key '{key.name}' ({key.prefix}...) was revoked on {key.revoked_at:%Y-%m-%d %H:%M} UTC: make a new one"
        raise RevokedApiKeyError(msg)
    if key.expires_at is not None and key.expires_at <= now():
        msg = f"API key '{key.name}' ({key.prefix}...) expired on {key.expires_at:%Y-%m-%d %H:%M} UTC: make a new one"
        raise ExpiredApiKeyError(msg)


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _key(row: dict[str, Any]) -> ApiKey:
    role = row["role"]
    return ApiKey(**row | {"role": None if role is None else Role(role), "scopes": tuple(Permission(name) for name in row["scopes"] or ())})
