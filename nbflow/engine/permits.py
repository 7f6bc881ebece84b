"""How many nodes of one execution may run at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Permits:
    """A semaphore whose uncontended path is two plain statements. Lives on one loop.

    Who has many nodes ready need not queue a task for each: it parks, and is called when a permit is free that nobody took at once.
    """

    __slots__ = ("_offering", "_parked", "_waiting", "free")

    def __init__(self, limit: int) -> None:
        self.free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._parked: deque[Callable[[], None]] = deque()
        self._offering = False

    def take(self) -> bool:
        """Takes a permit if one is free and nobody waits."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return True
        return False

    async def wait(self) -> None:
        """Takes a permit as soon as it is this caller's turn."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give()  # the permit had been handed over already
            elif future in self._waiting:
                self._waiting.remove(future)
            raise

    def give(self) -> None:
        """Hands the permit to the next in line, or frees it."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self.free += 1
        if self._parked and not self._offering:
            self._offering = True
            asyncio.get_running_loop().call_soon(self._offer)  # whoever gave it goes on first, and mostly takes it for its next node

    def park(self, resume: Callable[[], None]) -> None:
        """`resume` is called once, when a permit is free; it is not reserved."""
        self._parked.append(resume)

    def _offer(self) -> None:
        self._offering = False
        for _ in range(min(self.free, len(self._parked))):
            self._parked.popleft()()
