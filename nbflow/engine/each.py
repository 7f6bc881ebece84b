"""A node that is mapped over the items of its first input."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from nbflow.core.current import current_node
from nbflow.core.errors import InputError, NodeError
from nbflow.core.node import Emit, Failure
from nbflow.engine.call import NodeCall
from nbflow.engine.failed import cause_of
from nbflow.engine.guard import attempts
from nbflow.engine.plan import ERROR, MISSING, OUTPUT
from nbflow.engine.steps import stepped

PROGRESS_NS = 100_000_000


async def each(call: NodeCall) -> Any:
    """Maps the node over its first input, in order. Several output ports: each gets the list of the items that went its way."""
    node = call.plan_node
    name, many, slots = node.inputs[0] if node.inputs else ("input", False, [])
    given = call.port(slots, many=many) if slots else call.input
    items = items_of(given, name)
    results: list[Any] = [MISSING] * len(items)
    positions = iter(range(len(items)))
    run = call.scope.run
    told_ns = 0

    async def worker() -> None:
        nonlocal told_ns
        for position in positions:
            results[position] = await _item(call, items[position], position)
            call.iterations += 1
            now = run.now_ns()
            if now - told_ns > PROGRESS_NS:
                told_ns = now
                call.progress(call.iterations / len(items), done=call.iterations, total=len(items))

    first: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(items), node.node.settings.concurrency or 1)):
                group.create_task(worker())
    except BaseExceptionGroup as several:
        first = several.exceptions[0]
    if first is not None:
        raise first
    if any(result is MISSING for result in results):  # a task group takes a task that cancelled itself for one that has done its work
        message = "the function cancelled the task it ran in"
        raise NodeError(message)
    return _collect(results, node.type.outputs_of(node.node.config), node.node.settings.on_error)


async def _item(call: NodeCall, item: Any, position: int) -> Any:
    one = NodeCall(call.scope, call.position, call.plan_node)
    one.item = item
    one.path = (*call.path, position)
    one.started_ns = call.scope.run.now_ns()
    current_node.set(one)
    try:
        value = await stepped(call.scope.run.hold, one if one.plan_node.body is None else None, attempts(one))
        call.plan_node.check(value)
    except Exception as error:
        cause = cause_of(error)
        record = call.scope.run.services.describe_error(cause)
        one.scope.end_item(one, record)
        if call.plan_node.node.settings.on_error == "stop":
            cause.add_note(f"item {position} of node '{call.node}'")
            raise
        return Failure(node=call.node, type=record.type, message=record.message, index=position)
    finally:
        if one.consumed is not None:
            call.add(one.consumed)
    return value


def _collect(results: list[Any], outputs: tuple[str, ...], on_error: str) -> Any:
    """One list, or one for each port. Failures stay in their places, or leave by the port `error`; among several ports they have no place."""
    failures = [result for result in results if isinstance(result, Failure)]
    good = [result for result in results if not isinstance(result, Failure)] if on_error == "output" else results
    if outputs == (OUTPUT,) and not any(isinstance(result, Emit) for result in good):
        return Emit.of({OUTPUT: good, ERROR: failures}) if on_error == "output" and failures else good
    ports: dict[str, list[Any]] = {port: [] for port in outputs}
    for result in good:
        if isinstance(result, Emit):
            for port, value in result.ports.items():
                ports.setdefault(port, []).append(value)
        elif OUTPUT in ports:
            ports[OUTPUT].append(result)
    if failures and on_error == "output":
        ports[ERROR] = [*ports.get(ERROR, ()), *failures]
    return Emit.of(ports)


def items_of(value: Any, port: str) -> list[Any]:
    """The items of a list, tuple or other iterable; the rows of a frame as dicts. Raises InputError."""
    if isinstance(value, list):
        return value
    rows = getattr(value, "to_dict", None)
    if callable(rows) and hasattr(value, "columns"):
        found: list[Any] = rows("records")
        return found
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        message = f"`each` needs a list at input '{port}', this is {type(value).__name__}"
        raise InputError(message)
    return list(value)
