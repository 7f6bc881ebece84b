"""One accepted execution while the server has it, and what is noted of it while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbflow.core.events import NodeFinished, NodeResponded
from nbflow.core.portable import portable
from nbflow.core.redaction import redactor
from nbflow.server.execution import Fault, Response, Result, Ticket

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from nbflow.engine.run import Outcome
    from nbflow.runtime.execution import Execution
    from nbflow.runtime.runtime import Accepted
    from nbflow.server.definitions import Ready
    from nbflow.server.execution import ExecutionRequest


class Job:
    """`key` names the lane that it runs in: its workflow, else its flow."""

    __slots__ = (
        "accepted", "cancelled", "entered", "execution", "fault", "key", "placed", "promised", "ready", "recorded", "request", "response", "result",
        "task", "ticket",
    )  # fmt: skip

    def __init__(self, request: ExecutionRequest, ready: Ready, accepted: Accepted, loop: asyncio.AbstractEventLoop, *, placed: bool = False) -> None:
        self.request = request
        self.ready = ready
        self.accepted = accepted
        self.key = lane_of(request)
        self.ticket = Ticket(execution_id=accepted.id, finished=loop.create_future(), responded=loop.create_future())
        self.placed = placed  # whether it has its place among those that run
        self.entered: asyncio.Future[None] | None = None  # on which whoever asked waits for the acceptance to be written
        self.promised = False  # whether its acceptance is durable, or cannot be
        self.recorded = False  # whether its end is written down, or cannot be
        self.result: Result | None = None  # when it has run
        self.fault: Fault | None = None  # of the promise
        self.execution: Execution | None = None  # the handle, when it runs here
        self.task: asyncio.Task[None] | None = None
        self.cancelled = False
        self.response: Response | None = None

    @property
    def id(self) -> str:
        """The execution's."""
        return self.accepted.id

    def begun(self, execution: Execution) -> None:
        """It begins on this loop."""
        self.execution = execution
        if self.cancelled:
            execution.cancel()

    def cancel(self) -> None:
        """Asks it to stop, also before it has begun. What a worker runs is stopped there."""
        self.cancelled = True
        if self.execution is not None:
            self.execution.cancel()

    def respond(self) -> None:
        """Hands on what a node has answered."""
        if self.response is not None and not self.ticket.responded.done():
            self.ticket.responded.set_result(self.response)

    def settle(self, result: Result) -> None:
        """Tells whoever holds the ticket."""
        if not self.ticket.finished.done():
            self.ticket.finished.set_result(result)
        if not self.ticket.responded.done():
            self.ticket.responded.set_result(self.response or result)


class Listener:
    """A sink: the node that ended last, and the first answer."""

    __slots__ = ("_answer", "answered", "last")

    def __init__(self, answer: Callable[[Response], object]) -> None:
        self._answer = answer
        self.answered = False
        self.last: str | None = None

    def __call__(self, event: Any) -> None:
        """Takes one event."""
        kind = type(event)
        if kind is NodeFinished:
            if event.status == "completed" and not event.path:
                self.last = event.node
        elif kind is NodeResponded and not self.answered:
            self.answered = True
            self._answer(Response(event.status, event.headers, event.body, event.media_type))


def lane_of(request: ExecutionRequest) -> Any:
    """Executions with the same lane share a limit."""
    return request.workflow_id or request.flow.name


def limit_of(request: ExecutionRequest) -> int | None:
    """How many in that lane may run at the same time."""
    return request.max_running or request.flow.settings.max_running


def runs_again(request: ExecutionRequest) -> bool:
    """Whether it is run again after an interruption."""
    return (request.on_interrupt or request.flow.settings.on_interrupt) == "run_again"


def result_of(execution_id: str, outcome: Outcome, *, last: str | None, response: Response | None, values: bool) -> Result:
    """`values`: whether somebody wants them."""
    error = outcome.error
    fault = None
    if error is not None:
        cause = error.__cause__ or error
        fault = Fault(type(cause).__name__, redactor.text(str(cause)), error.node)
    if not values or error is not None:
        return Result(execution_id=execution_id, status=str(outcome.status), response=response, error=fault)
    outputs = {name: portable(value) for name, value in outcome.outputs.items()}
    value = (outputs[last] if last else None) if last in outcome.outputs else portable(outcome.values.get(last or ""))
    if redactor.active:
        outputs, value = redactor.told(outputs), redactor.told(value)
    return Result(execution_id=execution_id, status=str(outcome.status), outputs=outputs, last=value, response=response)
