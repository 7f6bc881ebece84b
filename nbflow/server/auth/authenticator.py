"""From what a request carries to who makes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nbflow.accounts.api_key import PREFIX
from nbflow.core.errors import MalformedAuthorizationError, SessionEndedError
from nbflow.server.auth.provider import Provider
from nbflow.server.auth.roster import Roster
from nbflow.server.auth.session import Sessions, session_secret
from nbflow.server.auth.token import check_token
from nbflow.server.principal import Principal
from nbflow.store.audit import Actor

if TYPE_CHECKING:
    from pathlib import Path

    from nbflow.accounts.directory import Directory
    from nbflow.accounts.user import Identity
    from nbflow.server.settings import ServerSettings


class Authenticator:
    """Everything about signing in to one server, on its event loop.

    `folder` is the project's `.nbflow/`, where the key for cookies is kept; None keeps nothing. Call `close` when the server ends.
    """

    def __init__(self, settings: ServerSettings, directory: Directory, *, folder: Path | None = None, provider: Provider | None = None) -> None:
        self.settings = settings
        self.roster = Roster(directory, settings)
        self.sessions = Sessions(settings, session_secret(settings, folder))
        self._directory = directory
        self._given = provider
        self._provider: Provider | None = None

    @property
    def provider(self) -> Provider:
        """The identity provider; for a server with auth 'oidc'. Made on first use: it belongs to the loop."""
        if self._provider is None:
            self._provider = self._given or Provider(self.settings.oidc)
        return self._provider

    async def bearer(self, credential: str, address: str | None) -> Principal:
        """Whoever an `Authorization: Bearer` header speaks for. Raises a SignInError for each cause, IdentityProviderError."""
        if credential.startswith(PREFIX):
            key = await self.roster.key(credential)
            person = await self.roster.keeper(key)
            return Principal(user=person.user, memberships=person.memberships, kind="api_key", api_key=key, scopes=frozenset(key.scopes))
        if self.settings.auth == "oidc":
            return await self.identified(await self.provider.identity(credential), address)
        if self.settings.auth == "none":
            msg = "this server has no sign-in: leave the Authorization header out, or send an API key (nbf_...)"
            raise MalformedAuthorizationError(msg)
        check_token(credential, self.settings.token)
        person = await self.roster.local()
        return Principal(user=person.user, memberships=person.memberships, kind="token")

    async def identified(self, identity: Identity, address: str | None) -> Principal:
        """Whoever the identity provider vouches for."""
        person = await self.roster.identified(identity, address)
        return Principal(user=person.user, memberships=person.memberships, kind="oidc")

    async def cookie(self, value: str) -> Principal:
        """Whoever a session belongs to. Raises SessionEndedError, InactiveUserError."""
        session = self.sessions.read(value)
        if await self.roster.has_ended(session.id):
            msg = "this session was signed out: sign in again"
            raise SessionEndedError(msg)
        person = await self.roster.person(session.user_id)
        return Principal(user=person.user, memberships=person.memberships, kind="session", session_id=session.id)

    async def anybody(self) -> Principal:
        """Whoever comes to a server without sign-in: the person at this machine."""
        person = await self.roster.local()
        return Principal(user=person.user, memberships=person.memberships, kind="none")

    async def sign_in(self, principal: Principal, address: str | None) -> str:
        """A new session; gives the cookie's value."""
        session, value = self.sessions.issue(principal.user.id)
        actor = Actor(user_id=principal.user.id, address=address)
        await asyncio.to_thread(self._directory.session_started, session.id, actor, min(principal.memberships, default=None))
        return value

    async def sign_out(self, principal: Principal, address: str | None) -> None:
        """Ends a session for good, wherever its cookie has got to."""
        if principal.session_id is not None:
            actor = Actor(user_id=principal.user.id, address=address)
            await asyncio.to_thread(self._directory.session_ended, principal.session_id, actor, min(principal.memberships, default=None))

    async def close(self) -> None:
        """Ends connections to the provider."""
        await self.roster.close()
        if self._provider is not None:
            await self._provider.close()
