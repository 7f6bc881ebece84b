"""The workloads on bare `asyncio.TaskGroup`: one task a node, which awaits the tasks that it needs. Records nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Function = Callable[..., Any]


async def _sync(function: Function, *before: Awaitable[Any]) -> Any:
    return function(*[await task for task in before])


async def _async(function: Function, *before: Awaitable[Any]) -> Any:
    return await function(*[await task for task in before])


def _caller(function: Function) -> Function:
    return _async if asyncio.iscoroutinefunction(function) else _sync


async def chain(first: Function, step: Function, length: int) -> Any:
    """`length` steps, each after the one before."""
    call = _caller(step)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_sync(first))
        for _ in range(length):
            task = group.create_task(call(step, task))
    return task.result()


async def fan(first: Function, step: Function, last: Function, width: int) -> Any:
    """One node, `width` nodes after it, one that takes all their values."""
    call = _caller(step)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_sync(first))
        middle = [group.create_task(call(step, task)) for _ in range(width)]
        end = group.create_task(_sync(lambda *values: last(list(values)), *middle))
    return end.result()


async def lattice(first: Function, step: Function, width: int, depth: int) -> Any:
    """Layers of `width` nodes; each takes two neighbours of the layer before."""
    async with asyncio.TaskGroup() as group:
        source = group.create_task(_sync(first))
        layer = [group.create_task(_sync(step, source, source)) for _ in range(width)]
        for _ in range(depth - 1):
            layer = [group.create_task(_sync(step, layer[place], layer[(place + 1) % width])) for place in range(width)]
    return [task.result() for task in layer]


async def foreach(items: list[Any], step: Function, length: int) -> list[Any]:
    """A chain of `length` steps for each item."""
    async with asyncio.TaskGroup() as group:
        ends = []
        for item in items:
            task = group.create_task(_sync(step, _given(item)))
            for _ in range(length - 1):
                task = group.create_task(_sync(step, task))
            ends.append(task)
    return [task.result() for task in ends]


async def small_runs(one: Function, step: Function, both: Function, count: int) -> None:
    """`count` times five nodes, one run after the other: a, then b and c, then d of both, then e."""
    for _ in range(count):
        async with asyncio.TaskGroup() as group:
            a = group.create_task(_sync(one))
            b, c = group.create_task(_sync(step, a)), group.create_task(_sync(step, a))
            d = group.create_task(_sync(both, b, c))
            group.create_task(_sync(step, d))


async def sleeps(count: int, seconds: float) -> None:
    """`count` sleeps at the same time."""
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(asyncio.sleep(seconds))


async def _given(item: Any) -> Any:
    return item
