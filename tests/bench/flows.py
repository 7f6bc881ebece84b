"""The flows that are measured, drawn with the functions a user would write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach
from nbflow.authoring.trace import Definition, draw
from nbflow.core.flow import FlowSettings
from nbflow.core.node import Inputs  # noqa: TC001 -- @node reads annotations
from nbflow.engine.plan import Plan, compile_flow
from nbflow.engine.run import Run
from nbflow.runtime.catalogue import FunctionCatalogue

if TYPE_CHECKING:
    from collections.abc import Callable


def one() -> int:
    return 1


def step(x: int) -> int:
    return x + 1


def both(x: int, y: int) -> int:
    return x + y


def total(values: Inputs) -> int:
    return sum(values)


def numbers() -> list[int]:
    return list(range(10_000))


async def astep(x: int) -> int:
    return x + 1


async def ayield(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


def busy(x: int) -> int:
    """About 18 ms of pure Python."""
    for _ in range(450_000):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def definition_of(function: Callable[[], Any], **settings: Any) -> Definition:
    """The flow that a function draws."""
    return draw(function, name=function.__name__, description="", parameters={}, settings=FlowSettings(**settings))


def plan_of(function: Callable[[], Any], **settings: Any) -> Plan:
    """The flow that a function draws, compiled."""
    definition = definition_of(function, **settings)
    return compile_flow(definition.flow, FunctionCatalogue(definition.functions))


async def run(plan: Plan) -> list[Any]:
    """Runs a plan; its events, previews made, as the recorder would get them. Raises what the flow raised."""
    events: list[Any] = []
    outcome = await Run("bench", plan, sink=events.append).execute()
    if outcome.error is not None:
        raise outcome.error
    return events


def made(function: Callable[..., Any], where: Any = "inline", **options: Any) -> Any:
    """A node, `where` None for what users get without asking: measured, then inline."""
    return node(where=None if asyncio.iscoroutinefunction(function) else where, **options)(function)


def chain(length: int, step: Callable[..., Any] = step, where: Any = "inline", **options: Any) -> Callable[[], Any]:
    """W1."""
    first, then = made(one), made(step, where, **options)

    def w1() -> Any:
        value = first()
        for place in range(length):
            value = then.options(id=f"n{place}")(value)
        return value

    return w1


def fan(width: int, step: Callable[..., Any] = step, where: Any = "inline") -> Callable[[], Any]:
    """W2."""
    first, then, last = made(one), made(step, where), made(total, where)

    def w2() -> Any:
        value = first()
        return last([then.options(id=f"n{place}")(value) for place in range(width)])

    return w2


def lattice(width: int, depth: int, where: Any = "inline") -> Callable[[], Any]:
    """W3."""
    first, then = made(one), made(both, where)

    def w3() -> Any:
        layer = [first()] * width
        for row in range(depth):
            layer = [then.options(id=f"n{row}_{place}")(layer[place], layer[(place + 1) % width]) for place in range(width)]
        return tuple(layer)

    return w3


def loop(items: int, where: Any = "inline") -> Callable[[], Any]:
    """W4: three nodes an item."""

    def source() -> list[int]:
        return list(range(items))

    first, then = made(source), made(step, where)

    def w4() -> Any:
        return foreach(first(), lambda item: then(then(then(item))))

    return w4


def diamond(where: Any = "inline") -> Callable[[], Any]:
    """W9: five nodes."""
    first, then, join = made(one), made(step, where), made(both, where)

    def w9() -> Any:
        a = first()
        b, c = then(a), then(a)
        d = join(b, c)
        return then(d)

    return w9


def wide(width: int, function: Callable[..., Any], where: Any = None) -> Callable[[], Any]:
    """W5, W6: `width` nodes that need nothing."""
    single = made(function, where)

    def w56() -> Any:
        return tuple(single.options(id=f"n{place}")() for place in range(width))

    return w56
