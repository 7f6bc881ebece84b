"""Runs what the server accepts: durable first, then within limits, here or in worker kernels, to a recorded end."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from nbflow.core.errors import NbflowError, QueueFullError, RetryError, WorkerError
from nbflow.core.events import ErrorRecord
from nbflow.runtime.landing import settled
from nbflow.runtime.origin import Origin
from nbflow.server.clients import guarded_client
from nbflow.server.definitions import Definitions
from nbflow.server.execution import Fault, QueueStatus, Result
from nbflow.server.job import Job, Listener, lane_of, limit_of, result_of, runs_again
from nbflow.server.kept import KeptRequests, keep
from nbflow.server.line import Line
from nbflow.server.lock import ServerLock
from nbflow.server.recovery import take_up
from nbflow.server.tide import Tide
from nbflow.server.workers.pool import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from nbflow.runtime.recorder import Recorder
    from nbflow.runtime.runtime import Runtime
    from nbflow.server.definitions import Ready
    from nbflow.server.execution import ExecutionRequest, Response, Ticket
    from nbflow.server.settings import ServerSettings
    from nbflow.workflows.library import Workflows

_log = logging.getLogger("nbflow.server")
_ENDED = ("completed", "failed", "cancelled")
_CANCELLED = Fault("ExecutionCancelledError", "cancelled")
_STOPPING = Fault("ServerStopping", "the server is stopping; nothing of this ran")
_INTERRUPTED = Fault("Interrupted", "the server stopped while it ran")


class Executor:
    """One a server, used on the server's loop. `start` first, `drain` and `close` last.

    Flows of catalogue nodes run on this loop, those with users' code in worker kernels. Each way has its own places: executions that
    wait for a kernel keep none of the others from running.
    """

    def __init__(self, runtime: Runtime, workflows: Workflows, settings: ServerSettings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._kept = KeptRequests(runtime.store, workflows)
        self._definitions = Definitions()
        self._lines: Mapping[str, Line[Job]] = {
            "here": Line(settings.max_running, settings.queue_limit),
            "worker": Line(max(1, min(settings.worker_kernels, settings.max_running)), settings.queue_limit),
        }
        self._jobs: dict[str, Job] = {}
        self._idle = asyncio.Event()
        self._draining = self._closing = False
        self.lock = ServerLock(runtime.project)
        self._workers = Workers(settings, runtime.project, runtime.store)

    async def start(self) -> None:
        """Becomes the project's one server and takes up what an earlier one left. Raises ServerRunningError when another server lives."""
        self._loop = asyncio.get_running_loop()
        self._tide = Tide(self._runtime.store, self._loop)
        self.lock.acquire()
        self._runtime.lend(http=partial(guarded_client, self._settings.allowed_hosts))
        self._workers.clean()
        await take_up(self, self._kept)
        if await asyncio.to_thread(self._kept.publishes_code):
            self._workers.prestart()

    # Accepting --------------------------------------------------------------------------------------

    async def accept(self, request: ExecutionRequest) -> Ticket:
        """On return the execution is accepted; it runs in the background, now or when its turn comes.

        In mode `queue` the acceptance is durable by then: it outlives the server and a power cut. In mode `wait` it may be written
        and not yet durable; it is durable before either future of the ticket is done. So the disk works while the flow runs.

        Raises CheckError, DefinitionError, ParameterError, QueueFullError (too many wait, or the server is stopping), StoreError, WorkerError
        (the server has no worker kernels and the flow needs one); then nothing was accepted.
        """
        ready = self._definitions.ready(request)
        line = self._lines[ready.where]
        self._refuse(ready, line)
        key, name, limit = lane_of(request), request.flow.name, limit_of(request)
        at_once = request.mode == "wait" and line.try_enter(key, name, limit)
        if not at_once:
            line.reserve(key, name, limit)
        try:
            started = at_once and ready.where == "here"
            accepted, records = self._runtime.acceptance(
                ready.prepared, request.params, input=request.input, origin=_origin(request), started=started
            )
        except BaseException:
            self._give_back(line, key, placed=at_once)
            raise
        job = self._jobs[accepted.id] = Job(request, ready, accepted, self._loop, placed=at_once)
        job.entered = self._loop.create_future()
        if at_once:
            self._tide.write(records, partial(self._enter_written, job))
        else:
            job.promised = True  # before anybody hears of it
            self._tide.promise(records, partial(self._enter_written, job))
        await job.entered
        return job.ticket

    def _refuse(self, ready: Ready, line: Line[Job]) -> None:
        if self._draining:
            message = "the server is stopping and takes no more executions; try again in a moment"
            raise QueueFullError(message)
        if line.full:
            message = f"{line.waiting:,} executions wait already (queue_limit); try again later"
            raise QueueFullError(message)
        self._refuse_without_workers(ready)

    def _refuse_without_workers(self, ready: Ready) -> None:
        if ready.where == "worker" and not self._settings.worker_kernels:
            message = (
                f"flow '{ready.prepared.definition.flow.name}' has Python functions or code, and this server has no worker kernels (worker_kernels=0)"
            )
            raise WorkerError(message)

    def _enter_written(self, job: Job, error: BaseException | None) -> None:
        entered = job.entered
        assert entered is not None  # noqa: S101  (accept made it)
        if error is None:
            self._enter(job)
            if not job.promised:
                self._loop.call_soon(self._promise, job)  # after its first step: most flows are over then, and one sync takes all of it
        else:
            self._jobs.pop(job.id, None)
            self._give_back(self._lines[job.ready.where], job.key, placed=job.placed)
        if entered.done():  # whoever asked has gone away; the execution was promised all the same
            return
        if error is None:
            entered.set_result(None)
        else:
            entered.set_exception(error)

    def _promise(self, job: Job) -> None:
        self._tide.promise([], partial(self._promised, job))

    def _promised(self, job: Job, error: BaseException | None) -> None:
        """The acceptance of one that runs already is durable, or cannot be."""
        job.promised = True
        if error is not None:
            job.fault = Fault(type(error).__name__, str(error))
        job.respond()
        self._end_if_told(job)

    def _enter(self, job: Job) -> None:
        if job.cancelled:
            self._give_back(self._lines[job.ready.where], job.key, placed=job.placed)
            self._end_unrun(job)
        elif job.placed:
            self._begin([job])
        else:
            self._begin(self._lines[job.ready.where].enter(job.key, job))

    def admit(self, request: ExecutionRequest, execution_id: str) -> None:
        """Lines up what an earlier server accepted and did not start. Raises CheckError, DefinitionError, ParameterError, WorkerError."""
        ready = self._definitions.ready(request)
        line = self._lines[ready.where]
        self._refuse_without_workers(ready)
        accepted = self._runtime.recall(execution_id, ready.prepared, request.params, input=request.input, organization_id=request.organization_id)
        job = self._jobs[execution_id] = Job(request, ready, accepted, self._loop)
        job.promised = True
        line.reserve(job.key, request.flow.name, limit_of(request))
        self._enter(job)

    async def fail_unstarted(self, execution_id: str, error: ErrorRecord) -> None:
        """Ends one that an earlier server accepted and that cannot run. Raises StoreError."""
        await settled(self._runtime.record_end(execution_id, "failed", error, seq=1))

    def _give_back(self, line: Line[Job], key: Any, *, placed: bool) -> None:
        if placed:
            self._begin(line.leave(key))
        else:
            line.unreserve(key)

    # Running ----------------------------------------------------------------------------------------

    def _begin(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            job.placed = True
            if job.ready.where == "here" and not job.accepted.started:
                job.accepted, records = self._runtime.beginning(job.accepted)
                self._tide.write(records, partial(self._start, job))
            else:
                self._start(job)

    def _start(self, job: Job, error: BaseException | None = None) -> None:
        """Its start is written down, or cannot be; then nothing runs."""
        if error is None:
            job.task = self._loop.create_task(self._run(job))
        else:
            self._ran(job, Result(execution_id=job.id, status="failed", error=Fault(type(error).__name__, str(error))))

    async def _run(self, job: Job) -> None:
        recorder: Recorder | None = None
        try:
            if job.ready.where == "here":
                result, recorder = await self._run_here(job)
            else:
                result = await self._run_in_worker(job)
        except asyncio.CancelledError:  # the server ends
            result = Result(execution_id=job.id, status="failed", error=_INTERRUPTED)
        except Exception as error:  # noqa: BLE001 -- whatever it is, whoever waits must hear of it
            if not isinstance(error, NbflowError):
                _log.exception("execution %s: a fault of nbflow itself", job.id)
            result = Result(execution_id=job.id, status="failed", error=Fault(type(error).__name__, str(error)))
        self._ran(job, result, recorder)

    async def _run_here(self, job: Job) -> tuple[Result, Recorder]:
        listener = Listener(partial(self._answer, job))
        execution, recorder = await self._runtime.perform(job.accepted, sinks=(listener,), begun=job.begun)
        assert execution.outcome is not None  # noqa: S101  (it has ended)
        values = job.request.mode == "wait"
        return result_of(job.id, execution.outcome, last=listener.last, response=job.response, values=values), recorder

    def _ran(self, job: Job, result: Result, recorder: Recorder | None = None) -> None:
        """Its place is free. Its end is durable before anybody hears of it only where its loss would mean a second run."""
        job.result = result
        if recorder is None:
            job.recorded = True
        else:
            write = self._tide.promise if runs_again(job.request) else self._tide.write
            write(recorder.take(), partial(self._recorded, job, recorder))
        self._begin(self._lines[job.ready.where].leave(job.key))
        self._end_if_told(job)

    def _recorded(self, job: Job, recorder: Recorder, error: BaseException | None) -> None:
        if error is not None:
            _log.warning("execution %s ended, but could not be recorded: %s", job.id, error)
        self._runtime.performed(recorder)
        job.recorded = True
        self._end_if_told(job)

    def _end_if_told(self, job: Job) -> None:
        """When it has run, that is written down, and its acceptance is durable."""
        if job.result is None or not job.recorded or not job.promised:
            return
        result = job.result
        if job.fault is not None:
            result = Result(execution_id=job.id, status="failed", error=job.fault)
        self._jobs.pop(job.id, None)
        job.settle(Result(execution_id=job.id, status="failed", error=_INTERRUPTED) if self._closing else result)
        if not self._jobs:
            self._idle.set()

    async def _run_in_worker(self, job: Job) -> Result:
        accepted, records = self._runtime.beginning(job.accepted)
        await settled(self._runtime.store.submit(records, durable=False))
        try:
            return await self._workers.run(job, accepted.next_seq, partial(self._answer, job))
        except WorkerError as error:
            status: Literal["failed", "cancelled"]
            status, fault = ("cancelled", _CANCELLED) if job.cancelled else ("failed", Fault(type(error).__name__, str(error)))
            if not self._closing:
                await settled(self._runtime.record_end(job.id, status, ErrorRecord(fault.type, fault.message)))
            return Result(execution_id=job.id, status=status, response=job.response, error=fault)

    def _answer(self, job: Job, response: Response) -> None:
        """A node has answered, on whatever thread. Whoever waits hears it when at least the acceptance is durable."""
        job.response = response
        self._loop.call_soon_threadsafe(self._answered, job)

    @staticmethod
    def _answered(job: Job) -> None:
        if job.promised and job.request.mode == "wait":
            job.respond()

    def _end_unrun(self, job: Job, fault: Fault = _CANCELLED) -> None:
        """One that waited and shall not run."""
        self._jobs.pop(job.id, None)
        self._runtime.record_end(job.id, "cancelled", ErrorRecord(fault.type, fault.message), seq=job.accepted.next_seq)
        job.settle(Result(execution_id=job.id, status="cancelled", error=fault))
        if not self._jobs:
            self._idle.set()

    # Steering ---------------------------------------------------------------------------------------

    async def cancel(self, execution_id: str) -> bool:
        """Stops a running or waiting execution, at the latest after about two seconds by force. False when it is not (or no longer) here.

        Returns when it was asked to stop; `ticket(id).finished` tells when it has.
        """
        job = self._jobs.get(execution_id)
        if job is None:
            return False
        if self._lines[job.ready.where].withdraw(job.key, job):
            self._end_unrun(job)
        else:
            job.cancel()
            self._workers.cancel(execution_id)
        return True

    async def cancel_workflow(self, workflow_id: UUID | str) -> int:
        """Cancels all executions of a workflow and waits for their ends, so that it can be deleted; how many there were."""
        jobs = [job for job in self._jobs.values() if str(job.request.workflow_id) == str(workflow_id)]
        for job in jobs:
            await self.cancel(job.id)
        if jobs:
            await asyncio.wait([job.ticket.finished for job in jobs])
        return len(jobs)

    def ticket(self, execution_id: str) -> Ticket | None:
        """The ticket of an execution that waits or runs here."""
        job = self._jobs.get(execution_id)
        return job.ticket if job else None

    async def retry(self, execution_id: str, *, user: str | None = None) -> Ticket:
        """Runs an ended execution again, as a new one with `parent_execution_id`: same definition, parameters and input.

        Raises UnknownExecutionError, RetryError (still running, not started by a server, definition gone), and what `accept` raises.
        """
        row = await asyncio.to_thread(self._kept.one, execution_id)
        if row["status"] not in _ENDED:
            message = f"execution {execution_id} is {row['status']}: wait for its end, or cancel it first"
            raise RetryError(message)
        request = await asyncio.to_thread(self._kept.request, row)
        return await self.accept(replace(request, parent_execution_id=execution_id, user=user or request.user))

    def status(self) -> QueueStatus:
        """What runs and waits, and the workers."""
        workflows: dict[str, tuple[int, int]] = {}
        for line in self._lines.values():
            for name, (running, waiting) in line.counts().items():
                before = workflows.get(name, (0, 0))
                workflows[name] = (before[0] + running, before[1] + waiting)
        return QueueStatus(
            running=sum(line.running for line in self._lines.values()),
            waiting=sum(line.waiting for line in self._lines.values()),
            limit=self._settings.max_running,
            queue_limit=self._settings.queue_limit,
            workflows=workflows,
            workers=self._workers.status(),
            draining=self._draining,
        )

    # Restart and end --------------------------------------------------------------------------------

    async def drain(self, timeout_s: float) -> int:
        """Accepts nothing more and waits for what runs; how many still run after that time.

        What waits is left for the next start; where somebody waits for it (mode `wait`), it is cancelled and says that the server stops.
        """
        self._draining = True
        for job in [job for job in self._jobs.values() if job.task is None]:
            if not self._lines[job.ready.where].withdraw(job.key, job):
                continue
            if job.request.mode == "wait":
                self._end_unrun(job, _STOPPING)
            else:
                del self._jobs[job.id]
                job.settle(Result(execution_id=job.id, status="pending", error=_STOPPING))
        if self._jobs:
            self._idle.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
            except TimeoutError:
                pass
        return len(self._jobs)

    async def close(self) -> None:
        """Ends what still runs (it will be found interrupted), the workers, and the server's lock."""
        self._draining = self._closing = True
        self._tide.flush()
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        for job in list(self._jobs.values()):
            self._runtime.abandon(job.id)
            job.cancel()
        await self._workers.close()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        self.lock.release()


def _origin(request: ExecutionRequest) -> Origin:
    return Origin(
        trigger=request.trigger,
        mode=request.mode,
        source=request.source,
        workflow_id=request.workflow_id,
        version_id=request.version_id,
        organization_id=request.organization_id,
        user=request.user,
        parent_execution_id=request.parent_execution_id,
        idempotency_key=request.idempotency_key,
        request=keep(request),
    )
