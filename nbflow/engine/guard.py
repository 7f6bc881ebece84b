"""How a node's function is called when it is not called inline: where it runs, and what its settings put around it."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import InputError, NodeError, NodeTimeoutError, RateLimitedError
from nbflow.core.events import NodeRetried
from nbflow.core.flow import Retry
from nbflow.core.node import Emit, Failure
from nbflow.engine.call import NodeCall
from nbflow.engine.plan import ERROR, MISSING, OUTPUT
from nbflow.engine.process import ProcessPool
from nbflow.engine.threads import ThreadPool

if TYPE_CHECKING:
    from nbflow.engine.plan import PlanNode

threads = ThreadPool()
processes = ProcessPool()
_ONCE = Retry(max_tries=1)


async def invoke(call: NodeCall) -> Any:
    """The node's value, all settings respected."""
    settings = call.plan_node.node.settings
    if not call.plan_node.guarded:
        return await _call(call)
    if settings.disabled:
        _, many, slots = call.plan_node.inputs[0] if call.plan_node.inputs else ("", False, None)
        return call.port(slots, many=many) if slots else call.input
    if settings.each:
        return await _each(call)
    return await _attempts(call)


async def _call(call: NodeCall) -> Any:
    """One call, where it belongs. Holds one of the flow's permits, unless it only runs other nodes."""
    node = call.plan_node
    permits = call.scope.run.permits
    if node.body is not None:
        positional, named = call.arguments()
        return await node.function(*positional, **named)
    if not permits.take():
        await permits.wait()
    try:
        if node.is_async:
            positional, named = call.arguments()
            return await node.function(*positional, **named)
        if node.where == "process":
            return await processes.call(call)
        return await _in_thread(call)
    finally:
        permits.give()


async def _in_thread(call: NodeCall) -> Any:
    node = call.plan_node

    def work() -> Any:
        positional, named = call.arguments()
        value = node.function(*positional, **named)
        if call.figures is not None:
            call.scope.run.services.after_call(call, value)
        return value

    value, seconds = await threads.call(work)
    node.pace.measured(seconds)
    if inspect.isawaitable(value):  # a sync wrapper around an async function
        node.is_async = True
        value = await value
    return value


async def _attempts(call: NodeCall) -> Any:
    settings = call.plan_node.node.settings
    retry = settings.retry or _ONCE
    timeout_s = settings.timeout.total_seconds() if settings.timeout else None
    while True:
        try:
            return await _limited(call, timeout_s)
        except Exception as error:
            if call.attempt >= retry.max_tries or not (error.retryable if isinstance(error, NodeError) else True):
                raise
            wait_s = _wait_s(retry, call.attempt, error)
            run = call.scope.run
            record = run.services.describe_error(error)
            run.sink(NodeRetried(run.id, call.node, call.path, run.now_ns(), call.attempt, wait_s, record))
        await call.sleep(wait_s)
        call.attempt += 1


def _wait_s(retry: Retry, attempt: int, error: Exception) -> float:
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after
    wait_s = min(retry.wait.total_seconds() * retry.backoff ** (attempt - 1), retry.max_wait.total_seconds())
    return wait_s * (1 + random.uniform(-retry.jitter, retry.jitter))  # noqa: S311 -- spreads load, guards nothing


async def _limited(call: NodeCall, timeout_s: float | None) -> Any:
    limit = limit_of(call.plan_node)
    if limit is None:
        return await _timed(call, timeout_s)
    async with limit:
        return await _timed(call, timeout_s)


async def _timed(call: NodeCall, timeout_s: float | None) -> Any:
    if timeout_s is None:
        return await _call(call)
    try:
        async with asyncio.timeout(timeout_s) as deadline:
            return await _call(call)
    except TimeoutError:
        if not deadline.expired():
            raise
        message = f"still running after {timeout_s:g} s (settings.timeout)"
        raise NodeTimeoutError(message) from None


def limit_of(node: PlanNode) -> asyncio.Semaphore | None:
    """The node's own concurrency limit, one for all its executions on this loop."""
    if node.node.settings.concurrency is None:
        return None
    loop = asyncio.get_running_loop()
    return node.limits.setdefault(loop, asyncio.Semaphore(node.node.settings.concurrency))


async def _each(call: NodeCall) -> Any:
    """Maps the node over its first input. Several output ports: each gets the list of the items that went its way."""
    node = call.plan_node
    name, many, slots = node.inputs[0] if node.inputs else ("input", False, [])
    given = call.port(slots, many=many) if slots else call.input
    items = items_of(given, name)
    results: list[Any] = [MISSING] * len(items)
    positions = iter(range(len(items)))
    done = 0

    async def worker() -> None:
        nonlocal done
        for position in positions:
            results[position] = await _item(call, items[position], position)
            done += 1
            call.progress(done / len(items), done=done, total=len(items))

    width = min(len(items), node.node.settings.concurrency or 1)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(worker())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    call.iterations = len(items)
    return _collect(results, node.type.outputs_of(node.node.config), node.node.settings.on_error)


async def _item(call: NodeCall, item: Any, position: int) -> Any:
    one = NodeCall(call.scope, call.position, call.plan_node)
    one.item = item
    one.path = (*call.path, position)
    one.started_ns = call.scope.run.now_ns()
    try:
        return await _attempts(one)
    except Exception as error:
        record = call.scope.run.services.describe_error(error)
        one.scope.end_item(one, record)
        if call.plan_node.node.settings.on_error == "stop":
            error.add_note(f"item {position} of node '{call.node}'")
            raise
        return Failure(node=call.node, type=record.type, message=record.message, index=position)


def _collect(results: list[Any], outputs: tuple[str, ...], on_error: str) -> Any:
    failures = [result for result in results if isinstance(result, Failure)]
    good = [result for result in results if not isinstance(result, Failure)] if on_error == "output" else results
    if outputs == (OUTPUT,) and not any(isinstance(result, Emit) for result in good):
        return Emit.of({OUTPUT: good, ERROR: failures}) if on_error == "output" and failures else good
    ports: dict[str, list[Any]] = {port: [] for port in outputs}
    for result in good:
        for port, value in result.ports.items() if isinstance(result, Emit) else ():
            ports[port].append(value)
    if failures and on_error == "output":
        ports[ERROR] = failures
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
