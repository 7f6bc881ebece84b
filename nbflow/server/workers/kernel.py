"""One worker kernel: a Jupyter kernel of this Python, that holds one published module and ends with the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import WorkerError
from nbflow.server.workers.messages import MIME, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbflow.workflows.module import Module

_READY_S = 60.0
_LOOK_EVERY_S = 0.2  # whether the process lives, while it says nothing
_STDERR_CHARACTERS = 1000


class Kernel:
    """Started, loaded once, run many times, closed. One execution at a time. Used on the server's loop.

    `folder` is its own: connection file, module files, what it says before it can speak.
    """

    def __init__(self, project: Path, folder: Path, allowed_hosts: Iterable[str]) -> None:
        self._project = project
        self._folder = folder
        self._allowed_hosts = list(allowed_hosts)
        self._manager: Any = None
        self._client: Any = None
        self.module = ""  # hash of what it holds
        self.execution_id: str | None = None
        self.runs = 0
        self.began_at = time.monotonic()

    # Life -------------------------------------------------------------------------------------------

    async def start(self) -> Kernel:
        """Gives itself. Raises WorkerError with what the process said when it does not come up."""
        self._folder.mkdir(mode=0o700, parents=True)
        self._manager = _manager(self._folder / "kernel.json")
        try:
            with (self._folder / "stderr.txt").open("wb") as said:
                await self._manager.start_kernel(cwd=str(self._project), env=_environment(), stdout=asyncio.subprocess.DEVNULL, stderr=said)
            self._client = self._manager.client()
            self._client.start_channels()
            await self._client.wait_for_ready(timeout=_READY_S)
            await self._do(call("begin", {"project": str(self._project), "allowed_hosts": self._allowed_hosts, "server_pid": os.getpid()}))
        except asyncio.CancelledError:
            await self.close()
            raise
        except Exception as error:
            said_text = self._said()
            await self.close()
            message = f"a worker kernel did not start: {error}{said_text}"
            raise WorkerError(message) from error
        return self

    async def load(self, module: Module | None) -> None:
        """Raises WorkerError with the code's own error."""
        self.module = module.hash if module is not None else ""
        order = {"module": module.to_dict() if module is not None else None, "project": str(self._project), "files": str(self._folder / "module")}
        try:
            await self._do(call("load", order))
        except _CellError as error:
            message = f"the published code cannot be loaded: {error}"
            raise WorkerError(message) from None

    async def close(self) -> None:
        """Ends the process and its children, at once."""
        manager, self._manager = self._manager, None
        if self._client is not None:
            self._client.stop_channels()
        if manager is not None and manager.has_kernel:
            self._kill(manager)
            await manager.shutdown_kernel(now=True)
        elif manager is not None:
            await manager.cleanup_resources()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """Ends the process; whoever waits for its execution hears that it is gone."""
        if self._manager is not None:
            self._kill(self._manager)

    def _kill(self, manager: Any) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(manager.provisioner.pid, signal.SIGKILL)  # a session of its own: the processes that its nodes started, too

    async def interrupt(self) -> None:
        """As Ctrl-C."""
        if self._manager is not None:
            await self._manager.interrupt_kernel()

    # Work -------------------------------------------------------------------------------------------

    async def run(self, order: dict[str, Any], told: Callable[[str], None]) -> None:
        """One execution; `told` gets its messages. Raises WorkerError when the process dies."""
        self.execution_id = order["execution_id"]
        self.runs += 1
        try:
            await self._do(call("run", order), told)
        finally:
            self.execution_id = None

    async def _do(self, code: str, told: Callable[[str], None] | None = None) -> None:
        """Runs a cell to its end. Raises WorkerError when the process dies, _CellError when the code raises."""
        wanted = self._client.execute(code, store_history=False, allow_stdin=False, stop_on_error=False)
        failure: str | None = None
        while True:
            try:
                message = await self._client.get_iopub_msg(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                if self.exit_code is not None:
                    raise WorkerError(_cause(self.exit_code)) from None
                continue
            if message["parent_header"].get("msg_id") != wanted:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "display_data" and MIME in content["data"] and told is not None:
                told(content["data"][MIME])
            elif kind == "error":
                failure = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                break
        if failure is not None:
            raise _CellError(failure)

    # Looking ----------------------------------------------------------------------------------------

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that ended it."""
        process = getattr(getattr(self._manager, "provisioner", None), "process", None)
        return -signal.SIGKILL if process is None else process.poll()

    @property
    def pid(self) -> int:
        """The process; 0 when it is gone."""
        return int(getattr(getattr(self._manager, "provisioner", None), "pid", 0) or 0)

    @property
    def age_s(self) -> float:
        """Since it was made."""
        return time.monotonic() - self.began_at

    @property
    def rss_bytes(self) -> int:
        """Memory of the process, without its children; 0 when it is gone."""
        import psutil

        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.pid else 0
        except psutil.Error:
            return 0

    def _said(self) -> str:
        try:
            text = (self._folder / "stderr.txt").read_text("utf-8", "replace").strip()
        except OSError:
            return ""
        return f"\n{text[-_STDERR_CHARACTERS:]}" if text else ""


class _CellError(Exception):
    """The code of a cell raised."""


def _manager(connection_file: Path) -> Any:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        """Starts this very Python, whatever kernels are installed under its name."""

        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="nbflow worker", language="python")

    return Manager(connection_file=str(connection_file))


def _environment() -> dict[str, str]:
    package = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    return dict(os.environ) | {"PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"the worker process ended with exit code {exit_code} while the flow ran: its code ended the interpreter"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    hint = ": the machine had probably no memory left for it" if -exit_code == signal.SIGKILL else ""
    return f"the worker process was ended by {name} while the flow ran{hint}"
