"""Starting executions: check, compile, record, run. The one place that joins engine, store, catalogue and display."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbflow.core.check import check
from nbflow.core.errors import CheckError, ExecutionError
from nbflow.core.events import ExecutionFinished
from nbflow.core.ids import new_id
from nbflow.core.parameters import validate
from nbflow.core.states import ExecutionStatus
from nbflow.core.values import preview
from nbflow.display import capture
from nbflow.display.bundle import mime_bundle
from nbflow.display.error import describe_error
from nbflow.engine.plan import Plan, compile_flow
from nbflow.engine.run import Outcome, Run
from nbflow.engine.services import Clock, Services, SystemClock
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.runtime.execution import Execution
from nbflow.runtime.recorder import Recorder
from nbflow.runtime.resident import resident
from nbflow.store.opening import open_store
from nbflow.store.project import find_project

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from nbflow.authoring.trace import Definition
    from nbflow.core.events import Sink
    from nbflow.core.problem import Problem
    from nbflow.store.interface import Store

FLUSH_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A definition that was checked and compiled, to be started any number of times."""

    definition: Definition
    plan: Plan
    hash: str


def problems_of(definition: Definition) -> list[Problem]:
    """Everything that is wrong with a definition."""
    return check(definition.flow, FunctionCatalogue(definition.functions))


def prepare(definition: Definition) -> Prepared:
    """Raises CheckError with every problem."""
    catalogue = FunctionCatalogue(definition.functions)
    problems = check(definition.flow, catalogue)
    if problems:
        raise CheckError(definition.flow.name, problems)
    return Prepared(definition=definition, plan=compile_flow(definition.flow, catalogue), hash=definition.flow.hash)


