"""At most so many requests in a time: a sliding window of two counters.

Counted as the previous window's share that still overlaps, plus the present one: exact for an even flow, never more than twice the limit in
any window. The `limits` package would do the same, but its memory storage starts a thread every 10 ms that looks at every key.
"""

from __future__ import annotations

import re
import time
from math import ceil
from typing import TYPE_CHECKING

from nbflow.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"(\d+) ?(?:/|per) ?(\w+)")


class Rate:
    """One webhook's; raises ValueError for a text that is no rate. `check` counts a request for a key (an address, or "" for all together)."""

    def __init__(self, text: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        found = _RATE.fullmatch(text)
        if found is None or found[2] not in _SECONDS:
            msg = f"{text!r} is no rate; write it like 100/minute (second, minute, hour, day)"
            raise ValueError(msg)
        self.text = text
        self._most = int(found[1])
        self._window_s = _SECONDS[found[2]]
        self._clock = clock
        self._window = -1
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def check(self, key: str = "") -> None:
        """Raises ApiError (429) with Retry-After; a refused request is not counted."""
        position = self._clock() / self._window_s
        window = int(position)
        if window != self._window:  # old keys go with their window
            self._before = self._now if window == self._window + 1 else {}
            self._now, self._window = {}, window
        passed = position - window
        before, now = self._before.get(key, 0), self._now.get(key, 0)
        if before * (1 - passed) + now + 1 <= self._most:
            self._now[key] = now + 1
            return
        if now + 1 <= self._most:  # when enough of the previous window has passed
            wait_s = ((before + now + 1 - self._most) / before - passed) * self._window_s
        else:  # in the next window, when enough of this one has passed
            wait_s = (1 - passed + max(0.0, (now + 1 - self._most) / now)) * self._window_s
        seconds = max(1, ceil(wait_s))
        msg = f"this webhook takes {self.text} (its field rate_limit, or the server's); come back in {seconds} s"
        raise ApiError(429, "rate_limited", msg, details={"rate_limit": self.text}, headers={"Retry-After": str(seconds)})
