"""Sync functions in daemon threads that can be interrupted, and left behind when they do not listen.

Not `concurrent.futures`: its threads are joined at exit, so one that never ends would hang the interpreter.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_S = 1.0  # how long a cancelled call may take to notice before its thread is left behind


class NodeInterrupted(BaseException):
    """Raised inside a running sync function when its node is cancelled or timed out. No Exception: user code must not catch it by accident."""


def interrupt_thread(ident: int) -> None:
    """Raises NodeInterrupted in another thread at its next bytecode; a call into C is not interrupted before it returns."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(NodeInterrupted))


def forget_interrupt() -> None:
    """Takes back an interruption of this thread that has not been raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)


class _Job:
    """One call. `cancelled` may be set before a thread has begun with it."""

    __slots__ = ("cancelled", "context", "function", "future", "loop")

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.context = contextvars.copy_context()
        self.loop = loop
        self.future: asyncio.Future[tuple[Any, float]] = loop.create_future()
        self.cancelled = False


class _Worker(threading.Thread):
    def __init__(self, pool: ThreadPool) -> None:
        super().__init__(name="nbflow-node", daemon=True)
        self.pool = pool
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.busy = threading.Lock()
        self.job: _Job | None = None  # the one that may be interrupted now

    def run(self) -> None:
        while True:
            self._do(self.jobs.get())
            self.pool.free(self)

    def _do(self, job: _Job) -> None:
        value: Any = None
        error: BaseException | None = None
        began = time.perf_counter()
        try:
            try:
                with self.busy:
                    self.job = None if job.cancelled else job
                if self.job is not None:
                    value = job.context.run(job.function)
            except BaseException as caught:  # noqa: BLE001 -- whatever it is, it is the node's failure
                error = storable(caught)
            with self.busy:  # from here on nobody interrupts this thread
                self.job = None
            if job.cancelled:
                forget_interrupt()
        except NodeInterrupted as late:  # raised when the function had ended; there is only one for a job
            error = storable(late)
            with self.busy:
                self.job = None
        try:
            job.loop.call_soon_threadsafe(_settle, job.future, value, time.perf_counter() - began, error)
        except RuntimeError:  # the loop is closed: nobody is interested any more
            return

    def interrupt(self, job: _Job) -> None:
        with self.busy:
            job.cancelled = True
            if self.job is job and self.ident is not None:
                interrupt_thread(self.ident)


class ThreadPool:
    """Idle threads are used again; there are as many as calls that run at the same time."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        os.register_at_fork(after_in_child=self._idle.clear)  # a child has none of its parent's threads

    def free(self, worker: _Worker) -> None:
        """Called by a worker that has nothing to do."""
        self._idle.append(worker)

    async def call(self, function: Callable[[], Any]) -> tuple[Any, float]:
        """Runs the function in a thread with a copy of the caller's context variables; gives its value and seconds.

        When cancelled, the function is interrupted and has GRACE_S to end; then it is left behind.
        """
        job = _Job(function, asyncio.get_running_loop())
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self)
            worker.start()
        worker.jobs.put(job)
        try:
            return await asyncio.shield(job.future)
        except asyncio.CancelledError:
            worker.interrupt(job)
            job.future.add_done_callback(lambda future: future.cancelled() or future.exception())  # seen: the interruption, or too late
            await asyncio.wait([job.future], timeout=GRACE_S)
            raise


def storable(error: BaseException) -> BaseException:
    """The error, or a NodeError in place of those that would end the loop or confuse a future."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    if isinstance(error, SystemExit):
        made = NodeError(f"the function called sys.exit({error.code!r})")
    elif isinstance(error, StopIteration):
        made = NodeError("the function let a StopIteration out: next() without a default on an empty iterator")
    elif isinstance(error, asyncio.CancelledError):
        made = NodeError("the function let a CancelledError out, though nobody had cancelled it: something it waited for was cancelled")
    else:
        made = NodeError(f"the function was interrupted ({type(error).__name__})")
    return made.with_traceback(error.__traceback__)


def _settle(future: asyncio.Future[tuple[Any, float]], value: Any, seconds: float, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result((value, seconds))
