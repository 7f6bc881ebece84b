"""One execution of a plan, from the first event to the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.errors import ExecutionCancelledError, ExecutionError, FlowTimeoutError
from nbflow.core.events import ExecutionFinished, ExecutionStarted, Sink
from nbflow.core.node import Emit
from nbflow.core.states import ExecutionStatus
from nbflow.core.values import preview
from nbflow.engine.call import part, plain
from nbflow.engine.permits import Permits
from nbflow.engine.plan import MISSING, OUTPUT, Plan
from nbflow.engine.scope import NodeFailed, Scope
from nbflow.engine.services import Services

if TYPE_CHECKING:
    from nbflow.core.flow import Flow
    from nbflow.engine.call import NodeCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an execution ended. `outputs` and `values` hold the objects themselves; `values` is by node id."""

    status: ExecutionStatus
    outputs: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    error: ExecutionError | None = None


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
        self.services = services or Services()
        self.releases = not plan.flow.settings.keep_outputs
        self.permits = Permits(plan.flow.settings.concurrency)
        self.clock_offset_ns = time.time_ns() - time.perf_counter_ns()
        self.started_at = datetime.now(UTC)
        self.inline: NodeCall | None = None  # the call that holds the loop right now, for those who must interrupt it
        self._root: Scope | None = None

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self.clock_offset_ns + time.perf_counter_ns()

    async def execute(self) -> Outcome:
        """Runs the flow to its end, whatever it is; never raises for the flow's own failures. Cancel the task to cancel the execution."""
        began = time.perf_counter_ns()
        self.sink(ExecutionStarted(self.id, self.flow.name, self.clock_offset_ns + began))
        root = self._root = Scope(self, self.plan)
        timeout = self.flow.settings.timeout
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None) as deadline:
                await root.finish()
        except NodeFailed as failed:
            outcome = self._failed(failed)
        except TimeoutError:
            if not deadline.expired():
                raise
            limit = timeout.total_seconds() if timeout else 0
            error = FlowTimeoutError(f"flow '{self.flow.name}' was still running after {limit:g} s (settings.timeout)", execution_id=self.id)
            outcome = self._ended(ExecutionStatus.FAILED, error)
        except asyncio.CancelledError:
            outcome = self._cancelled()
        else:
            outcome = self._completed()
        finally:
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
        return outcome

    def _values(self) -> dict[str, Any]:
        root = self._root
        if root is None:
            return {}
        return {id_: plain(value) for id_, position in root.plan.index.items() if (value := root.results[position]) is not MISSING}

    def _completed(self) -> Outcome:
        root = self._root
        assert root is not None  # noqa: S101 -- set by execute
        outputs: dict[str, Any] = {}
        if self.flow.outputs:
            for name, output in self.flow.outputs.items():
                value = root.results[root.plan.index[output.node]]
                if isinstance(value, Emit):
                    value = value.ports.get(output.port, MISSING)
                elif output.port != OUTPUT:
                    value = MISSING
                if value is not MISSING:
                    outputs[name] = part(value, output.path)
        else:
            outputs = {
                root.plan.nodes[position].id: plain(root.results[position]) for position in root.plan.leaves if root.results[position] is not MISSING
            }
        return Outcome(status=ExecutionStatus.COMPLETED, outputs=outputs, values=self._values())

    def _failed(self, failed: NodeFailed) -> Outcome:
        if isinstance(failed.error, asyncio.CancelledError):
            return self._cancelled()
        where = f"node '{failed.node}'" + (f", iteration {'.'.join(map(str, failed.path))}" if failed.path else "")
        message = f"flow '{self.flow.name}', {where}: {type(failed.error).__name__}: {failed.error}"
        error = ExecutionError(message, execution_id=self.id, node=failed.node or None)
        error.__cause__ = failed.error
        return self._ended(ExecutionStatus.FAILED, error)

    def _cancelled(self) -> Outcome:
        error = ExecutionCancelledError(f"flow '{self.flow.name}' was cancelled", execution_id=self.id)
        return self._ended(ExecutionStatus.CANCELLED, error)

    def _ended(self, status: ExecutionStatus, error: ExecutionError) -> Outcome:
        return Outcome(status=status, values=self._values(), error=error)
