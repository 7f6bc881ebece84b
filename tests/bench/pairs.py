"""Two ways to do the same work, in turns in one process: a busy machine then slows both alike."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

Work = Callable[[], Awaitable[object]]
REPETITIONS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Paired:
    """Medians: seconds of each, and of the ratios within each pair."""

    first_s: float
    second_s: float
    ratio: float


def paired(first: Work, second: Work, *, repetitions: int = REPETITIONS, clock: Callable[[], float] = time.process_time) -> Paired:
    """Both on one loop. The first pair warms up and is not counted; the order changes from pair to pair."""

    async def measure() -> list[tuple[float, float]]:
        pairs = []
        for turn in range(repetitions + 1):
            if turn % 2:
                second_s, first_s = await _seconds(second, clock), await _seconds(first, clock)
            else:
                first_s, second_s = await _seconds(first, clock), await _seconds(second, clock)
            pairs.append((first_s, second_s))
        return pairs[1:]

    pairs = asyncio.run(measure())
    return Paired(
        first_s=median(first_s for first_s, _ in pairs),
        second_s=median(second_s for _, second_s in pairs),
        ratio=median(first_s / second_s for first_s, second_s in pairs if second_s) if any(second_s for _, second_s in pairs) else 0.0,
    )


async def _seconds(work: Work, clock: Callable[[], float]) -> float:
    gc.collect()
    began = clock()
    await work()
    return clock() - began
