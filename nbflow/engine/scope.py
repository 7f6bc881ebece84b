"""One activation of a plan: the whole flow, or one iteration of a loop.

The finishing node continues with the next ready one. Sync functions that are known to be fast run right here
(`drain`); others are awaited in the same task, and only when something else is ready meanwhile a further task is made.
"""

from __future__ import annotations

import asyncio
import time
import types
from collections import deque
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.events import NodeFinished, NodeStarted
from nbflow.core.node import Emit, Failure
from nbflow.core.values import preview
from nbflow.engine.call import NodeCall, part
from nbflow.engine.guard import invoke
from nbflow.engine.plan import ALL, ANY, ERROR, MISSING, ORDER_ONLY, OUTPUT, Capture, Delivery, Plan, PlanNode
from nbflow.engine.threads import NodeInterrupted, storable

if TYPE_CHECKING:
    from nbflow.core.events import ErrorRecord
    from nbflow.engine.run import Run

SLICE_NS = 5_000_000  # how long inline nodes may hold the loop before others get a turn
EMPTY, BLOCKED, SLICE = 0, 1, 2  # why a drain ended: nothing ready; the next node must be awaited; its time is over
_PLAIN = frozenset({int, float, str, bool, type(None), dict, list, tuple, bytes})  # types that have no rich form
_new_tuple = tuple.__new__


class NodeFailed(Exception):  # noqa: N818 -- never leaves the engine
    """A node's error on its way out of its scope."""

    def __init__(self, node: str, path: tuple[int, ...], error: BaseException) -> None:
        super().__init__(f"node '{node}' failed: {error}")
        self.node = node
        self.path = path
        self.error = error


