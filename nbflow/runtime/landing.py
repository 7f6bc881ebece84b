"""From the journal's thread to a loop: one wake-up for all that was written together, however many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    Landed = Callable[[Future[Any]], object]


class Landing:
    """Of one loop. Waking it costs a system call and, worse, the interpreter's lock: once a sync, not once a record."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[Future[Any], Landed]] = deque()
        self._woken = False

    def when(self, written: Future[Any], then: Landed) -> None:
        """Calls `then` with the future on the loop, when it is done."""
        written.add_done_callback(lambda done: self._arrive(done, then))

    async def wait(self, written: Future[Any]) -> None:
        """On the loop: until it is done. Raises what it failed with."""
        if not written.done():
            waiter = self._loop.create_future()
            self.when(written, lambda _: None if waiter.done() else waiter.set_result(None))
            await waiter
        written.result()

    def _arrive(self, written: Future[Any], then: Landed) -> None:
        """On whatever thread. A flag set too early by another thread only means that the wake-up under way serves this one too."""
        self._arrived.append((written, then))
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._land)
            except RuntimeError:  # the loop is closed: nobody waits on it any more
                self._arrived.clear()

    def _land(self) -> None:
        self._woken = False
        while self._arrived:
            written, then = self._arrived.popleft()
            then(written)


_landings: WeakKeyDictionary[asyncio.AbstractEventLoop, Landing] = WeakKeyDictionary()


def landing() -> Landing:
    """Of the running loop."""
    loop = asyncio.get_running_loop()
    found = _landings.get(loop)
    if found is None:
        found = _landings[loop] = Landing(loop)
    return found


async def settled(written: Future[Any]) -> None:
    """Waits, on any loop, until records are written; raises what that failed with."""
    if written.done():
        written.result()
    else:
        await landing().wait(written)
