"""The worker kernels: a bounded number that hold a module each, and one spare that holds none yet."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbflow.core.errors import WorkerError
from nbflow.server.execution import Response, Result, WorkerStatus
from nbflow.server.workers.kernel import Kernel
from nbflow.server.workers.messages import read
from nbflow.store.journal import Position
from nbflow.store.project import ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from nbflow.server.job import Job
    from nbflow.server.settings import ServerSettings
    from nbflow.store.interface import Store

KILL_S = 2.0  # between asking an execution to stop and killing its kernel
_SHOWN = 12  # characters of a hash
_MB = 2**20


class Workers:
    """Whoever calls `run` has seen to it that no more than `settings.worker_kernels` do so at a time."""

    def __init__(self, settings: ServerSettings, project: Path, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._project = project
        self._folder = ProjectFolder(root=project).home / "workers"
        self._idle: list[Kernel] = []  # loaded, the one used last at the end
        self._busy: dict[str, Kernel] = {}  # by execution
        self._spare: asyncio.Task[Kernel] | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._closed = False

    def clean(self) -> None:
        """Removes what kernels of a killed server have left. Only while the server's lock is held."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def prestart(self) -> None:
        """Starts a spare in the background, so that the next module need not wait for a process."""
        if self._spare is None and not self._closed and self._settings.worker_kernels:
            self._spare = asyncio.get_running_loop().create_task(self._new().start())
            self._spare.add_done_callback(_seen)

    async def run(self, job: Job, next_seq: int, answer: Callable[[Response], object]) -> Result:
        """Raises WorkerError when there is no kernel to be had, its module does not load, or it dies; the next execution gets another one."""
        kernel = await self._take(job)
        results: list[Result] = []

        def told(text: str) -> None:
            message = read(text, job.id)
            if isinstance(message, Response):
                answer(message)
            elif isinstance(message, Position):
                self._store.follow(message)
            else:
                results.append(message)

        self._busy[job.id] = kernel
        try:
            if job.cancelled:
                message = "cancelled before it started"
                raise WorkerError(message)
            await self._within_time(job, kernel, _order(job, next_seq), told)
        finally:
            del self._busy[job.id]
            self._put_back(kernel)
        if not results:
            message = "the worker gave no result"
            raise WorkerError(message)
        result = results[0]
        if result.status == "broken" and result.error is not None:  # nothing is recorded of its end
            message = f"{result.error.type}: {result.error.message}"
            raise WorkerError(message)
        return result

    def cancel(self, execution_id: str) -> None:
        """Interrupts the execution; kills its kernel when that does not help. Harmless when it is not here."""
        if execution_id in self._busy:
            self._background(self._stop(execution_id, self._busy[execution_id]))

    def status(self) -> tuple[WorkerStatus, ...]:
        """All kernels, the spare last."""
        kernels = [*self._busy.values(), *self._idle]
        spare = self._spare
        if spare is not None and spare.done() and not spare.cancelled() and spare.exception() is None:
            kernels.append(spare.result())
        return tuple(
            WorkerStatus(kernel.pid, kernel.module[:_SHOWN], kernel.execution_id, kernel.runs, kernel.age_s, kernel.rss_bytes) for kernel in kernels
        )

    async def close(self) -> None:
        """Ends all kernels, whatever they do."""
        self._closed = True
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.cancel()
            with contextlib.suppress(asyncio.CancelledError, WorkerError):
                await (await spare).close()
        for kernel in list(self._busy.values()):
            kernel.kill()
        idle, self._idle = self._idle, []
        for kernel in idle:
            await kernel.close()
        while self._tasks or self._busy:  # noqa: ASYNC110 -- the tasks of runs empty both, each in its own time
            await asyncio.sleep(0.01)

    # Inside -----------------------------------------------------------------------------------------

    async def _take(self, job: Job) -> Kernel:
        """A kernel that holds the job's module."""
        module = job.ready.module
        wanted = module.hash if module is not None else ""
        for kernel in reversed(self._idle):
            if kernel.module == wanted:
                self._idle.remove(kernel)
                if kernel.exit_code is None:
                    return kernel
                self._background(kernel.close())  # it died in its sleep
                break
        if self._idle and len(self._idle) + len(self._busy) >= self._settings.worker_kernels:
            self._background(self._idle.pop(0).close())
        self.prestart()
        spare, self._spare = self._spare, None
        if spare is None:
            message = "the server is stopping"
            raise WorkerError(message)
        kernel = await spare
        try:
            await kernel.load(module)
        except BaseException:
            self._background(kernel.close())
            raise
        self.prestart()
        return kernel

    def _put_back(self, kernel: Kernel) -> None:
        limits = self._settings
        worn = kernel.runs >= limits.kernel_max_runs or kernel.age_s > limits.kernel_max_age_s or kernel.rss_bytes > limits.kernel_max_memory_mb * _MB
        if self._closed or worn or kernel.exit_code is not None:
            self._background(kernel.close())
        else:
            self._idle.append(kernel)

    async def _within_time(self, job: Job, kernel: Kernel, order: dict[str, object], told: Callable[[str], None]) -> None:
        """The engine in the kernel keeps the flow's own time limit; this one is for when it cannot."""
        limit = job.request.flow.settings.timeout
        running = asyncio.get_running_loop().create_task(kernel.run(order, told))
        try:
            done, _ = await asyncio.wait({running}, timeout=limit.total_seconds() + KILL_S if limit else None)
            if not done:
                await self._stop(job.id, kernel)
                await asyncio.wait({running})
        finally:
            if not running.done():
                kernel.kill()
        error = running.exception()
        if isinstance(error, WorkerError) and not done and limit:
            after = f"{limit.total_seconds():g} s (settings.timeout)"
            message = f"the flow was still running after {after} and did not stop when asked: its process was killed"
            raise WorkerError(message) from error
        if error is not None:
            raise WorkerError(str(error)) from error

    async def _stop(self, execution_id: str, kernel: Kernel) -> None:
        with contextlib.suppress(Exception):  # it may just be dying
            await kernel.interrupt()
        for _ in range(round(KILL_S / 0.05)):
            if self._busy.get(execution_id) is not kernel or kernel.execution_id != execution_id:
                return
            await asyncio.sleep(0.05)
        kernel.kill()

    def _new(self) -> Kernel:
        return Kernel(self._project, self._folder / uuid4().hex[:12], self._settings.allowed_hosts)

    def _background(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_seen)


def _order(job: Job, next_seq: int) -> dict[str, object]:
    return {
        "execution_id": job.id,
        "flow": job.request.flow.to_dict(),
        "params": job.request.params,
        "input": job.request.input,
        "next_seq": next_seq,
        "organization_id": None if job.request.organization_id is None else str(job.request.organization_id),
        "values": job.request.mode == "wait",
    }


def _seen(task: asyncio.Task[object]) -> None:
    """An error of a background task is told where its result is used; nobody else needs to hear of it."""
    if not task.cancelled():
        task.exception()
