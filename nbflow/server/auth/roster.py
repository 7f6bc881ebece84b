"""Who is who, remembered until somebody changes anything: users, memberships, keys and ended sessions."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nbflow.core.errors import InactiveUserError, NbflowError, RevokedApiKeyError, UnknownAccountError
from nbflow.server.auth.oidc import named_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from uuid import UUID

    from nbflow.accounts.api_key import ApiKey
    from nbflow.accounts.directory import Directory
    from nbflow.accounts.organization import Organization
    from nbflow.accounts.rights import Role
    from nbflow.accounts.user import Identity, User
    from nbflow.server.settings import ServerSettings

T = TypeVar("T")

_NOTED_EVERY = timedelta(minutes=10)  # a note is a change, after which everything is read again
_REMEMBERED = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A user with what they are where."""

    user: User
    memberships: Mapping[UUID, Role]


class Roster:
    """Reads the directory off the loop, once per change of the store (`Store.generation`), by whichever process it is made."""

    def __init__(self, directory: Directory, settings: ServerSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._generation = -1
        self._kept: dict[object, Any] = {}
        self._notes: dict[UUID, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def generation(self) -> int:
        """Another number after each change."""
        return self._directory.store.generation()

    async def local(self) -> Person:
        """The person at this machine."""
        user_id = await self._get("local", lambda: self._directory.default().user.id)
        return await self.person(user_id)

    async def person(self, user_id: UUID) -> Person:
        """Raises InactiveUserError, also for a user who is gone."""
        person = await self._get(("user", user_id), lambda: self._read(user_id))
        self._note(user_id, person.user.last_seen_at, self._directory.seen)
        return person

    async def identified(self, identity: Identity, address: str | None) -> Person:
        """Whoever an identity provider vouches for; made on first sight. Raises InactiveUserError."""
        owns = named_in(identity, self._settings.oidc.owners)
        user_id = await self._get(identity, lambda: self._directory.sync(identity, owns_default=owns, address=address).id)
        return await self.person(user_id)

    async def key(self, plain: str) -> ApiKey:
        """The API key with this text. Raises UnknownApiKeyError, RevokedApiKeyError, ExpiredApiKeyError."""
        from nbflow.accounts.api_key import check_key

        key = await self._get(hashlib.sha256(plain.encode()).digest(), lambda: self._directory.verify_key(plain))
        check_key(key)  # its time may be over since it was read
        self._note(key.id, key.last_used_at, self._directory.key_used)
        return key

    async def keeper(self, key: ApiKey) -> Person:
        """The user of a key, in its organization only. Raises InactiveUserError, RevokedApiKeyError for who is no member any more."""
        person = await self.person(key.user_id)
        role = person.memberships.get(key.organization_id)
        if role is None:
            msg = f"API key '{key.name}' ({key.prefix}...) belongs to {person.user.label}, who is no member of its organization any more"
            raise RevokedApiKeyError(msg)
        return Person(user=person.user, memberships={key.organization_id: role})

    async def organizations(self, ids: Collection[UUID]) -> list[Organization]:
        """Oldest first."""
        return [await self._get(("organization", id_), partial(self._directory.organization, id_)) for id_ in sorted(ids)]

    async def has_ended(self, session_id: UUID) -> bool:
        """Whether the session was signed out."""
        return str(session_id) in await self._get("ended", self._ended)

    async def close(self) -> None:
        """Waits for notes that are being written."""
        await asyncio.gather(*self._tasks)

    async def _get(self, key: object, read: Callable[[], T]) -> T:
        generation = self.generation()  # before reading: a change meanwhile makes the next one read again
        if generation != self._generation or len(self._kept) > _REMEMBERED:
            self._kept.clear()
            self._generation = generation
        if key not in self._kept:
            found = await asyncio.to_thread(read)
            if generation != self._generation or generation != self.generation():
                return found
            self._kept[key] = found
        return cast("T", self._kept[key])

    def _read(self, user_id: UUID) -> Person:
        try:
            user = self._directory.user(user_id)
        except UnknownAccountError:
            user = None
        if user is None or not user.active:
            msg = f"{user.label if user else 'this user'} was switched off here: ask an owner or admin"
            raise InactiveUserError(msg)
        return Person(user=user, memberships={found.organization.id: found.role for found in self._directory.organizations(user_id)})

    def _ended(self) -> frozenset[str]:
        return self._directory.sessions_ended(datetime.now(UTC) - timedelta(hours=self._settings.session_hours))

    def _note(self, id_: UUID, last: datetime | None, write: Callable[[UUID], None]) -> None:
        """Writes down, beside the request, that it was here; seldom."""
        present = datetime.now(UTC)
        last = max(filter(None, (last, self._notes.get(id_))), default=None)
        if last is not None and present - last < _NOTED_EVERY:
            return
        if len(self._notes) > _REMEMBERED:
            self._notes.clear()
        self._notes[id_] = present
        task = asyncio.get_running_loop().create_task(self._write(id_, write))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, id_: UUID, write: Callable[[UUID], None]) -> None:
        try:
            await asyncio.to_thread(write, id_)
        except NbflowError as error:
            _log.warning("when it was last used could not be noted: %s", error)
