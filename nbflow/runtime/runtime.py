"""Starting executions: check, compile, record, run. The one place that joins engine, store, catalogue and display."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import threading
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from nbflow.core.check import check
from nbflow.core.errors import CheckError, ExecutionError
from nbflow.core.events import ExecutionFinished
from nbflow.core.ids import new_text_id
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
from nbflow.runtime.landing import settled
from nbflow.runtime.origin import Origin, optional_text
from nbflow.runtime.recorder import Recorder
from nbflow.runtime.resident import resident
from nbflow.store.opening import open_store
from nbflow.store.project import find_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path
    from uuid import UUID

    import httpx

    from nbflow.authoring.trace import Definition
    from nbflow.core.events import ErrorRecord, Sink
    from nbflow.core.problem import Problem
    from nbflow.store.interface import Store
    from nbflow.vault.vault import Vault

FLUSH_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A definition that was checked and compiled, to be started any number of times."""

    definition: Definition
    plan: Plan
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """An execution that has not begun. `next_seq` numbers its next record; `started` says that its start is written down too."""

    id: str
    prepared: Prepared
    params: Mapping[str, Any]
    input: Any
    next_seq: int = 1
    started: bool = False
    shown: Any = None  # the preview of `input`
    organization_id: UUID | None = None  # whose credentials it may use; None: those of the first organization


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
        self._unsynced = False  # something is written that a power cut could take
        self._flusher: threading.Thread | None = None
        self._make_http: Callable[[], httpx.AsyncClient] = _ordinary_http
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._services = Services(
            clock=clock or SystemClock(),
            http=self._http,
            describe_error=describe_error,
            bundle=mime_bundle,
            after_call=capture.finish,
            credential=lambda name, kind: self.vault.resolve(name, kind=kind),
        )
        self._lent: dict[UUID, Services] = {}  # by organization: making one costs as much as a node
        self._vault: Vault | None = None

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

    @property
    def vault(self) -> Vault:
        """The project's credentials."""
        store = self.store
        with self._lock:
            if self._vault is None:
                from nbflow.vault.vault import Vault

                self._vault = Vault(store)
            return self._vault

    def _services_of(self, organization_id: UUID | None) -> Services:
        """What an execution is lent: of credentials, only those of its organization."""
        if organization_id is None:
            return self._services
        services = self._lent.get(organization_id)
        if services is None:
            services = replace(self._services, credential=lambda name, kind: self.vault.resolve(name, kind=kind, organization_id=organization_id))
            self._lent[organization_id] = services
        return services

    def start(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None = None,
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        trigger: str = "manual",
        sinks: tuple[Sink, ...] = (),
        source: str = "",
        origin: Origin | None = None,
    ) -> Execution:
        """Starts an execution on the engine's thread and gives its handle at once. Raises ParameterError, StoreError.

        `sinks` see every event besides the recorder: live views, the terminal, tests. `origin` says more than `trigger` and `source`.
        """
        values = validate(prepared.definition.flow.name, prepared.definition.flow.parameters, params or {})
        origin = origin or Origin(trigger=trigger, source=source)
        accepted = Accepted(
            id=new_text_id(), prepared=prepared, params=values, input=input, shown=_shown(values, input), organization_id=origin.organization_id
        )
        recorder = Recorder(accepted.id, self.store, self._accepted(accepted, origin))
        execution, run = self._begin(accepted, recorder, sinks, resident.loop, told=True)
        resident.start(self._execute(execution, run, recorder))
        return execution

    def acceptance(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None = None,
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        origin: Origin,
        started: bool = False,
    ) -> tuple[Accepted, list[Mapping[str, Any]]]:
        """An execution that will be, and the records that promise it, for servers, which write them down before they run it. Raises ParameterError.

        `started` tells the start in the same breath: it will run at once, or be found interrupted.
        """
        values = validate(prepared.definition.flow.name, prepared.definition.flow.parameters, params or {})
        accepted = Accepted(
            id=new_text_id(),
            prepared=prepared,
            params=values,
            input=input,
            shown=_shown(values, input),
            next_seq=1 + started,
            started=started,
            organization_id=origin.organization_id,
        )
        records = self._accepted(accepted, origin)
        if started:
            records.append({"k": "started", "execution_id": accepted.id, "ts": time.time_ns(), "seq": 1})
        return accepted, records

    def beginning(self, accepted: Accepted) -> tuple[Accepted, list[Mapping[str, Any]]]:
        """The same execution as one that starts, and the record of that: to be written down before any node runs."""
        record = {"k": "started", "execution_id": accepted.id, "ts": time.time_ns(), "seq": accepted.next_seq}
        return replace(accepted, next_seq=accepted.next_seq + 1, started=True), [record]

    async def run(
        self,
        prepared: Prepared,
        params: Mapping[str, Any] | None = None,
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        sinks: tuple[Sink, ...] = (),
        origin: Origin | None = None,
    ) -> Execution:
        """Like `start`, on the caller's own loop, to the durable end."""
        accepted, records = self.acceptance(prepared, params, input=input, origin=origin or Origin(), started=True)
        await settled(self.store.submit(records, durable=False))
        return await self.run_accepted(accepted, sinks=sinks)

    def recall(
        self,
        execution_id: str,
        prepared: Prepared,
        params: Mapping[str, Any],
        *,
        input: Any = None,  # noqa: A002 -- the field's word
        organization_id: UUID | None = None,
    ) -> Accepted:
        """What an earlier process accepted and did not start. Raises ParameterError."""
        values = validate(prepared.definition.flow.name, prepared.definition.flow.parameters, params)
        return Accepted(id=execution_id, prepared=prepared, params=values, input=input, organization_id=organization_id)

    def record_end(self, execution_id: str, status: Literal["failed", "cancelled"], error: ErrorRecord, *, seq: int | None = None) -> Future[None]:
        """Writes down the end of an execution that nobody runs (any more). `seq` None: how many records it has is not known."""
        record = {
            "k": "finished",
            "execution_id": execution_id,
            "status": status,
            "ts": time.time_ns(),
            "duration": 0,
            "outputs": None,
            "error_type": error.type,
            "error_message": error.message,
            "error_node": None,
        }
        if seq is not None:
            record["seq"] = seq
        return self.store.submit([record])

    def abandon(self, execution_id: str) -> None:
        """Records nothing more of an execution: it will be found interrupted, and maybe run again by whoever comes next."""
        if (recorder := self._recorders.pop(execution_id, None)) is not None:
            recorder.abandon()

    def lend(self, *, http: Callable[[], httpx.AsyncClient]) -> None:
        """What nodes get instead of an ordinary HTTP client: `http` makes one for each loop."""
        self._make_http = http
        self._clients = WeakKeyDictionary()

    async def run_accepted(
        self, accepted: Accepted, *, sinks: tuple[Sink, ...] = (), begun: Callable[[Execution], object] | None = None
    ) -> Execution:
        """Runs it on the caller's own loop, to the durable end; its start is written down before any node runs. Raises StoreError; then none ran.

        `begun` gets the handle before that, to cancel it by.
        """
        if not accepted.started:
            accepted, records = self.beginning(accepted)
            await settled(self.store.submit(records, durable=False))
        execution, recorder = await self.perform(accepted, sinks=sinks, begun=begun)
        self._settle(execution, recorder)
        await execution.recorded()
        return execution

    async def perform(
        self, accepted: Accepted, *, sinks: tuple[Sink, ...] = (), begun: Callable[[Execution], object] | None = None
    ) -> tuple[Execution, Recorder]:
        """Runs what is accepted and started to its end, on the caller's own loop. The caller writes down what the recorder still has, and
        then calls `performed`.
        """
        recorder = Recorder(accepted.id, self.store, [], next_seq=accepted.next_seq, started=True)
        execution, run = self._begin(accepted, recorder, sinks, asyncio.get_running_loop(), told=False)
        if begun is not None:
            begun(execution)
        await self._run(execution, run, recorder)
        return execution, recorder

    def performed(self, recorder: Recorder) -> None:
        """Its last record is written. If nobody else does, this makes it durable, within FLUSH_S."""
        self._unsynced = True
        self._recorders.pop(recorder.execution_id, None)  # last: with it, the thread that flushes lives on

    def _begin(
        self, accepted: Accepted, recorder: Recorder, sinks: tuple[Sink, ...], loop: asyncio.AbstractEventLoop, *, told: bool
    ) -> tuple[Execution, Run]:
        """`told`: the handle keeps the events, since somebody may look at it."""
        capture.install()
        prepared = accepted.prepared
        execution = Execution(accepted.id, prepared.definition.flow)
        sink = _fan_out(recorder, execution.tell, *sinks) if told else _fan_out(recorder, *sinks)
        services = self._services_of(accepted.organization_id)
        run = Run(accepted.id, prepared.plan, sink=sink, params=accepted.params, input=accepted.input, services=services)
        if accepted.shown is not None:
            run.shown = (run.input, accepted.shown)
        execution.begin(run, loop)
        self._watch(recorder)
        return execution, run

    async def _execute(self, execution: Execution, run: Run, recorder: Recorder) -> None:
        await self._run(execution, run, recorder)
        self._settle(execution, recorder)

    async def _run(self, execution: Execution, run: Run, recorder: Recorder) -> None:
        """To the end, whatever it is."""
        try:
            outcome = await run.execute()
        except BaseException as fault:  # noqa: BLE001 -- a fault of the engine itself; whoever waits must hear of it
            error = ExecutionError(f"flow '{execution.flow.name}' ended by a fault of nbflow itself: {fault!r}", execution_id=execution.id)
            error.__cause__ = fault
            record = describe_error(error)
            recorder(ExecutionFinished(execution.id, execution.flow.name, "failed", time.time_ns(), 0, None, record))
            outcome = Outcome(status=ExecutionStatus.FAILED, error=error)
        execution.end(outcome)

    def _settle(self, execution: Execution, recorder: Recorder) -> None:
        """Those who wait for the execution go on when its last record is durable, or cannot be."""
        written = recorder.flush()
        self._recorders.pop(recorder.execution_id, None)  # last: with it, the thread that flushes lives on
        written.add_done_callback(execution.settle)

    def _accepted(self, accepted: Accepted, origin: Origin) -> list[Mapping[str, Any]]:
        """The first records of an execution; before them, once a process, the document of its flow."""
        prepared, now = accepted.prepared, time.time_ns()
        flow = prepared.definition.flow
        records: list[Mapping[str, Any]] = []
        if prepared.hash not in self._known_flows:
            records.append({"k": "flow", "hash": prepared.hash, "name": flow.name, "document": flow.to_dict(), "ts": now})
            self._known_flows.add(prepared.hash)
        records.append(
            {
                "k": "accepted",
                "execution_id": accepted.id,
                "flow": flow.name,
                "flow_hash": prepared.hash,
                "workflow_id": optional_text(origin.workflow_id),
                "version_id": optional_text(origin.version_id),
                "organization_id": optional_text(origin.organization_id),
                "trigger": origin.trigger,
                "mode": origin.mode,
                "source": origin.source,
                **(_whoami() if origin.user is None else _whoami() | {"user": origin.user}),
                "parent_execution_id": origin.parent_execution_id,
                "idempotency_key": origin.idempotency_key,
                "request": origin.request,
                "input": accepted.shown,
                "ts": now,
                "seq": 0,
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
        """Writes down what running executions have told, ten times a second, and makes durable what is only written.

        Ends when none runs; the next start begins another.
        """
        while True:
            time.sleep(FLUSH_S)
            with self._lock:
                recorders = list(self._recorders.values())
                unsynced, self._unsynced = self._unsynced, False
                if unsynced and self._store is not None:
                    self._store.submit([])
                if not recorders and not unsynced:
                    self._flusher = None
                    return
            for recorder in recorders:
                recorder.flush()

    def _http(self) -> Any:
        """One client a loop; connections are shared between nodes and executions."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._make_http()
        return client

    def close(self) -> None:
        """Lets the store go. Executions of this runtime that still run are then taken for interrupted."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = self._vault = None


def _ordinary_http() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5))


def _shown(params: Mapping[str, Any], given: Any) -> Any:
    return preview(dict(params) if given is None else given)


def _fan_out(*sinks: Callable[[Any], object]) -> Callable[[Any], None]:
    def sink(event: Any) -> None:
        for one in sinks:
            one(event)

    return sink


@cache
def _whoami() -> dict[str, Any]:
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
