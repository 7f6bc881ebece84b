"""The tasks of one activation: how many there are, how the first failure ends them all, and how the whole waits for its end."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import NodeError
from nbflow.engine.arrivals import Arrivals
from nbflow.engine.failed import NodeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from nbflow.engine.plan import Plan
    from nbflow.engine.run import Run
    from nbflow.engine.scope import Scope


class Crew(Arrivals):
    """Begins with the task that calls `finish`; others come while nodes wait and more are ready."""

    __slots__ = ("aborted", "failure", "owner", "parent", "parked", "path", "run", "tasks", "waiter")

    def __init__(self, run: Run, plan: Plan, *, parent: Scope | None, path: tuple[int, ...]) -> None:
        super().__init__(plan)
        self.run = run
        self.parent = parent  # the activation of the flow, or of the loop around this
        self.path = path
        self.failure: NodeFailed | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.waiter: asyncio.Future[None] | None = None
        self.owner: asyncio.Task[Any] | None = None
        self.aborted = False
        self.parked = False

    @abstractmethod
    async def work(self) -> None:
        """Runs ready nodes until none is left for this task."""

    @abstractmethod
    def cancel_ready(self) -> None:
        """Tells of the nodes that are ready and will not run."""

    async def finish(self) -> None:
        """Runs to the end of the plan. Raises NodeFailed; cancelled, it stops everything it started."""
        owner = self.owner = asyncio.current_task()
        assert owner is not None  # noqa: S101 -- a coroutine runs in a task
        cancellations = owner.cancelling()
        try:
            await self.work()
            while self.tasks:
                self.waiter = asyncio.get_running_loop().create_future()
                await self.waiter
        except asyncio.CancelledError:
            if self.failure is None:  # from outside: what is still ready must not start
                self.failure = NodeFailed("", self.path, asyncio.CancelledError())
            await self._stop_tasks()
            if not self.aborted or self.unwanted():
                raise
        except BaseException:
            await self._stop_tasks()
            raise
        finally:
            self.owner = None
            if self.aborted:  # the cancellation was the scope's own
                forget_cancellations(owner, cancellations)
        if self.failure is not None:
            await self._stop_tasks()
            raise self.failure

    def unwanted(self) -> bool:
        """Whether the execution, or a loop around this, is being stopped."""
        scope = self.parent
        while scope is not None and scope.failure is None:
            scope = scope.parent
        return scope is not None or self.run.stopping

    def spread(self) -> None:
        """A further task for what is ready; without a free permit it would only queue, and comes when one is free."""
        if self.run.permits.free > 0:
            self.spawn(self.work)
        elif not self.parked:
            self.parked = True
            self.run.permits.park(self._resume)

    def _resume(self) -> None:
        self.parked = False
        if self.ready and self.failure is None:
            self.spawn(self.work)

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """A further task; `finish` waits for it."""
        task = asyncio.get_running_loop().create_task(self._worker(work))
        self.tasks.add(task)
        task.add_done_callback(self._worker_done)
        return task

    async def _worker(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            if self.failure is None:  # nobody here cancelled it: a node cancelled the task that it ran in
                self.abort(NodeFailed("", self.path, NodeError("a node cancelled the task it ran in")))
            raise
        except Exception as error:  # noqa: BLE001 -- a fault of the engine itself must not vanish in a task
            self.abort(NodeFailed("", self.path, error))

    def _worker_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not self.tasks and self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def abort(self, failure: NodeFailed) -> None:
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
        self.cancel_ready()


def forget_cancellations(task: asyncio.Task[Any], before: int) -> None:
    """Cancellations after `before` were not meant for who runs in the task."""
    while task.cancelling() > before:
        task.uncancel()
