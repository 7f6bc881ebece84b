"""One execution of a plan, from the first event to the last."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.errors import ExecutionCancelledError, ExecutionError, FlowTimeoutError, InputError
from nbflow.core.events import ExecutionFinished, ExecutionStarted
from nbflow.core.node import Emit
from nbflow.core.redaction import redactor
from nbflow.core.states import ExecutionStatus
from nbflow.core.values import preview
from nbflow.engine.call import part, plain
from nbflow.engine.failed import NodeFailed
from nbflow.engine.permits import Permits
from nbflow.engine.plan import MISSING, OUTPUT
from nbflow.engine.scope import SLICE_NS, Scope
from nbflow.engine.services import Services
from nbflow.engine.steps import Hold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.events import Sink
    from nbflow.core.flow import Flow
    from nbflow.engine.call import NodeCall
    from nbflow.engine.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an execution ended. `outputs` and `results` hold the objects themselves; `results` is by node id, an `Emit` where a node gave one."""

    status: ExecutionStatus
    outputs: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    error: ExecutionError | None = None

    @property
    def values(self) -> dict[str, Any]:
        """By node id; of several ports the live one, or all live ones by name."""
        return {id_: plain(result) for id_, result in self.results.items()}


class Run:
    """What all scopes of an execution share."""

    def __init__(
        self, id_: str, plan: Plan, *, sink: Sink, params: Mapping[str, Any] | None = None, input: Any = None, services: Services | None = None  # noqa: A002 -- the field's word
    ) -> None:  # fmt: skip
        self.id = id_
        self.plan = plan
        self.flow: Flow = plan.flow
        self.sink = sink
        self.params: Mapping[str, Any] = params or {}
        self.input = self.params if input is None else input
        self.shown: tuple[Any, Any] = (None, None)  # the input and its preview, where somebody has made that already
        self.services = services or Services()
        self.releases = not plan.flow.settings.keep_outputs
        self.permits = Permits(plan.flow.settings.concurrency)
        self.clock_offset_ns = time.time_ns() - time.perf_counter_ns()
        self.started_at = datetime.now(UTC)
        self.hold = Hold()
        self.slice_end_ns = 0
        self._task: asyncio.Task[Any] | None = None
        self._deadline: asyncio.Timeout | None = None
        self._cancel_asked = False
        self._root: Scope | None = None

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self.clock_offset_ns + time.perf_counter_ns()

    @property
    def inline(self) -> NodeCall | None:
        """The call that holds the loop's thread right now."""
        return self.hold.call

    def interrupt(self) -> bool:
        """From any thread: raises NodeInterrupted in the node that holds the loop's thread, which ends the execution as cancelled.

        For a cancellation that the loop does not come to see. Harmless, and False, when no node holds it.
        """
        return self.hold.interrupt()

    @property
    def stopping(self) -> bool:
        """Whether it was cancelled or is out of time."""
        return self._cancel_asked or (self._deadline is not None and self._deadline.expired())

    def cancel(self) -> None:
        """On the loop: stops the execution, also when a node keeps the CancelledError to itself. Nothing happens when it has ended."""
        self._cancel_asked = True
        if self._task is not None:
            self._task.cancel()

    async def breathe(self) -> None:
        """Gives others on the loop a turn. Called by whoever runs many nodes without waiting, when `slice_end_ns` is over."""
        await asyncio.sleep(0)
        self.slice_end_ns = time.perf_counter_ns() + SLICE_NS

    async def execute(self) -> Outcome:
        """Runs the flow to its end, whatever it is; never raises for the flow's own failures. Cancel the task to cancel the execution."""
        self.hold = Hold()  # of the thread that runs it
        self._task = asyncio.current_task()
        if self._cancel_asked and self._task is not None:
            self._task.cancel()
        began = time.perf_counter_ns()
        self.slice_end_ns = began + SLICE_NS
        self.sink(ExecutionStarted(self.id, self.flow.name, self.clock_offset_ns + began))
        root = self._root = Scope(self, self.plan)
        timeout = self.flow.settings.timeout
        try:
            if timeout is None:
                await root.finish()
            else:
                async with asyncio.timeout(timeout.total_seconds()) as self._deadline:
                    await root.finish()
        except NodeFailed as failed:
            outcome = self._failed(failed)
        except TimeoutError:
            limit = timeout.total_seconds() if timeout else 0
            error = FlowTimeoutError(f"flow '{self.flow.name}' was still running after {limit:g} s (settings.timeout)", execution_id=self.id)
            outcome = self._ended(ExecutionStatus.FAILED, error)
        except asyncio.CancelledError:
            outcome = self._cancelled()
        except Exception as error:  # noqa: BLE001 -- a fault of the engine or a lent service; whoever waits must hear of it
            outcome = self._failed(NodeFailed("", (), error))
        else:
            outcome = self._completed()
        finally:
            self._task = None
            current_node.set(None)
        record = None
        if outcome.error is not None:
            record = self.services.describe_error(outcome.error.__cause__ or outcome.error)
            outcome.error.report = record.traceback if outcome.error.__cause__ else ""
        self.sink(
            ExecutionFinished(
                self.id, self.flow.name, str(outcome.status), self.clock_offset_ns + began, time.perf_counter_ns() - began,
                preview(dict(outcome.outputs)), record, outcome.error.node if outcome.error else None,
            )
        )  # fmt: skip
        self._root = None  # it knows this run: a cycle a run would keep the garbage collector busy
        self.sink = _deaf  # functions that were left behind in threads may still print
        return outcome

    def _results(self) -> dict[str, Any]:
        root = self._root
        if root is None:
            return {}
        return {id_: value for id_, position in root.plan.index.items() if (value := root.results[position]) is not MISSING}

    def _completed(self) -> Outcome:
        root = self._root
        assert root is not None  # noqa: S101 -- set by execute
        outputs: dict[str, Any] = {}
        if self.flow.outputs:
            for name, output in self.flow.outputs.items():
                value = root.results[root.plan.index[output.node]]
                value = value.ports.get(output.port, MISSING) if isinstance(value, Emit) else value if output.port == OUTPUT else MISSING
                try:
                    if value is not MISSING:
                        outputs[name] = part(value, output.path)
                except InputError as error:
                    return self._failed(NodeFailed(output.node, (), error))
        else:
            outputs = {
                root.plan.nodes[position].id: plain(root.results[position]) for position in root.plan.leaves if root.results[position] is not MISSING
            }
        return Outcome(status=ExecutionStatus.COMPLETED, outputs=outputs, results=self._results())

    def _failed(self, failed: NodeFailed) -> Outcome:
        if isinstance(failed.error, asyncio.CancelledError):
            return self._cancelled()
        where = f", node '{failed.node}'" if failed.node else ""
        if failed.path:
            where += f", iteration {'.'.join(map(str, failed.path))}"
        message = redactor.text(f"flow '{self.flow.name}'{where}: {type(failed.error).__name__}: {failed.error}")
        error = ExecutionError(message, execution_id=self.id, node=failed.node or None)
        error.__cause__ = failed.error
        return self._ended(ExecutionStatus.FAILED, error)

    def _cancelled(self) -> Outcome:
        error = ExecutionCancelledError(f"flow '{self.flow.name}' was cancelled", execution_id=self.id)
        return self._ended(ExecutionStatus.CANCELLED, error)

    def _ended(self, status: ExecutionStatus, error: ExecutionError) -> Outcome:
        return Outcome(status=status, results=self._results(), error=error)


def _deaf(_event: object, /) -> None:
    """Hears nothing more."""
