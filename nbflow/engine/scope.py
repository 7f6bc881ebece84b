"""One activation of a plan: the whole flow, or one iteration of a loop.

The finishing node continues with the next ready one. Sync functions that are known to be fast run right here
(`drain`); others are awaited in the same task, and only when something else is ready meanwhile a further task is made.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.errors import InputError
from nbflow.core.events import NodeFinished, NodeStarted
from nbflow.core.node import Emit, Failure
from nbflow.core.values import is_shown, preview
from nbflow.engine.call import NodeCall, part, plain
from nbflow.engine.crew import Crew, forget_cancellations
from nbflow.engine.failed import NodeFailed, cause_of
from nbflow.engine.guard import invoke
from nbflow.engine.plan import ERROR, MISSING, OUTPUT
from nbflow.engine.steps import resume, step
from nbflow.engine.threads import NodeInterrupted, storable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from nbflow.core.events import ErrorRecord
    from nbflow.engine.plan import Capture, Plan, PlanNode
    from nbflow.engine.run import Run

SLICE_NS = 5_000_000  # how long inline nodes may hold the loop before others get a turn
EMPTY, BLOCKED, SLICE = 0, 1, 2  # why a drain ended: nothing ready; the next node must be awaited; its time is over
_PLAIN = frozenset({int, float, str, bool, type(None), dict, list, tuple, bytes})  # types that have no rich form
_AWAITED = frozenset({CoroutineType, asyncio.Task, asyncio.Future})  # what a sync function may give instead of its value
_SPECIAL = _AWAITED | {Emit}
_new_tuple = tuple.__new__


class Scope(Crew):
    """One activation: runs what is ready, and tells of it."""

    __slots__ = ("around", "item", "picture", "recorded", "shown")

    def __init__(
        self,
        run: Run,
        plan: Plan,
        *,
        around: NodeCall | None = None,
        path: tuple[int, ...] = (),
        item: Any = None,
        captured: Mapping[Capture, Any] | None = None,
        recorded: bool = True,
    ) -> None:
        super().__init__(run, plan, parent=around.scope if around is not None else None, path=path)
        self.around = around  # the loop's call that this is an iteration of
        self.item = item
        self.recorded = recorded
        self.shown: Any  # the last object that was told of
        self.picture: Any  # its preview
        self.shown, self.picture = run.shown if recorded and around is None else (None, None)
        for capture, slot in plan.presets:
            self.values[slot] = captured[capture] if captured else MISSING
        for delivery in plan.items:
            self.put(delivery, item if delivery.port == "item" else path[-1])

    # Running ----------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Runs ready nodes until none is left for this task."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine runs in a task
        cancellations = task.cancelling()
        while self.failure is None:
            reason = self.drain()
            if reason == EMPTY:
                return
            if reason == SLICE:
                await self.run.breathe()
                continue
            await self._awaited(self.ready.popleft())
            if task.cancelling() > cancellations:  # kept to itself by the node, or left over by a TaskGroup in it (Python 3.11 does)
                if self.unwanted():
                    raise asyncio.CancelledError
                forget_cancellations(task, cancellations)

    def drain(self) -> int:
        """Runs ready nodes that can run right here. Gives EMPTY, BLOCKED or SLICE."""
        ready, nodes, dead, run = self.ready, self.plan.nodes, self.dead, self.run
        while ready and self.failure is None:
            position = ready[0]
            node = nodes[position]
            if dead[position] and not self.lives(position, node):
                ready.popleft()
                now = self._skip(position, node)
            elif self.unreadable is not None and position in self.unreadable:
                ready.popleft()
                now = self._fail(NodeCall(self, position, node), self.unreadable[position], 0)
            elif node.is_async or node.guarded or not (node.where == "inline" or (node.where is None and node.pace.inline)):
                return BLOCKED
            else:
                ready.popleft()
                now = self._inline(position, node)
            if now > run.slice_end_ns and ready:
                return SLICE
        return EMPTY

    def _inline(self, position: int, node: PlanNode) -> int:
        call = NodeCall(self, position, node)
        current_node.set(call)
        run = self.run
        hold = run.hold
        began = time.perf_counter_ns()
        hold.call = call
        value: Any = None
        try:
            try:
                if self.plan.direct[position]:
                    value = node.function(*self.values[node.positional], **node.literals)  # type: ignore[index]  # direct: never None
                else:
                    positional, named = call.arguments()
                    value = node.function(*positional, **named)
            finally:
                hold.call = None
                if hold.interrupted:
                    hold.settle()
                ended = time.perf_counter_ns()
                if call.figures is not None:
                    run.services.after_call(call, value)
            if type(value) in _SPECIAL or OUTPUT not in node.ports:
                if type(value) in _AWAITED:
                    node.is_async = True
                    call.started_ns = run.clock_offset_ns + began
                    self._await_later(call, value)
                    return ended
                node.check(value)
        except NodeInterrupted:
            self._end(call, "cancelled", time.perf_counter_ns() - began)
            self.abort(NodeFailed(node.id, self.path, asyncio.CancelledError()))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
            self._fail(call, storable(error), time.perf_counter_ns() - began)
        else:
            node.pace.measured((ended - began) * 1e-9)
            call.started_ns = run.clock_offset_ns + began
            self._finish(call, value, ended - began)
        return time.perf_counter_ns()

    async def _awaited(self, position: int) -> None:
        """Runs a node that may have to wait. Only when it does, and others are ready, a further task takes those."""
        node, run = self.plan.nodes[position], self.run
        call = NodeCall(self, position, node)
        current_node.set(call)
        call.started_ns = run.now_ns()
        held = None if node.body is not None else call
        steps = invoke(call)
        try:
            try:
                rest = resume(run.hold, held, steps, step(run.hold, held, steps.send, None))
            except StopIteration as stop:
                value = stop.value
            else:
                if self.recorded and not call.queued:
                    run.sink(NodeStarted(run.id, node.id, self.path, call.started_ns))
                if self.ready:
                    self.spread()
                value = await rest
            node.check(value)
        except (asyncio.CancelledError, GeneratorExit):
            self._end(call, "cancelled", run.now_ns() - call.started_ns)
            raise
        except NodeInterrupted:
            self._end(call, "cancelled", run.now_ns() - call.started_ns)
            self.abort(NodeFailed(node.id, self.path, asyncio.CancelledError()))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
            self._fail(call, storable(error), run.now_ns() - call.started_ns)
        else:
            self._finish(call, value, run.now_ns() - call.started_ns)

    def _await_later(self, call: NodeCall, awaitable: Awaitable[Any]) -> None:
        def never_begun(_task: asyncio.Task[None]) -> None:
            if call.queued:
                self._end(call, "cancelled", 0)
                if isinstance(awaitable, CoroutineType):
                    awaitable.close()

        call.queued = True
        self.spawn(partial(self._late, call, awaitable)).add_done_callback(never_begun)

    async def _late(self, call: NodeCall, awaitable: Awaitable[Any]) -> None:
        """Waits for what a sync function gave instead of its value, then goes on as the node's task."""
        run, node = self.run, call.plan_node
        call.queued = False
        current_node.set(call)
        if self.recorded:
            run.sink(NodeStarted(run.id, call.node, self.path, call.started_ns))
        try:
            value = await awaitable
            node.check(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                self._end(call, "cancelled", run.now_ns() - call.started_ns)
                raise
            self._fail(call, storable(error), run.now_ns() - call.started_ns)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
            self._fail(call, storable(error), run.now_ns() - call.started_ns)
        else:
            self._finish(call, value, run.now_ns() - call.started_ns)
        await self.work()

    # Ends of nodes ----------------------------------------------------------------------------------

    def _finish(self, call: NodeCall, value: Any, duration_ns: int) -> None:
        position, node, run = call.position, call.plan_node, self.run
        if node.retained:
            self.results[position] = value
        if self.recorded:
            shown = value if type(value) is not Emit else plain(value)
            run.sink(
                _new_tuple(
                    NodeFinished,
                    (
                        run.id, node.id, node.node.type, self.path, "completed", call.attempt, call.started_ns, duration_ns, self._picture(shown),
                        None if type(shown) in _PLAIN else run.services.bundle(shown), None, call.consumed, call.iterations,
                    ),
                )
            )  # fmt: skip
        elif call.consumed is not None and self.around is not None:
            self.around.add(call.consumed)
        if run.releases:
            self.release(node)
        if type(value) is Emit:
            self.deliver(position, value.ports)
            return
        values, pending = self.values, self.pending
        for delivery in self.plan.outgoing[position]:
            if delivery.plain:
                target = delivery.target
                values[delivery.slot] = value
                left = pending[target] - 1
                pending[target] = left
                if left == 0:
                    self.ready.append(target)
            else:
                self.pass_on(delivery, value)
        for delivery in self.plan.branches[position]:
            self.kill(delivery)

    def _picture(self, value: Any) -> Any:
        if value is self.shown and is_shown(value, self.picture):  # passed on as it came: by triggers, `if`, merges
            return self.picture
        picture = preview(value)
        if type(value) is dict:
            self.shown, self.picture = value, picture
        return picture

    def _fail(self, call: NodeCall, error: BaseException, duration_ns: int) -> int:
        """Absorbs or spreads the failure, as the node's settings say. Gives the time."""
        node = call.plan_node
        inner = error if isinstance(error, NodeFailed) else None
        cause = cause_of(error)
        if isinstance(cause, asyncio.CancelledError):
            self._end(call, "cancelled", duration_ns)
            self.abort(inner or NodeFailed(node.id, self.path, cause))
            return 0
        record = self.run.services.describe_error(cause)
        if inner is not None:
            record = record._replace(message=f"in node '{inner.node}'{_iteration(inner.path)}: {record.message}")
        self._end(call, "failed", duration_ns, record)
        on_error = node.node.settings.on_error
        if on_error == "stop":
            self.abort(inner or NodeFailed(node.id, self.path, error))
            return 0
        failure = Failure(node=node.id, type=record.type, message=record.message, index=call.path[-1] if call.path else None)
        value = Emit.of({OUTPUT if on_error == "continue" else ERROR: failure})
        if node.retained:
            self.results[call.position] = value
        if self.run.releases:
            self.release(node)
        self.deliver(call.position, value.ports)
        return time.perf_counter_ns()

    def _skip(self, position: int, node: PlanNode) -> int:
        """Spreads that a branch is dead, through the queue of ready nodes. Gives the time."""
        if self.recorded:
            self._end(NodeCall(self, position, node), "skipped", 0)
        if self.run.releases:
            self.release(node)
        for delivery in self.plan.outgoing[position]:
            self.kill(delivery)
        for delivery in self.plan.branches[position]:
            self.kill(delivery)
        return time.perf_counter_ns()

    def _end(self, call: NodeCall, status: str, duration_ns: int, error: ErrorRecord | None = None) -> None:
        run, node = self.run, call.plan_node
        started = call.started_ns or run.now_ns() - duration_ns
        run.sink(
            NodeFinished(
                run.id, node.id, node.node.type, self.path, status, call.attempt, started, duration_ns, error=error, usage=call.consumed,
                iterations=call.iterations,
            )
        )  # fmt: skip

    def end_item(self, call: NodeCall, record: ErrorRecord) -> None:
        """Tells of one failed item of an `each` node."""
        run, node = self.run, call.plan_node
        took_ns = run.now_ns() - call.started_ns
        run.sink(NodeFinished(run.id, node.id, node.node.type, call.path, "failed", call.attempt, call.started_ns, took_ns, error=record))

    def cancel_ready(self) -> None:
        """Tells of the nodes that waited for their turn."""
        while self.ready:
            position = self.ready.popleft()
            self._end(NodeCall(self, position, self.plan.nodes[position]), "cancelled", 0)

    def outcome(self) -> Any:
        """What reached the loop's `result` port; None without such an edge, or when a branch left it out."""
        if self.plan.result is None:
            return None
        position, port, path = self.plan.result
        value = self.results[position]
        if isinstance(value, Emit):
            value = value.ports.get(port, MISSING)
        try:
            return None if value is MISSING else part(value, path)
        except InputError as error:
            raise NodeFailed(self.plan.nodes[position].id, self.path, error) from None


def _iteration(path: tuple[int, ...]) -> str:
    return f", iteration {'.'.join(map(str, path))}" if path else ""
