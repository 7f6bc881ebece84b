"""What passing large values through nodes adds to the process (peak resident memory), and how long it takes."""

from __future__ import annotations

import asyncio
import gc
import re
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.authoring.function import node

from . import flows
from .durable import prepared, running
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def peak_mb(*, anew: bool = False) -> float:
    """Of this process; `anew` forgets the peak so far (Linux only), so that what came before hides nothing."""
    if anew and _CLEAR.exists():
        gc.collect()
        _CLEAR.write_text("5")  # proc(5), clear_refs: resets the peak resident size
    if _STATUS.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())[0]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e6


def _frame(megabytes: float) -> Any:
    import numpy as np
    import pandas as pd

    return pd.DataFrame(np.ones((int(megabytes * 1e6 / 80), 10)), columns=[f"c{place}" for place in range(10)])


def _through(megabytes: float, nodes: int, function: Callable[[Any], Any], **settings: Any) -> tuple[float, float, bool, float]:
    """Peak growth in MB, seconds, whether the same object came out, real size in MB. As a user runs it: recorded, rich forms made."""
    frame = _frame(megabytes)
    small = frame.iloc[:100].copy()
    given: list[Any] = [small]
    source, then = node(where="inline")(lambda: given[0]), node(where="inline")(function)

    def w7() -> Any:
        value = source()
        for place in range(nodes):
            value = then.options(id=f"n{place}")(value)
        return value

    flow = prepared(w7, **settings)
    with running() as runtime:
        runtime.start(flow).result(60)  # imports and first-use caches are not the frame's
        given[0] = frame
        before = peak_mb(anew=True)
        began = time.perf_counter()
        execution = runtime.start(flow)
        execution.result(60)
        seconds = time.perf_counter() - began
        grown = peak_mb() - before
        return grown, seconds, execution.output is frame, float(frame.memory_usage().sum()) / 1e6


def w7(scale: float) -> list[Row]:
    """100 MB through 20 nodes that pass it on."""
    grown, seconds, same, size = _through(100 * scale, 20, lambda x: x)
    note = f"{seconds * 1e3:.0f} ms; {'the same object' if same else 'A COPY'}"
    return [Row(name=f"W7 {size:.0f} MB frame through 20 nodes, growth", value=grown, unit="MB", goal=10, note=note)]


def w7_gigabyte(scale: float) -> list[Row]:
    """1 GB through 5 nodes."""
    grown, seconds, same, size = _through(1000 * scale, 5, lambda x: x)
    note = f"{seconds * 1e3:.0f} ms; {'the same object' if same else 'A COPY'}"
    return [Row(name=f"{size / 1000:.1f} GB frame through 5 nodes, growth", value=grown / size * 100, unit="%", goal=10, note=note)]


def w7_new(scale: float) -> list[Row]:
    """A new 100 MB frame from each of 20 nodes: with keep_outputs=False only two live at a time."""
    grown, seconds, _, size = _through(100 * scale, 20, lambda x: x + 1, keep_outputs=False)
    note = f"{seconds:.1f} s; {grown / size:.1f} frames"
    return [Row(name=f"20 new {size:.0f} MB frames, keep_outputs=False, growth", value=grown, unit="MB", goal=2.1 * size, note=note)]


def chain(scale: float) -> list[Row]:
    """A recorded chain of 1,000 small values."""
    plan = flows.plan_of(flows.chain(max(3, int(1000 * scale))))
    before = peak_mb(anew=True)
    for _ in range(3):
        asyncio.run(flows.run(plan))
    return [Row(name="W1 chain, growth of the process", value=peak_mb() - before, unit="MB", goal=10)]


CASES: dict[str, Callable[[float], list[Row]]] = {case.__name__: case for case in (w7, w7_gigabyte, w7_new, chain)}
