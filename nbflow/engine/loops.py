"""The inside of a loop, as the loop's function sees it (`core.node.Body`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbflow.core.node import Failure
from nbflow.engine.plan import MISSING, Capture
from nbflow.engine.scope import EMPTY, SLICE_NS, NodeFailed, Scope

if TYPE_CHECKING:
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
        run, path = call.scope.run, (*call.path, index)
        return Scope(run, self.plan, parent=call.scope, path=path, item=item, captured=self.captured, recorded=recorded)

    async def run(self, item: Any, index: int) -> Any:
        """Runs the body once; gives what reached `result`."""
        self.call.iterations += 1
        scope = self._scope(item, index, last=False)
        await scope.finish()
        return scope.outcome()

    async def map(self, items: Sequence[Any], *, concurrency: int = 1, collect_errors: bool = False) -> list[Any]:
        """Runs the body once per item; results in the order of the items."""
        results: list[Any] = [MISSING] * len(items)
        positions = iter(range(len(items)))
        if concurrency <= 1 or len(items) <= 1:
            await self._worker(items, positions, results, collect_errors=collect_errors)
            return results
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(items))):
                    group.create_task(self._worker(items, positions, results, collect_errors=collect_errors))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return results

    async def _worker(self, items: Sequence[Any], positions: Any, results: list[Any], *, collect_errors: bool) -> None:
        call, total = self.call, len(items)
        slice_end = time.perf_counter_ns() + SLICE_NS
        for position in positions:
            scope = self._scope(items[position], position, last=position == total - 1)
            try:
                if scope.drain() != EMPTY or scope.failure is not None or scope.tasks:
                    await scope.finish()
                results[position] = scope.outcome()
            except NodeFailed as failed:
                if not collect_errors or isinstance(failed.error, asyncio.CancelledError):
                    raise
                record = call.scope.run.services.describe_error(failed.error)
                results[position] = Failure(node=failed.node, type=record.type, message=record.message, index=position)
            call.iterations += 1
            now = time.perf_counter_ns()
            if now - self.told_ns > PROGRESS_NS:
                self.told_ns = now
                call.progress(call.iterations / total, done=call.iterations, total=total)
            if now > slice_end:
                await asyncio.sleep(0)
                slice_end = time.perf_counter_ns() + SLICE_NS
