"""How a node's function is called when it is not called inline: where it runs, and what its settings put around it."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import NodeError, NodeTimeoutError, RateLimitedError
from nbflow.core.events import NodeRetried
from nbflow.core.flow import Retry
from nbflow.core.node import Emit
from nbflow.engine.failed import cause_of
from nbflow.engine.plan import MISSING, OUTPUT
from nbflow.engine.process import ProcessPool
from nbflow.engine.threads import ThreadPool, storable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from nbflow.engine.call import NodeCall
    from nbflow.engine.plan import PlanNode

threads = ThreadPool()
processes = ProcessPool()
_ONCE = Retry(max_tries=1)


def invoke(call: NodeCall) -> Coroutine[Any, Any, Any]:
    """What gives the node's value, all settings respected."""
    node = call.plan_node
    if node.guarded:
        return _guarded(call)
    return _plain(call) if node.is_async and node.body is None else _permitted(call, None)


async def _plain(call: NodeCall) -> Any:
    """An async function without settings: `_permitted`, `_call` and `_on_loop` in one coroutine, since most calls are this."""
    permits = call.scope.run.permits
    if not permits.take():
        call.queued = call.attempt == 1
        await permits.wait()
    try:
        if call.queued:
            call.begin()
        return await _on_loop(call)
    except asyncio.CancelledError as error:
        _refuse_stray(error)
        raise
    except (SystemExit, KeyboardInterrupt) as error:
        raise storable(error) from error
    finally:
        permits.give()


async def _guarded(call: NodeCall) -> Any:
    settings = call.plan_node.node.settings
    if settings.disabled:
        return _passed(call)
    if settings.each:
        from nbflow.engine.each import each

        return await each(call)
    return await attempts(call)


def _passed(call: NodeCall) -> Any:
    """A disabled node's value: its first input, out of its first port."""
    node = call.plan_node
    value = MISSING
    if node.inputs:
        _, many, slots = node.inputs[0]
        value = call.port(slots, many=many)
    if value is MISSING:
        value = call.input
    ports = node.type.outputs_of(node.node.config)
    return value if OUTPUT in ports or not ports else Emit.of({ports[0]: value})


async def attempts(call: NodeCall) -> Any:
    """Tries until it succeeds or nothing more is to be expected. Raises the last try's error."""
    settings = call.plan_node.node.settings
    retry = settings.retry or _ONCE
    timeout_s = settings.timeout.total_seconds() if settings.timeout else None
    while True:
        try:
            return await _limited(call, timeout_s)
        except Exception as error:
            cause = cause_of(error)
            if call.attempt >= retry.max_tries or not _retryable(cause):
                raise
            wait_s = _wait_s(retry, call.attempt, cause)
            run = call.scope.run
            run.sink(NodeRetried(run.id, call.node, call.path, run.now_ns(), call.attempt, wait_s, run.services.describe_error(cause)))
        await call.sleep(wait_s)
        call.attempt += 1
        call.iterations = 0


def _retryable(error: BaseException) -> bool:
    return error.retryable if isinstance(error, NodeError) else isinstance(error, Exception)


def _wait_s(retry: Retry, attempt: int, error: BaseException) -> float:
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after
    wait_s = min(retry.wait.total_seconds() * retry.backoff ** min(attempt - 1, 60), retry.max_wait.total_seconds())
    return wait_s * (1 + random.uniform(-retry.jitter, retry.jitter))  # noqa: S311 -- spreads load, guards nothing


async def _limited(call: NodeCall, timeout_s: float | None) -> Any:
    limit = limit_of(call.plan_node)
    if limit is None:
        return await _permitted(call, timeout_s)
    if limit.locked() and call.attempt == 1:
        call.queued = True
    async with limit:
        return await _permitted(call, timeout_s)


def limit_of(node: PlanNode) -> asyncio.Semaphore | None:
    """The node's own concurrency limit, one for all its executions on this loop."""
    if node.node.settings.concurrency is None:
        return None
    loop = asyncio.get_running_loop()
    return node.limits.setdefault(loop, asyncio.Semaphore(node.node.settings.concurrency))


async def _permitted(call: NodeCall, timeout_s: float | None) -> Any:
    """One call. Holds one of the flow's permits, unless it only runs other nodes. Waiting for it does not count as running."""
    if call.plan_node.body is not None:
        if call.queued:
            call.begin()
        return await _timed(call, timeout_s)
    permits = call.scope.run.permits
    if not permits.take():
        call.queued = call.attempt == 1
        await permits.wait()
    try:
        if call.queued:
            call.begin()
        return await (_call(call) if timeout_s is None else _timed(call, timeout_s))
    finally:
        permits.give()


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


async def _call(call: NodeCall) -> Any:
    """One call, where it belongs. Raises only what may pass through tasks: a stray CancelledError would look like a cancelled execution."""
    node = call.plan_node
    try:
        if node.is_async:
            return await _on_loop(call)
        if node.where == "process":
            return await processes.call(call)
        if node.where == "inline" or (node.where is None and node.pace.inline and not node.node.settings.timeout):
            return await _here(call)
        return await _in_thread(call)
    except asyncio.CancelledError as error:
        _refuse_stray(error)
        raise
    except (SystemExit, KeyboardInterrupt) as error:
        raise storable(error) from error


def _refuse_stray(error: asyncio.CancelledError) -> None:
    """Raises it as something else unless somebody has cancelled this task."""
    task = asyncio.current_task()
    if task is not None and not task.cancelling():
        raise storable(error) from error


async def _on_loop(call: NodeCall) -> Any:
    positional, named = call.arguments()
    value: Any = None
    try:
        value = await call.plan_node.function(*positional, **named)
    finally:
        if call.figures is not None:
            await threads.call(partial(call.scope.run.services.after_call, call, value))
    return value


async def _here(call: NodeCall) -> Any:
    """A sync function on the loop, because it is declared so or known to be fast."""
    node, run = call.plan_node, call.scope.run
    positional, named = call.arguments()
    began = time.perf_counter()
    value: Any = None
    try:
        value = node.function(*positional, **named)
        node.pace.measured(time.perf_counter() - began)
    finally:
        if call.figures is not None:
            run.services.after_call(call, value)
    if inspect.isawaitable(value):
        node.is_async = True
        return await value
    if time.perf_counter_ns() > run.slice_end_ns:  # an `each` node may run thousands in a row
        await run.breathe()
    return value


async def _in_thread(call: NodeCall) -> Any:
    node = call.plan_node

    def work() -> Any:
        positional, named = call.arguments()
        value: Any = None
        try:
            value = node.function(*positional, **named)
        finally:
            if call.figures is not None:
                call.scope.run.services.after_call(call, value)
        return value

    value, seconds = await threads.call(work)
    node.pace.measured(seconds)
    if inspect.isawaitable(value):  # a sync wrapper around an async function
        node.is_async = True
        value = await value
    return value
