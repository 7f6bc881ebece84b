"""What open pages show, asked once for all of them: pages with the same question share one query a tick and one text."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from nbflow.core.errors import StoreError
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nbflow.server.state import ServerState

TICK_S = 0.5
_IDLE_SHARE = 10  # a query that takes 1 s is asked every 10 s: pages must not keep the store busy
_LONGEST_S = 2.0  # between two questions, also where the first one had to wait for the store's owner to start
_COUNTED = timedelta(hours=24)

log = logging.getLogger("nbflow.pages")


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which executions a page lists. `status` is one of theirs, `active` for all that have not ended, None for any."""

    organizations: frozenset[UUID]
    status: str | None = None
    text: str | None = None
    limit: int = 50


class Live:
    """One a server, on its loop. It asks nothing while no page is open."""

    def __init__(self, state: ServerState, *, tick_s: float = TICK_S) -> None:
        self.state = state
        self._tick_s = tick_s
        self._watched: dict[Question, list[Callable[[str], None]]] = {}
        self._answers: dict[Question, str] = {}
        self._hurry = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    def watch(self, question: Question, told: Callable[[str], None]) -> Callable[[], None]:
        """`told` gets the answer (JSON: `executions`, `counts`, `queue`) now and whenever it changes. Gives what ends that."""
        self._watched.setdefault(question, []).append(told)
        if question in self._answers:
            told(self._answers[question])
        else:
            self._hurry.set()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_on(), name="nbflow-pages-live")

        def stop() -> None:
            listeners = self._watched.get(question, [])
            if told in listeners:
                listeners.remove(told)
            if not listeners:
                self._watched.pop(question, None)
                self._answers.pop(question, None)

        return stop

    def wake(self) -> None:
        """Asks at once: something was done here."""
        self._hurry.set()

    async def close(self) -> None:
        """Tells nobody anything more."""
        self._watched.clear()
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    async def _ask_on(self) -> None:
        """Until nobody watches."""
        while self._watched:
            began = time.monotonic()
            for question in list(self._watched):
                await self._answer(question)
            took = time.monotonic() - began
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), max(self._tick_s, min(took * _IDLE_SHARE, _LONGEST_S)))
            self._hurry.clear()

    async def _answer(self, question: Question) -> None:
        try:
            answer = await self._asked(question)
        except StoreError as error:
            answer = orjson.dumps({"error": str(error)}).decode()
        except Exception:
            log.exception("a page's question could not be answered")
            return
        if self._answers.get(question) == answer or question not in self._watched:
            return
        self._answers[question] = answer
        for told in list(self._watched[question]):
            told(answer)

    async def _asked(self, question: Question) -> str:
        whose = {"organizations": sorted(map(str, question.organizations)), "home": str(self.state.home)}
        wanted = {"status": question.status, "text": question.text or None, "limit": question.limit}
        since = (datetime.now(UTC) - _COUNTED).replace(tzinfo=None)
        found = await asyncio.to_thread(self._query, "page_executions", {**whose, **wanted})
        counts = await asyncio.to_thread(self._query, "page_counts", {**whose, "since": since})
        queue = self.state.executor.status()
        told = {
            "executions": found,
            "more": len(found) == question.limit,
            "counts": {row["status"]: row["executions"] for row in counts},
            "queue": {"running": queue.running, "waiting": queue.waiting, "limit": queue.limit, "draining": queue.draining},
        }
        return orjson.dumps(told, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode()

    def _query(self, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self.state.store.query(statements("pages.sql")[name], params).dicts()
