"""A JSON document of an identity provider: fetched when first needed, kept, fetched again when old or when something is missing in it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import httpx

from nbflow.core.errors import IdentityProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH_S = 3600.0
STALE_S = 24 * 3600.0  # how long an old one does while the provider is away
COOLDOWN_S = 30.0  # between fetches that tokens with unknown keys can cause: anybody can send those
_RETRY_S = 5.0  # after a failure; until then the same answer at once, so that requests do not queue up behind a dead provider
_LARGEST_BYTES = 2**20
_log = logging.getLogger(__name__)


class Fetched:
    """One document. All waiting for it share one request. For one event loop."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._client = client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._document: dict[str, Any] | None = None
        self._fetched_at = self._failed_at = float("-inf")
        self._failure: IdentityProviderError | None = None

    async def get(self) -> dict[str, Any]:
        """The document, at most an hour old; at most a day while the provider is away. Raises IdentityProviderError when there is none."""
        asked_at = self._clock()
        if self._document is None or asked_at - self._fetched_at > FRESH_S:
            try:
                await self._fetch(asked_at)
            except IdentityProviderError as error:
                if self._document is None or asked_at - self._fetched_at > STALE_S:
                    raise
                _log.warning("going on with an older %s: %s", self.url, error)
        return self._document or {}

    async def newer(self) -> dict[str, Any]:
        """The document as it is now, for something that is not in it; not asked for more often than each 30 s. Raises as `get` does."""
        asked_at = self._clock()
        if asked_at - self._fetched_at >= COOLDOWN_S:
            await self._fetch(asked_at)
        return await self.get()

    async def _fetch(self, asked_at: float) -> None:
        async with self._lock:
            if self._fetched_at >= asked_at and self._document is not None:  # somebody else waited for it too
                return
            if self._failure is not None and self._clock() - self._failed_at < _RETRY_S:
                raise self._failure
            try:
                self._document = await self._request()
            except IdentityProviderError as error:
                self._failed_at, self._failure = self._clock(), error
                raise
            self._fetched_at, self._failure = self._clock(), None

    async def _request(self) -> dict[str, Any]:
        try:
            async with self._client.stream("GET", self.url, headers={"Accept": "application/json"}) as answer:
                if answer.status_code != httpx.codes.OK:
                    msg = f"the identity provider answered {answer.status_code} for {self.url}"
                    raise IdentityProviderError(msg)
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LARGEST_BYTES:
                        msg = f"what the identity provider sends for {self.url} is larger than a megabyte"
                        raise IdentityProviderError(msg)
        except httpx.HTTPError as error:
            msg = f"the identity provider cannot be reached at {self.url} ({type(error).__name__}): try again in a moment"
            raise IdentityProviderError(msg) from error
        return as_object(bytes(body), self.url)


def as_object(body: bytes, url: str) -> dict[str, Any]:
    """A JSON object. Raises IdentityProviderError for anything else."""
    import orjson

    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        msg = f"what the identity provider sends for {url} is no JSON object; is oidc.issuer right?"
        raise IdentityProviderError(msg)
    return found
