"""The kernel's side of a worker: loads one published module and runs executions of it, one at a time, recorded in this process's own journal.

Everything here is called by the server, as the code of a cell, on the kernel's main thread; flows run on the engine's thread, so an
interrupt reaches this side and cancels the execution.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbflow.authoring.trace import Definition
from nbflow.core.flow import Flow
from nbflow.core.portable import load as load_json
from nbflow.runtime.resident import resident
from nbflow.runtime.runtime import prepare, reset_runtime, runtime
from nbflow.server.clients import guarded_client
from nbflow.server.execution import Fault, Result
from nbflow.server.job import Listener, result_of
from nbflow.server.workers.messages import MIME, ended, responded, written
from nbflow.workflows.loading import load_module
from nbflow.workflows.module import Module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.node import NodeType
    from nbflow.runtime.execution import Execution
    from nbflow.runtime.runtime import Prepared

_PARENT_EVERY_S = 0.5
_PR_SET_PDEATHSIG = 1  # prctl(2)
_functions: Mapping[str, NodeType] = {}
_prepared: dict[str, Prepared] = {}


def begin(text: str) -> None:
    """Once a kernel: which project, whom nodes may call, and who the server is, without which this process ends."""
    order = load_json(text)
    _end_with(order["server_pid"])
    os.environ["NBFLOW_PROJECT"] = order["project"]
    reset_runtime()
    runtime().lend(http=partial(guarded_client, order["allowed_hosts"]))
    runtime().store.warm()


def load(text: str) -> None:
    """Once a kernel: the code, and the working directory of its executions. Raises whatever the code raises."""
    global _functions  # noqa: PLW0603 -- one a kernel
    order = load_json(text)
    module = Module.from_dict(order["module"]) if order["module"] else None
    folder = Path(order["project"], module.folder if module else ".")
    if folder.is_dir():
        os.chdir(folder)
    if module is not None:
        _functions = load_module(module, order["files"])


def run(text: str) -> None:
    """One execution, to its recorded end; tells answers and the end as display data."""
    order = load_json(text)
    said: SimpleQueue[str | None] = SimpleQueue()  # told to the server from this thread, to which the messages' header belongs
    begun: list[Execution] = []
    work = resident.submit(_execute(order, said, begun))
    work.add_done_callback(lambda _: said.put(None))
    while True:
        try:
            message = said.get()
        except KeyboardInterrupt:
            for execution in begun:
                execution.cancel()
            continue
        if message is None:
            return
        _tell(message)


async def _execute(order: Mapping[str, Any], said: SimpleQueue[str | None], begun: list[Execution]) -> None:
    listener = Listener(lambda response: said.put(responded(response)))
    try:
        prepared = _ready(order["flow"])
        organization = UUID(order["organization_id"]) if order["organization_id"] else None
        accepted = runtime().recall(order["execution_id"], prepared, order["params"], input=order["input"], organization_id=organization)
        accepted = replace(accepted, next_seq=order["next_seq"], started=True)
        execution = await runtime().run_accepted(accepted, sinks=(listener,), begun=begun.append)
        assert execution.outcome is not None  # noqa: S101  (it has ended)
        result = result_of(accepted.id, execution.outcome, last=listener.last, response=None, values=order["values"])
        if position := runtime().store.position():
            said.put(written(position))
        said.put(ended(result))
    except Exception as error:  # noqa: BLE001 -- the server has to hear of it, whatever it is
        said.put(ended(Result(execution_id=order["execution_id"], status="broken", error=Fault(type(error).__name__, str(error)))))


def _ready(document: Mapping[str, Any]) -> Prepared:
    flow = Flow.from_dict(document)
    if flow.hash not in _prepared:
        _prepared[flow.hash] = prepare(Definition(flow=flow, functions=_functions))
    return _prepared[flow.hash]


def _tell(message: str) -> None:
    from IPython.display import publish_display_data

    publish_display_data({MIME: message})


def _end_with(pid: int) -> None:
    """The server may be killed: Linux then kills this process, elsewhere it looks for itself."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(pid,), name="nbflow-parent", daemon=True).start()


def _watch(pid: int) -> None:
    while os.getppid() == pid:
        time.sleep(_PARENT_EVERY_S)
    os._exit(1)
