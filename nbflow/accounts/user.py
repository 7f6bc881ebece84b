"""People: those an identity provider vouches for, those invited by address, and the one at this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.accounts.stored import Stored, now, statement
from nbflow.core.errors import UnknownAccountError
from nbflow.store.audit import LOCAL, Actor, entry

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

LOCAL_SUBJECT = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who an identity provider says somebody is. Issuer and subject together name a person for ever (OpenID Connect Core, 5.7)."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None

    @property
    def address(self) -> str | None:
        """The address if it is verified. Another one is not kept: who invites it would let in whoever claims it."""
        return self.email if self.email_verified else None

    @property
    def key(self) -> str:
        """What `users.subject` holds: the same subject of another issuer is another person."""
        return f"{self.issuer.rstrip('/')}|{self.subject}"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person. `subject` is None until somebody who was invited has signed in, `local` for the person at this machine."""

    id: UUID
    subject: str | None
    email: str | None
    name: str | None
    active: bool
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime | None

    @property
    def label(self) -> str:
        """What people call them: name, else address, else the id."""
        return self.name or self.email or str(self.id)


class Users(Stored):
    """See Directory."""

    def user(self, id_: UUID) -> User:
        """Raises UnknownAccountError."""
        return self._one_user("user", id_, id=id_)

    def user_of(self, identity: Identity) -> User | None:
        """Whoever this identity is, when they have been here before."""
        found = self._rows("user_by_subject", subject=identity.key)
        return User(**found[0]) if found else None

    def user_by_email(self, email: str) -> User:
        """The oldest user with this address, in any case of its letters. Raises UnknownAccountError."""
        return self._one_user("user_by_email", email, email=email)

    def set_active(self, user_id: UUID, active: bool, *, actor: Actor = LOCAL) -> User:  # noqa: FBT001  (the one thing it sets)
        """Switches a user off, so that no session, token or key of theirs works, or on again. Raises UnknownAccountError."""
        before = self.user(user_id)
        action = "user.activated" if active else "user.deactivated"
        written = entry(actor, action, "user", user_id, before={"active": before.active}, after={"active": active})
        self.store.transact([statement("user_active", id=user_id, active=active, now=now()), written])
        return self.user(user_id)

    def seen(self, user_id: UUID) -> None:
        """Notes that the user was here now. Like each change this makes caches read again, so not for every request."""
        self.store.transact([statement("user_seen", id=user_id, now=now())])

    def _one_user(self, name: str, wanted: object, **params: object) -> User:
        found = self._rows(name, **params)
        if not found:
            raise UnknownAccountError(wanted, "user")
        return User(**found[0])
