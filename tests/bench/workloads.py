"""W1 to W6 and W9 on the engine alone: every node recorded as an event with a preview, in a list."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from . import baseline, flows
from .pairs import REPETITIONS, paired
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SYNC_GOAL, ASYNC_CHAIN_GOAL, ASYNC_FAN_GOAL = 1.0, 1.5, 2.5


def _repetitions(scale: float) -> int:
    return REPETITIONS if scale >= 1 else 1


def _compare(
    name: str, drawing: Callable[[], Any], bare: Callable[[], Awaitable[object]], nodes: int, *, scale: float, goal: float | None = None
) -> Row:
    plan = flows.plan_of(drawing)
    result = paired(lambda: flows.run(plan), bare, repetitions=_repetitions(scale))
    return Row(
        name=name,
        value=result.first_s / nodes * 1e6,
        unit="us cpu/node",
        baseline=result.second_s / nodes * 1e6,
        ratio=result.ratio,
        goal=goal,
    )


def w1(scale: float) -> list[Row]:
    """A chain."""
    length = max(3, int(1000 * scale))

    def bare() -> Awaitable[object]:
        return baseline.chain(flows.one, flows.step, length)

    return [
        _compare(f"W1 chain of {length:,}, inline", flows.chain(length), bare, length, scale=scale, goal=SYNC_GOAL),
        _compare(f"W1 chain of {length:,}, default", flows.chain(length, where=None), bare, length, scale=scale, goal=SYNC_GOAL),
    ]


def w1_async(scale: float) -> list[Row]:
    """A chain of async nodes: ones that return at once, ones that give the loop a turn."""
    length = max(3, int(1000 * scale))
    return [
        _compare(
            f"W1 chain of {length:,} async, {how}",
            flows.chain(length, step=function),
            lambda function=function: baseline.chain(flows.one, function, length),
            length,
            scale=scale,
            goal=ASYNC_CHAIN_GOAL,
        )
        for how, function in (("returns", flows.astep), ("yields", flows.ayield))
    ]


def w1_slow_path(scale: float) -> list[Row]:
    """What threads and settings cost a node, in a chain."""
    length = max(3, int(500 * scale))

    def bare() -> Awaitable[object]:
        return baseline.chain(flows.one, flows.astep, length)

    async def bare_threads() -> None:
        for _ in range(length):
            await asyncio.to_thread(flows.step, 1)

    async def bare_timeouts() -> None:
        for _ in range(length):
            async with asyncio.timeout(60):
                await flows.astep(1)

    return [
        _compare(f"chain of {length}, where='thread' (to_thread)", flows.chain(length, where="thread"), bare_threads, length, scale=scale),
        _compare(
            f"chain of {length}, async, timeout (asyncio.timeout)",
            flows.chain(length, step=flows.astep, timeout=60),
            bare_timeouts,
            length,
            scale=scale,
        ),
        _compare(f"chain of {length}, async, retry", flows.chain(length, step=flows.astep, retry=3), bare, length, scale=scale),
    ]


def w2(scale: float) -> list[Row]:
    """One node, many, one."""
    width = max(3, int(1000 * scale))

    def bare() -> Awaitable[object]:
        return baseline.fan(flows.one, flows.step, flows.total, width)

    return [
        _compare(f"W2 1 -> {width:,} -> 1, inline", flows.fan(width), bare, width, scale=scale, goal=SYNC_GOAL),
        _compare(f"W2 1 -> {width:,} -> 1, default", flows.fan(width, where=None), bare, width, scale=scale, goal=SYNC_GOAL),
    ]


def w2_async(scale: float) -> list[Row]:
    """The same with async nodes."""
    width = max(3, int(1000 * scale))
    return [
        _compare(
            f"W2 1 -> {width:,} -> 1 async, {how}",
            flows.fan(width, step=function),
            lambda function=function: baseline.fan(flows.one, function, flows.total, width),
            width,
            scale=scale,
            goal=ASYNC_FAN_GOAL,
        )
        for how, function in (("returns", flows.astep), ("yields", flows.ayield))
    ]


def w3(scale: float) -> list[Row]:
    """A lattice."""
    width, depth = 20, max(2, int(100 * scale))
    drawing = flows.lattice(width, depth)
    return [
        _compare(
            f"W3 lattice of {width * depth:,}, inline",
            drawing,
            lambda: baseline.lattice(flows.one, flows.both, width, depth),
            width * depth,
            scale=scale,
            goal=SYNC_GOAL,
        )
    ]


def w4(scale: float) -> list[Row]:
    """A loop of three nodes an item."""
    count = max(3, int(10_000 * scale))

    def bare() -> Awaitable[object]:
        return baseline.foreach(list(range(count)), flows.step, 3)

    rows = [
        _compare(f"W4 foreach {count:,} x 3, {how}", flows.loop(count, where=where), bare, 3 * count, scale=scale, goal=SYNC_GOAL)
        for how, where in (("inline", "inline"), ("default", None))
    ]
    seconds = Row(name=f"W4 foreach {count:,} x 3, all of it", value=rows[0].value * 3e-6 * count, unit="s cpu", goal=0.15)
    return [*rows, seconds]


def w5(scale: float) -> list[Row]:
    """Async sleeps that overlap."""
    width, seconds = max(3, int(100 * scale)), 0.05

    async def nap() -> None:
        await asyncio.sleep(seconds)

    plan = flows.plan_of(flows.wide(width, nap), concurrency=width)
    result = paired(lambda: flows.run(plan), lambda: baseline.sleeps(width, seconds), repetitions=_repetitions(scale), clock=time.perf_counter)
    over = [(value - seconds) * 1e3 for value in (result.first_s, result.second_s)]
    return [
        Row(name=f"W5 {width} sleeps of 50 ms, wall above 50", value=over[0], unit="ms", goal=5.0, note=f"TaskGroup {over[1]:.1f} ms"),
    ]


def w6(scale: float) -> list[Row]:
    """Pure Python CPU in threads and in processes, two at a time, against one after the other."""
    count = max(2, int(24 * scale))

    def work() -> int:
        return flows.busy(1)

    async def serial() -> None:
        for _ in range(count):
            work()

    rows = []
    for where, plural in (("thread", "threads"), ("process", "processes")):
        plan = flows.plan_of(flows.wide(count, work, where=where), concurrency=2)
        result = paired(lambda plan=plan: flows.run(plan), serial, repetitions=min(3, _repetitions(scale)), clock=time.perf_counter)
        rows.append(
            Row(
                name=f"W6 {count} x 18 ms Python, 2 in {plural} (serial)",
                value=result.first_s,
                unit="s",
                baseline=result.second_s,
                ratio=result.ratio,
                note="2 shared cores" if where == "process" else "the GIL allows no gain",
            )
        )
    return rows


def w6_round_trip(scale: float) -> list[Row]:
    """A node in a warm process that does nothing."""
    length = max(2, int(100 * scale))
    plan = flows.plan_of(flows.chain(length, where="process"))

    async def measure() -> list[float]:
        walls = []
        for _ in range(3):
            began = time.perf_counter()
            await flows.run(plan)
            walls.append(time.perf_counter() - began)
        return walls

    return [Row(name=f"chain of {length}, where='process', wall", value=median(asyncio.run(measure())[1:]) / length * 1e6, unit="us/node")]


def w9(scale: float) -> list[Row]:
    """Small runs, one after the other."""
    count = max(2, int(1000 * scale))

    def bare() -> Awaitable[object]:
        return baseline.small_runs(flows.one, flows.step, flows.both, count)

    rows = []
    for how, where in (("inline", "inline"), ("default", None)):
        plan = flows.plan_of(flows.diamond(where=where))

        async def many(plan: Any = plan) -> None:
            for _ in range(count):
                await flows.run(plan)

        result = paired(many, bare, repetitions=_repetitions(scale))
        rows.append(
            Row(
                name=f"W9 {count:,} runs of 5 nodes, {how}",
                value=result.first_s / count / 5 * 1e6,
                unit="us cpu/node",
                baseline=result.second_s / count / 5 * 1e6,
                ratio=result.ratio,
                goal=SYNC_GOAL,
                note=f"{count / result.first_s:,.0f} runs/s",
            )
        )
    return rows


def drawing(scale: float) -> list[Row]:
    """What comes before running: drawing and compiling."""
    length = max(3, int(1000 * scale))
    function = flows.chain(length)
    rows = []
    for what, work in (("draw", lambda: flows.definition_of(function)), ("draw + compile", lambda: flows.plan_of(function))):
        times = []
        for _ in range(5):
            began = time.process_time()
            work()
            times.append(time.process_time() - began)
        rows.append(Row(name=f"{what} a chain of {length:,}", value=median(times) * 1e3, unit="ms cpu"))
    return rows


CASES: dict[str, Callable[[float], list[Row]]] = {
    case.__name__: case for case in (w1, w1_async, w1_slow_path, w2, w2_async, w3, w4, w5, w6, w6_round_trip, w9, drawing)
}
