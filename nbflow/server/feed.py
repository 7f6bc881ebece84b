"""What executions tell, live: one poller of the store for all who listen, however many they are.

Every record of an execution has a number, `seq`, in the order of its journal. That number is the id of the server-sent event, so
whoever comes back with `Last-Event-ID` misses nothing and gets nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from nbflow.core.errors import NbflowError
from nbflow.core.states import ENDED
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from nbflow.store.interface import Store

TICK_S = 0.25
MOST: Final = 1000  # records of one execution in one answer of the store
_SURE = 2  # looks at an ended execution without news, before its end is told by the feed itself: another journal may bring the last records
_LOST = 8  # looks in vain, before an execution counts as deleted: a new one may still be on its way from the journal

log = logging.getLogger("nbflow.feed")


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEvent:
    """One record of an execution.

    `kind`: accepted, started, node_started, node (one that ended), finished; `deleted` when the execution is gone. `at` is aware, UTC.
    `seq` is None where the record is not the execution's own: it was ended by somebody else (its process died), or deleted.
    """

    execution_id: UUID
    seq: int | None
    kind: str
    at: datetime | None
    node: str | None = None
    path: str = ""
    status: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class _Listener:
    """One subscription: what it has seen, and what is ready for it. Only one who has taken everything is asked for more."""

    def __init__(self, execution_id: UUID, seen: int) -> None:
        self.execution_id = execution_id
        self.seen = seen
        self.idle = 0  # answers in a row that brought nothing, of an execution that has ended or is not there
        self.ready: list[FeedEvent] = []
        self.filled = asyncio.Event()
        self.over = False

    def take(self, rows: list[FeedEvent]) -> None:
        """The answer of the store: news, then the state."""
        *news, state = rows
        self.ready = [event for event in news if event.seq is not None and event.seq > self.seen]
        if self.ready:
            self.idle = 0
            self.seen = self.ready[-1].seq or 0
            self.over = self.ready[-1].kind == "finished"
        elif state.status is None or state.status in ENDED:
            self.idle += 1
            if self.idle >= (_LOST if state.status is None else _SURE):
                self._end(state)
        if self.ready or self.over:
            self.filled.set()

    def _end(self, state: FeedEvent) -> None:
        self.over = True
        kind = "deleted" if state.status is None else "finished"
        self.ready = [
            FeedEvent(execution_id=self.execution_id, seq=None, kind=kind, at=state.at, node=state.node, status=state.status, data=state.data)
        ]


class Feed:
    """Subscriptions to executions. Used on the server's loop."""

    def __init__(self, store: Store, *, tick_s: float = TICK_S) -> None:
        self._store = store
        self._tick_s = tick_s
        self._listeners: set[_Listener] = set()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    async def follow(self, execution_id: UUID, after: int = -1) -> AsyncIterator[FeedEvent]:
        """The records with a `seq` above `after`, in order, as they come; ends after `finished` or `deleted`, or when the server stops."""
        listener = _Listener(execution_id, after)
        self._listeners.add(listener)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="nbflow-feed")
        try:
            while not self._closed:
                await listener.filled.wait()
                listener.filled.clear()
                ready, listener.ready = listener.ready, []
                for event in ready:
                    yield event
                if listener.over:
                    return
        finally:
            self._listeners.discard(listener)

    def stop(self) -> None:
        """All subscriptions end with what they have got; new ones end at once. For the moment when the server is told to stop."""
        self._closed = True
        for listener in self._listeners:
            listener.filled.set()

    async def close(self) -> None:
        """Stops, and ends the poller."""
        self.stop()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        """Runs while somebody listens: one question a tick, about all who have taken what they got before."""
        while self._listeners and not self._closed:
            waiting = [listener for listener in self._listeners if not listener.ready and not listener.over]
            full = False
            if waiting:
                try:
                    full = self._hand_out(waiting, await asyncio.to_thread(self._ask, waiting))
                except NbflowError as error:  # the store is busy or its owner is being replaced: nothing is lost, the next tick asks again
                    log.warning("the live feed waits for the store: %s", error)
            await asyncio.sleep(0.01 if full else self._tick_s)

    def _ask(self, waiting: list[_Listener]) -> list[FeedEvent]:
        seen: dict[UUID, int] = {}
        for listener in waiting:
            seen[listener.execution_id] = min(listener.seen, seen.get(listener.execution_id, listener.seen))
        ids = [str(id_) for id_ in seen]
        params = {"ids": ids, "seen": list(seen.values()), "oldest": min(ids), "most": MOST}
        return [_event(row) for row in self._store.query(statements("feed.sql")["news"], params).dicts()]

    @staticmethod
    def _hand_out(waiting: list[_Listener], rows: list[FeedEvent]) -> bool:
        """Gives each its own. True when somebody got as much as one answer holds: there is more."""
        found: dict[UUID, list[FeedEvent]] = {}
        for row in rows:
            found.setdefault(row.execution_id, []).append(row)
        for listener in waiting:
            listener.take(found[listener.execution_id])
        return any(len(news) > MOST for news in found.values())


def _event(row: dict[str, Any]) -> FeedEvent:
    import orjson

    return FeedEvent(
        execution_id=row["execution_id"],
        seq=row["seq"],
        kind=row["kind"],
        at=row["ts"].replace(tzinfo=UTC) if row["ts"] else None,
        node=row["node_id"],
        path=row["path"] or "",
        status=row["status"],
        data=orjson.loads(row["data"]) if row["data"] else {},
    )
