"""What the loop writes down in one turn goes to the journal together: one write, at most one sync, one wake-up.

Every write lets go of the interpreter's lock, and every sync costs two changes of thread: measured, sixteen requests that wrote one by one
spent more on that than on their flows.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreError
from nbflow.runtime.landing import Landing

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from nbflow.store.interface import Store

    Records = list[Mapping[str, Any]]
    Then = Callable[[BaseException | None], object]

log = logging.getLogger("nbflow.server")


class Tide:
    """Of one loop, and used on it. `then` is called on the loop with None, or with why it could not be written."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._landing = Landing(loop)
        self._loose: list[tuple[Records, Then]] = []
        self._firm: list[tuple[Records, Then]] = []
        self._turning = False

    def write(self, records: Records, then: Then) -> None:
        """Then: they survive the end of this process."""
        self._loose.append((records, then))
        self._turn()

    def promise(self, records: Records, then: Then) -> None:
        """Then: they, and all that was written before, survive a power cut."""
        self._firm.append((records, then))
        self._turn()

    def _turn(self) -> None:
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hands over what has come. Called by itself at the end of the turn."""
        self._turning = False
        loose, self._loose = self._loose, []
        firm, self._firm = self._firm, []
        if loose:
            self._submit(loose, durable=False)
        if firm:
            self._submit(firm, durable=True)

    def _submit(self, parts: list[tuple[Records, Then]], *, durable: bool) -> None:
        try:
            written = self._store.submit([record for records, _ in parts for record in records], durable=durable)
        except StoreError as error:  # one of them cannot be written: it must not take the others along
            if len(parts) == 1:
                _told(parts, error)
                return
            for part in parts:
                self._submit([part], durable=durable)
            return
        if written.done():
            _told(parts, written.exception())
        else:
            self._landing.when(written, lambda done: _settled(parts, done))


def _settled(parts: list[tuple[Records, Then]], written: Future[Any]) -> None:
    _told(parts, written.exception())


def _told(parts: list[tuple[Records, Then]], error: BaseException | None) -> None:
    for _, then in parts:
        try:
            then(error)
        except Exception:
            log.exception("a fault of nbflow itself")
