"""The handle of an execution that runs (or ran) in this process: what `flow(...)` returns at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

from nbflow.core.states import ExecutionStatus
from nbflow.display.view import LiveView, in_kernel
from nbflow.runtime.landing import landing

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nbflow.core.errors import ExecutionError
    from nbflow.core.flow import Flow
    from nbflow.display.state import ExecutionState, NodeState
    from nbflow.engine.run import Outcome, Run

STOP_S = 2.0  # how long an interrupted caller waits for the execution to end
MOST_TOLD = 10_000  # events kept before they are folded
_WAKE_S = 0.2  # ipykernel 7 notes an interrupt without waking its loop (tornado's add_callback in a signal handler): something has to
_NUDGE_S = 0.25  # after which a sync node that holds the engine's loop is interrupted
_NOTHING = object()


class NodeResult:
    """One node of an execution: its value in this process, and what was recorded of it."""

    def __init__(self, state: NodeState, value: Any = _NOTHING) -> None:
        self.state = state
        self._value = value

    @property
    def status(self) -> str:
        """pending, running, waiting, completed, failed, cancelled or skipped."""
        return self.state.status

    @property
    def output(self) -> Any:
        """The object that the node gave; of several ports the live one, or all live ones by name. Raises LookupError when there is none."""
        if self._value is _NOTHING:
            message = f"node '{self.state.id}' is {self.status}; it has no output (nodes inside loops and flows with keep_outputs=False keep none)"
            raise LookupError(message)
        return self._value

    @property
    def logs(self) -> str:
        """What the node printed and logged."""
        return "\n".join(line.text for line in self.state.output)

    def __repr__(self) -> str:
        return f"<node {self.state.id}: {self.status}>"


class Execution:
    """Displayed, it is the live view. `await` it (raises when the flow fails), `wait()` for it (does not), or `result()` in scripts."""

    def __init__(self, id_: str, flow: Flow) -> None:
        self.id = id_
        self.flow = flow
        self._told: list[Any] = []  # events that no view has taken yet: most executions of a server are never looked at
        self._view: LiveView | None = None
        self._view_lock = threading.Lock()
        self.record_error: Exception | None = None  # the store's, when the result could not be written down
        self._outcome: Outcome | None = None
        self._future: Future[Execution] | None = None  # of its end; most executions of a server are never asked
        self._run: Run | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # on which it runs
        self._shown = False

    # What it is -------------------------------------------------------------------------------------

    @property
    def status(self) -> ExecutionStatus:
        """Its state now."""
        return self._outcome.status if self._outcome else ExecutionStatus(self.state.status)

    @property
    def state(self) -> ExecutionState:
        """What its events have told so far."""
        return self.view.state

    @property
    def done(self) -> bool:
        """Whether it has ended and is recorded."""
        return self._future is not None and self._future.done()

    @property
    def _done(self) -> Future[Execution]:
        with self._view_lock:
            if self._future is None:
                self._future = Future()
            return self._future

    @property
    def view(self) -> LiveView:
        """The live view, made on first use from what was told so far."""
        with self._view_lock:
            if self._view is None:
                self._view = LiveView(self.flow)
                for event in self._told:
                    self._view(event)
                self._told = []
            return self._view

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The flow's outputs by name; empty until it has completed."""
        return self._outcome.outputs if self._outcome else {}

    @property
    def output(self) -> Any:
        """The single output of a flow that has one. Raises LookupError."""
        outputs = self.outputs
        if len(outputs) != 1:
            names = ", ".join(outputs) or "none"
            message = f"execution {self.id[:8]} ({self.status}) has {len(outputs)} outputs ({names}); read .outputs"
            raise LookupError(message)
        return next(iter(outputs.values()))

    @property
    def nodes(self) -> Mapping[str, NodeResult]:
        """The nodes by id."""
        values = self._outcome.values if self._outcome else {}
        return {id_: NodeResult(state, values.get(id_, _NOTHING)) for id_, state in self.state.nodes.items()}

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, with the values themselves; None while it runs."""
        return self._outcome

    @property
    def error(self) -> ExecutionError | None:
        """Why it failed or was cancelled; `__cause__` is the node's own exception."""
        return self._outcome.error if self._outcome else None

    # Waiting and stopping ---------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, Execution]:
        return self._finished().__await__()

    async def _finished(self) -> Execution:
        await self.wait()
        if self.error is not None:
            raise self.error
        return self

    async def wait(self) -> Execution:
        """Waits for the end, on any loop; raises nothing for the flow's failure. Interrupting the wait cancels the execution."""
        self._show_in_notebook()
        waiting = asyncio.wrap_future(self._done)
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_WAKE_S if self._shown else None)
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([waiting], timeout=STOP_S)
            raise
        finally:
            if self._shown:
                self.view.flush()  # a headless notebook keeps only what is sent while the cell runs
        return self

    def result(self, timeout_s: float | None = None) -> Mapping[str, Any]:
        """Blocks until the end and gives the outputs: for scripts. Raises ExecutionError, or TimeoutError (the execution goes on)."""
        try:
            self._done.result(timeout_s)
        except FutureTimeoutError:
            message = f"execution {self.id[:8]} has not ended within {timeout_s:g} s; it goes on"
            raise TimeoutError(message) from None
        except KeyboardInterrupt:
            self.cancel()
            with contextlib.suppress(FutureTimeoutError):
                self._done.result(STOP_S)
            raise
        if self.error is not None:
            raise self.error
        return self.outputs

    def cancel(self) -> None:
        """Stops it, wherever its nodes run: on the loop, in threads, in processes. Returns at once; harmless when it has ended."""
        if self.done or self._outcome is not None:
            return
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel_run)
        nudge = threading.Timer(_NUDGE_S, self._nudge)
        nudge.daemon = True
        nudge.start()

    def _cancel_run(self) -> None:
        if self._run is not None:
            self._run.cancel()

    def _nudge(self) -> None:
        """A sync node that holds the engine's thread keeps the cancellation from being seen."""
        if self._outcome is None and self._run is not None:
            self._run.interrupt()

    # Inside -----------------------------------------------------------------------------------------

    def tell(self, event: Any) -> None:
        """A sink for the execution's events. Quick, from any thread."""
        with self._view_lock:
            if self._view is None:
                self._told.append(event)
                crowded = len(self._told) > MOST_TOLD
            else:
                self._view(event)
                return
        if crowded:
            self.view  # noqa: B018 -- folding them, a long execution does not fill the memory

    def begin(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        """Called before the execution starts, so that a cancel right after the start finds it."""
        self._run, self._loop = run, loop

    def end(self, outcome: Outcome) -> None:
        """Called on the engine's loop: the outcome is known, not yet recorded."""
        self._outcome = outcome
        if outcome.error is not None:
            outcome.error.execution = self

    def settle(self, written: Future[None]) -> None:
        """Called when the last record is durable, or failed to be: those who wait go on either way."""
        error = written.exception()
        if isinstance(error, Exception):
            self.record_error = error
            warnings.warn(f"execution {self.id[:8]} ended, but could not be recorded: {error}", RuntimeWarning, stacklevel=1)
        self._done.set_result(self)

    async def recorded(self) -> None:
        """Waits, on any loop, until the execution has ended and is recorded."""
        if not self._done.done():
            recorded = asyncio.get_running_loop().create_future()
            landing().when(self._done, lambda _: None if recorded.done() else recorded.set_result(None))
            await recorded

    def _ipython_display_(self) -> None:
        if not self._shown:
            self._shown = True
            self.view.display()

    def _show_in_notebook(self) -> None:
        if not self._shown and in_kernel():
            self._ipython_display_()

    def __repr__(self) -> str:
        return f"<execution {self.id[:8]} of {self.flow.name}: {self.status}>"