class Scope:
    """What is known while a plan runs: values in slots, counts of what is still to come, the ready nodes."""

    __slots__ = (
        "aborted", "dead", "failure", "index", "item", "owner", "parent", "path", "pending", "plan",
        "ready", "recorded", "results", "run", "started", "tasks", "unreadable", "values", "waiter",
    )  # fmt: skip

    def __init__(
        self,
        run: Run,
        plan: Plan,
        *,
        parent: Scope | None = None,
        path: tuple[int, ...] = (),
        item: Any = None,
        captured: dict[Capture, Any] | None = None,
        recorded: bool = True,
    ) -> None:
        self.run = run
        self.plan = plan
        self.parent = parent
        self.path = path
        self.item = item
        self.recorded = recorded
        self.values: list[Any] = [MISSING] * plan.slots
        self.pending = plan.pending.copy()
        self.dead = bytearray(len(plan.nodes))
        self.results: list[Any] = [MISSING] * len(plan.nodes)
        self.started: set[int] | None = None  # nodes that run on any first input, and have
        self.unreadable: dict[int, Exception] | None = None  # nodes whose input has not the part that an edge asks for
        self.ready = deque(plan.roots)
        self.failure: NodeFailed | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.waiter: asyncio.Future[None] | None = None
        self.owner: asyncio.Task[Any] | None = None
        self.aborted = False
        for capture, slot in plan.presets:
            self.values[slot] = captured[capture] if captured else MISSING
        for slot, port, steps in plan.item_slots:
            self.values[slot] = part(item, steps) if port == "item" else path[-1]

    # Running ----------------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Runs to the end of the plan. Raises NodeFailed; cancelled, it stops everything it started."""
        self.owner = asyncio.current_task()
        try:
            await self.work()
            while self.tasks:
                self.waiter = asyncio.get_running_loop().create_future()
                await self.waiter
        except asyncio.CancelledError:
            await self._stop_tasks()
            if not self.aborted or (self.owner is not None and self.owner.uncancel() > 0):
                raise
        if self.failure is not None:
            await self._stop_tasks()
            raise self.failure

    async def work(self) -> None:
        """Runs ready nodes until none is left for this task."""
        while self.failure is None:
            reason = self.drain()
            if reason == EMPTY:
                return
            if reason == SLICE:
                await asyncio.sleep(0)
                continue
            await self._awaited(self.ready.popleft())

    def drain(self) -> int:
        """Runs ready nodes that can run right here. Gives EMPTY, BLOCKED or SLICE."""
        ready, nodes, dead = self.ready, self.plan.nodes, self.dead
        slice_end = time.perf_counter_ns() + SLICE_NS
        while ready and self.failure is None:
            position = ready[0]
            node = nodes[position]
            if dead[position] and not self._lives(node):
                ready.popleft()
                self._skip(position, node)
            elif self.unreadable is not None and position in self.unreadable:
                ready.popleft()
                self._fail(NodeCall(self, position, node), self.unreadable[position], 0)
            elif node.is_async or node.guarded or not (node.where == "inline" or (node.where is None and node.pace.inline)):
                return BLOCKED
            else:
                ready.popleft()
                if self._inline(position, node) > slice_end and ready:
                    return SLICE
        return EMPTY

    def _inline(self, position: int, node: PlanNode) -> int:
        call = NodeCall(self, position, node)
        current_node.set(call)
        run = self.run
        run.inline = call
        began = time.perf_counter_ns()
        try:
            if self.plan.direct[position]:
                value = node.function(*self.values[node.positional], **node.literals)  # type: ignore[index]  # direct: never None
            else:
                positional, named = call.arguments()
                value = node.function(*positional, **named)
            ended = time.perf_counter_ns()
            if call.figures is not None:
                run.services.after_call(call, value)
        except NodeInterrupted:
            self._end(call, "cancelled", time.perf_counter_ns() - began)
            self.failure = NodeFailed(node.id, self.path, asyncio.CancelledError())
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
            ended = time.perf_counter_ns()
            self._fail(call, storable(error), ended - began)
        else:
            node.pace.measured((ended - began) * 1e-9)
            call.started_ns = run.clock_offset_ns + began
            self._finish(call, value, ended - began)
        finally:
            run.inline = None
        return time.perf_counter_ns()

    async def _awaited(self, position: int) -> None:
        """Runs a node that may have to wait. Only when it does, and others are ready, a further task takes those."""
        node = self.plan.nodes[position]
        call = NodeCall(self, position, node)
        current_node.set(call)
        began = time.perf_counter_ns()
        call.started_ns = self.run.clock_offset_ns + began
        steps = invoke(call)
        try:
            try:
                first = steps.send(None)
            except StopIteration as stop:
                value = stop.value
            else:
                if self.recorded:
                    self.run.sink(NodeStarted(self.run.id, node.id, self.path, call.started_ns))
                if self.ready:
                    self._spawn()
                value = await _resume(steps, first)
        except asyncio.CancelledError:
            self._end(call, "cancelled", time.perf_counter_ns() - began)
            raise
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
            self._fail(call, storable(error), time.perf_counter_ns() - began)
        else:
            self._finish(call, value, time.perf_counter_ns() - began)

    def _spawn(self) -> None:
        task = asyncio.get_running_loop().create_task(self._worker())
        self.tasks.add(task)
        task.add_done_callback(self._worker_done)

    async def _worker(self) -> None:
        try:
            await self.work()
        except Exception as error:  # noqa: BLE001 -- a fault of the engine itself must not vanish in a task
            self._abort(NodeFailed("", self.path, error))

    def _worker_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not self.tasks and self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def _abort(self, failure: NodeFailed) -> None:
        """The first failure ends the scope: every other task in it is cancelled."""
        if self.failure is not None:
            return
        self.failure = failure
        current = asyncio.current_task()
        for task in self.tasks:
            if task is not current:
                task.cancel()
        if self.owner is not None and self.owner is not current:
            self.aborted = True
            self.owner.cancel()

    async def _stop_tasks(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # Ends of nodes ----------------------------------------------------------------------------------

    def _finish(self, call: NodeCall, value: Any, duration_ns: int) -> None:
        position, node, run = call.position, call.plan_node, self.run
        if node.retained:
            self.results[position] = value
        if self.recorded:
            shown = value if type(value) is not Emit else (next(iter(value.ports.values()), None) if len(value.ports) < 2 else value.ports)  # noqa: PLR2004
            run.sink(
                _new_tuple(
                    NodeFinished,
                    (
                        run.id, node.id, node.node.type, self.path, "completed", call.attempt, call.started_ns, duration_ns, preview(shown),
                        None if type(shown) in _PLAIN else run.services.bundle(shown), None, call.consumed, call.iterations,
                    ),
                )
            )  # fmt: skip
        if run.releases:
            for _, _, slots in node.inputs:
                for slot in slots:
                    self.values[slot] = MISSING
        if type(value) is Emit:
            ports = value.ports
            for delivery in self.plan.outgoing[position]:
                self._pass(delivery, ports)
            for delivery in self.plan.branches[position]:
                self._pass(delivery, ports)
            return
        for delivery in self.plan.outgoing[position]:
            target, slot, _, path = delivery
            if path:
                self._put(delivery, value)
            else:
                self.values[slot] = value if slot != ORDER_ONLY else self.values[slot]
            self._arrived(target, live=slot != ORDER_ONLY)
        for delivery in self.plan.branches[position]:
            self._kill(delivery)

    def _fail(self, call: NodeCall, error: BaseException, duration_ns: int) -> None:
        node = call.plan_node
        inner = error if isinstance(error, NodeFailed) else None
        cause = inner.error if inner else error
        if isinstance(cause, asyncio.CancelledError):
            self._end(call, "cancelled", duration_ns)
            self._abort(inner or NodeFailed(node.id, self.path, cause))
            return
        record = self.run.services.describe_error(cause)
        if inner is not None:
            record = record._replace(message=f"in node '{inner.node}'{_iteration(inner.path)}: {record.message}")
        self._end(call, "failed", duration_ns, record)
        on_error = node.node.settings.on_error
        if on_error == "stop":
            self._abort(inner or NodeFailed(node.id, self.path, error))
            return
        failure = Failure(node=node.id, type=record.type, message=record.message, index=call.path[-1] if call.path else None)
        if node.retained:
            self.results[call.position] = failure
        ports = {OUTPUT: failure} if on_error == "continue" else {ERROR: failure}
        for delivery in (*self.plan.outgoing[call.position], *self.plan.branches[call.position]):
            self._pass(delivery, ports)

    def _skip(self, position: int, node: PlanNode) -> None:
        if self.recorded:
            self._end(NodeCall(self, position, node), "skipped", 0)
        for delivery in self.plan.outgoing[position]:
            self._kill(delivery)
        for delivery in self.plan.branches[position]:
            self._kill(delivery)

    def _end(self, call: NodeCall, status: str, duration_ns: int, error: ErrorRecord | None = None) -> None:
        run, node = self.run, call.plan_node
        started = call.started_ns or time.time_ns() - duration_ns
        run.sink(
            NodeFinished(
                run.id, node.id, node.node.type, self.path, status, call.attempt, started, duration_ns, error=error, usage=call.consumed,
                iterations=call.iterations,
            )
        )  # fmt: skip

    def end_item(self, call: NodeCall, record: ErrorRecord) -> None:
        """Tells of one failed item of an `each` node."""
        run, node = self.run, call.plan_node
        run.sink(NodeFinished(run.id, node.id, node.node.type, call.path, "failed", call.attempt, call.started_ns, run.now_ns() - call.started_ns, error=record))

    # Deliveries -------------------------------------------------------------------------------------

    def _arrived(self, target: int, *, live: bool = True) -> None:
        left = self.pending[target] - 1
        self.pending[target] = left
        if self.plan.nodes[target].join == ANY:
            if self.started is None:
                self.started = set()
            if target in self.started or not (live or left == 0):
                return
            self.started.add(target)
            self.ready.append(target)
        elif left == 0:
            self.ready.append(target)

    def _put(self, delivery: Delivery, value: Any) -> None:
        try:
            self.values[delivery.slot] = part(value, delivery.path)
        except Exception as error:  # noqa: BLE001 -- becomes the failure of the node that asked for the part
            if self.unreadable is None:
                self.unreadable = {}
            self.unreadable[delivery.target] = error

    def _pass(self, delivery: Delivery, ports: Any) -> None:
        if delivery.slot == ORDER_ONLY:
            self._arrived(delivery.target, live=False)
        elif delivery.port in ports:
            self._put(delivery, ports[delivery.port])
            self._arrived(delivery.target)
        else:
            self._kill(delivery)

    def _kill(self, delivery: Delivery) -> None:
        if delivery.slot != ORDER_ONLY:
            self.dead[delivery.target] = 1
        self._arrived(delivery.target, live=False)

    def _lives(self, node: PlanNode) -> bool:
        """Whether a node with a dead input runs all the same: it merges, and something else has arrived."""
        return node.join != ALL and any(self.values[slot] is not MISSING for _, _, slots in node.inputs for slot in slots)

    def outcome(self) -> Any:
        """What reached the loop's `result` port; None without such an edge, or when a branch left it out."""
        if self.plan.result is None:
            return None
        position, port, path = self.plan.result
        value = self.results[position]
        if isinstance(value, Emit):
            value = value.ports.get(port, MISSING)
        return None if value is MISSING else part(value, path)


def _iteration(path: tuple[int, ...]) -> str:
    return f", iteration {'.'.join(map(str, path))}" if path else ""


@types.coroutine
def _resume(steps: Coroutine[Any, Any, Any], first: Any) -> Generator[Any, Any, Any]:
    """Awaits a coroutine whose first step is done already and gave `first`."""
    given = first
    while True:
        try:
            sent = yield given
        except BaseException as error:  # noqa: BLE001 -- passed on into the coroutine
            step, argument = steps.throw, error
        else:
            step, argument = steps.send, sent
        try:
            given = step(argument)
        except StopIteration as stop:
            return stop.value