class Runtime:
    """Starts executions in one project. `store` is opened on the first start; `clock` is the machine's unless a test lends another."""

    def __init__(self, project: Path | None = None, *, store: Store | None = None, clock: Clock | None = None) -> None:
        self._given_project = project
        self._store = store
        self._lock = threading.Lock()
        self._known_flows: set[str] = set()
        self._recorders: dict[str, Recorder] = {}  # of the executions that run
        self._flusher: threading.Thread | None = None
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._services = Services(
            clock=clock or SystemClock(),
            http=self._http,
            describe_error=describe_error,
            bundle=mime_bundle,
            after_call=capture.finish,
        )

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self._given_project or find_project()

    @property
    def store(self) -> Store:
        """The project's history. Raises StoreReadOnlyError when the folder refuses writing."""
        with self._lock:
            if self._store is None:
                self._store = open_store(self._given_project)
            return self._store

    def start(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None = None,
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        trigger: str = "manual",
        sinks: tuple[Sink, ...] = (),
        source: str = "",
    ) -> Execution:
        """Starts an execution on the engine's thread and gives its handle at once. Raises ParameterError, StoreError.

        `sinks` see every event besides the recorder: live views, the terminal, tests.
        """
        execution, work = self._begin(prepared, params, input_=input, trigger=trigger, sinks=sinks, source=source, loop=resident.loop)
        resident.start(work)
        return execution

    async def run(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None = None,
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        trigger: str = "manual",
        sinks: tuple[Sink, ...] = (),
        source: str = "",
    ) -> Execution:
        """Like `start`, on the caller's own loop, to the durable end: for servers, which have a loop and many executions."""
        execution, work = self._begin(prepared, params, input_=input, trigger=trigger, sinks=sinks, source=source, loop=asyncio.get_running_loop())
        await work
        await execution.recorded()
        return execution

    def _begin(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None,
        *,
        input_: Any,
        trigger: str,
        sinks: tuple[Sink, ...],
        source: str,
        loop: asyncio.AbstractEventLoop,
    ) -> tuple[Execution, Coroutine[Any, Any, None]]:
        flow = prepared.definition.flow
        values = validate(flow.name, flow.parameters, params or {})
        capture.install()
        execution_id = str(new_id())
        recorder = Recorder(execution_id, self.store, self._accepted(prepared, execution_id, values, input_=input_, trigger=trigger, source=source))
        execution = Execution(execution_id, flow)
        run = Run(execution_id, prepared.plan, sink=_fan_out(recorder, execution.tell, *sinks), params=values, input=input_, services=self._services)
        execution.begin(run, loop)
        self._watch(recorder)
        return execution, self._execute(execution, run, recorder)

    async def _execute(self, execution: Execution, run: Run, recorder: Recorder) -> None:
        """To the end; those who wait for the execution go on when its last record is durable, or cannot be."""
        try:
            outcome = await run.execute()
        except BaseException as fault:  # noqa: BLE001 -- a fault of the engine itself; whoever waits must hear of it
            error = ExecutionError(f"flow '{execution.flow.name}' ended by a fault of nbflow itself: {fault!r}", execution_id=execution.id)
            error.__cause__ = fault
            record = describe_error(error)
            recorder(ExecutionFinished(execution.id, execution.flow.name, "failed", time.time_ns(), 0, None, record))
            outcome = Outcome(status=ExecutionStatus.FAILED, error=error)
        execution.end(outcome)
        self._recorders.pop(recorder.execution_id, None)
        recorder.flush().add_done_callback(execution.settle)

    def _accepted(
        self, prepared: Prepared, execution_id: str, params: Mapping[str, Any], *, input_: Any, trigger: str, source: str
    ) -> list[Mapping[str, Any]]:
        """The first records of an execution; before them, once a process, the document of its flow."""
        flow, now = prepared.definition.flow, time.time_ns()
        records: list[Mapping[str, Any]] = []
        if prepared.hash not in self._known_flows:
            records.append({"k": "flow", "hash": prepared.hash, "name": flow.name, "document": flow.to_dict(), "ts": now})
            self._known_flows.add(prepared.hash)
        records.append(
            {
                "k": "accepted",
                "execution_id": execution_id,
                "flow": flow.name,
                "flow_hash": prepared.hash,
                "workflow_id": None,
                "version_id": None,
                "trigger": trigger,
                "mode": "wait",
                "source": source,
                **_whoami(),
                "parent_execution_id": None,
                "input": preview(dict(params) if input_ is None else input_),
                "ts": now,
            }
        )
        return records

    def _watch(self, recorder: Recorder) -> None:
        with self._lock:
            self._recorders[recorder.execution_id] = recorder
            if self._flusher is None:
                self._flusher = threading.Thread(target=self._flush_all, name="nbflow-recorder", daemon=True)
                self._flusher.start()

    def _flush_all(self) -> None:
        """Writes down what running executions have told, ten times a second. Ends when none runs; the next start begins another."""
        while True:
            time.sleep(FLUSH_S)
            with self._lock:
                recorders = list(self._recorders.values())
                if not recorders:
                    self._flusher = None
                    return
            for recorder in recorders:
                recorder.flush()

    def _http(self) -> Any:
        """One client a loop; connections are shared between nodes and executions."""
        import httpx

        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5))
        return client

    def close(self) -> None:
        """Lets the store go. Executions of this runtime that still run are then taken for interrupted."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def _fan_out(*sinks: Callable[[Any], object]) -> Callable[[Any], None]:
    def sink(event: Any) -> None:
        for one in sinks:
            one(event)

    return sink


@cache
def _whoami() -> Mapping[str, Any]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without this uid in its password file
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname(), "pid": os.getpid()}


_current: Runtime | None = None


def runtime() -> Runtime:
    """The runtime of this process, made on first use; a child of fork gets its own."""
    global _current, _owner_pid
    if _current is None or _owner_pid != os.getpid():
        _current, _owner_pid = Runtime(), os.getpid()
        _whoami.cache_clear()
    return _current


def reset_runtime() -> None:
    """Closes the process's runtime; the next use makes another (after NBFLOW_PROJECT or NBFLOW_STORE has changed)."""
    global _current  # noqa: PLW0603 -- one a process
    if _current is not None:
        _current.close()
        _current = None


_owner_pid = os.getpid()
