"""How many nodes of one execution may run at the same time."""

from __future__ import annotations

import asyncio
from collections import deque


class Permits:
    """A semaphore whose uncontended path is two plain statements. Lives on one loop."""

    __slots__ = ("_free", "_waiting")

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Takes a permit if one is free and nobody waits."""
        if self._free > 0 and not self._waiting:
            self._free -= 1
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
        self._free += 1
