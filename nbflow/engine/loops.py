"""The inside of a loop, as the loop's function sees it (`core.node.Body`)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.errors import NodeError
from nbflow.core.node import Failure
from nbflow.engine.failed import NodeFailed
from nbflow.engine.plan import MISSING, Capture
from nbflow.engine.scope import EMPTY, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbflow.engine.call import NodeCall

RECORDED_ITERATIONS = 20  # the first ones; besides them the last and every failed one
PROGRESS_NS = 100_000_000


class LoopBody:
    """Runs the plan of a loop's body, one scope an iteration."""

    def __init__(self, call: NodeCall) -> None:
        plan = call.plan_node.body
        assert plan is not None  # noqa: S101 -- NodeCall.body checks
        self.call = call
        self.plan = plan
        values = call.scope.values
        self.captured: dict[Capture, Any] = {capture: values[slot] for capture, slot in call.plan_node.captures}
        self.told_ns = 0

    def _scope(self, item: Any, index: int, *, last: bool) -> Scope:
        call = self.call
        recorded = call.scope.recorded and (index < RECORDED_ITERATIONS or last)
        return Scope(call.scope.run, self.plan, around=call, path=(*call.path, index), item=item, captured=self.captured, recorded=recorded)

    async def run(self, item: Any, index: int) -> Any:
        """Runs the body once; gives what reached `result`."""
        self.call.iterations += 1
        run = self.call.scope.run
        if time.perf_counter_ns() > run.slice_end_ns:
            await run.breathe()
        scope = self._scope(item, index, last=False)
        try:
            await scope.finish()
        finally:
            current_node.set(self.call)
        return scope.outcome()

    async def map(self, items: Sequence[Any], *, concurrency: int = 1, collect_errors: bool = False) -> list[Any]:
        """Runs the body once per item; results in the order of the items."""
        results: list[Any] = [MISSING] * len(items)
        positions = iter(range(len(items)))
        if concurrency <= 1 or len(items) <= 1:
            try:
                await self._worker(items, positions, results, collect_errors=collect_errors)
            finally:
                current_node.set(self.call)
            return results
        first: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(items))):
                    group.create_task(self._worker(items, positions, results, collect_errors=collect_errors))
        except BaseExceptionGroup as several:
            first = several.exceptions[0]
        if first is not None:
            raise first
        if any(result is MISSING for result in results):  # a task group takes a task that cancelled itself for one that has done its work
            message = "a node in the loop cancelled the task it ran in"
            raise NodeError(message)
        return results

    async def _worker(self, items: Sequence[Any], positions: Iterator[int], results: list[Any], *, collect_errors: bool) -> None:
        call, total = self.call, len(items)
        run = call.scope.run
        before = call.iterations
        for position in positions:
            scope = self._scope(items[position], position, last=position == total - 1)
            try:
                if scope.drain() != EMPTY or scope.failure is not None or scope.tasks:
                    await scope.finish()
                results[position] = scope.outcome()
            except NodeFailed as failed:
                if not collect_errors or isinstance(failed.error, asyncio.CancelledError):
                    raise
                record = run.services.describe_error(failed.error)
                results[position] = Failure(node=failed.node, type=record.type, message=record.message, index=position)
            call.iterations += 1
            now = time.perf_counter_ns()
            if now - self.told_ns > PROGRESS_NS:
                self.told_ns = now
                done = call.iterations - before
                call.progress(done / total, done=done, total=total)
            if now > run.slice_end_ns:
                await run.breathe()
