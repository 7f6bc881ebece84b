"""Requests that say they are the same (an `Idempotency-Key`) start one execution and get one answer.

The first one to come wins; those that come meanwhile wait for its answer. A key is as durable as the execution: it is part of the accepted
record, so a restart forgets none. Answers are kept in memory only; see `answer.repeated` for what is told without.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nbflow.server.errors import ApiError
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbflow.server.webhooks.answer import Answer
    from nbflow.store.interface import Store

LONGEST_WINDOW = timedelta(days=30)
_MOST = 100_000  # entries in memory
_MOST_BYTES = 64 * 2**20  # of answers in memory
_MOST_KEY = 255  # characters
_SEPARATOR = "|"


@dataclass(slots=True, eq=False)
class Entry:
    """One key. `outcome` is the answer, or the error that kept the request from being accepted; None after a restart."""

    fingerprint: str
    at: float  # seconds since the epoch
    execution_id: str | None = None
    outcome: asyncio.Future[Answer | Exception] | None = None


def fingerprint(*parts: bytes) -> str:
    """Of what a request says: method, path, query, body."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()[:32]


def stored(scope: str, key: str, print_: str, signature: str = "") -> str:
    """What the accepted record keeps. `scope` holds no bar; `signature` is that of a signed request, which may be used once."""
    return _SEPARATOR.join((scope, key, print_, signature))


class Idempotency:
    """Used on the server's loop. `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, *, most: int = _MOST, most_bytes: int = _MOST_BYTES, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._answered: deque[tuple[Entry, int]] = deque()
        self._bytes = 0
        self._forgot = False  # something of the longest window is in the store only

    async def load(self) -> list[tuple[str, float]]:
        """Reads what was accepted before this server started; the signatures that were used, with their times."""
        since = datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None) - LONGEST_WINDOW
        rows = await asyncio.to_thread(self._store.query, statements("webhooks.sql")["remembered"], {"since": since, "most": self._most})
        signatures = []
        for text, execution_id, accepted_at in reversed(rows.rows):
            name, print_, signature = _parts(text)
            at = accepted_at.replace(tzinfo=UTC).timestamp()
            if name.partition(_SEPARATOR)[2]:
                self._entries[name] = Entry(print_, at, str(execution_id))
            if signature:
                signatures.append((signature, at))
        self._forgot = len(rows.rows) == self._most
        return signatures

    async def claim(self, scope: str, key: str, print_: str, window: timedelta) -> tuple[Entry, bool]:
        """The key's entry, and whether the caller is the first, who must `settle` it.

        Raises ApiError: 400 for a key that is too long, 409 for one that was used with another request.
        """
        if len(key) > _MOST_KEY:
            msg = f"the idempotency key has {len(key)} characters; at most {_MOST_KEY} are taken"
            raise ApiError(400, "idempotency_key_too_long", msg)
        name = f"{scope}{_SEPARATOR}{key}"
        entry = self._entries.get(name)
        if entry is None and self._forgot:
            found = await self._ask(name)
            entry = self._entries.get(name) or found
        if entry is not None and (self._clock() - entry.at < window.total_seconds() or _open(entry)):
            if entry.fingerprint != print_:
                msg = "this idempotency key was used with another request (its method, path, query or body); take a new key for a new request"
                raise ApiError(409, "idempotency_conflict", msg, details={"execution_id": entry.execution_id})
            return entry, False
        fresh = Entry(print_, self._clock(), None, asyncio.get_running_loop().create_future())
        self._entries[name] = fresh
        self._entries.move_to_end(name)
        self._evict()
        return fresh, True

    def settle(self, scope: str, key: str, entry: Entry, outcome: Answer | Exception) -> None:
        """The answer for all who wait. After an error nothing was accepted, and the key is free again."""
        if entry.outcome is not None and not entry.outcome.done():
            entry.outcome.set_result(outcome)
        if isinstance(outcome, Exception):
            name = f"{scope}{_SEPARATOR}{key}"
            if self._entries.get(name) is entry:
                del self._entries[name]
            return
        self._answered.append((entry, len(outcome.body)))
        self._bytes += len(outcome.body)
        while self._bytes > self._most_bytes and self._answered:
            old, size = self._answered.popleft()
            old.outcome = None
            self._bytes -= size

    def _evict(self) -> None:
        while len(self._entries) > self._most:
            name = next(iter(self._entries))
            if _open(self._entries[name]):  # somebody waits for it: rather one too many
                self._entries.move_to_end(name)
                return
            del self._entries[name]
            self._forgot = True
        while len(self._answered) > self._most:
            self._bytes -= self._answered.popleft()[1]

    async def _ask(self, name: str) -> Entry | None:
        since = datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None) - LONGEST_WINDOW
        values: dict[str, Any] = {"beginning": name + _SEPARATOR, "since": since}
        rows = await asyncio.to_thread(self._store.query, statements("webhooks.sql")["remembered_one"], values)
        for text, execution_id, accepted_at in rows:
            return Entry(_parts(text)[1], accepted_at.replace(tzinfo=UTC).timestamp(), str(execution_id))
        return None


def _open(entry: Entry) -> bool:
    return entry.outcome is not None and not entry.outcome.done()


def _parts(text: str) -> tuple[str, str, str]:
    """(scope and key, fingerprint, signature); a text that is not of this form has no key."""
    parts = text.rsplit(_SEPARATOR, 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")  # noqa: PLR2004 -- as unpacked
