"""Functions declared `where="process"`: each call in a process of its own pool, killed when cancelled or out of time.

Frames on the pipes are an 8-byte big-endian length and a cloudpickle; both ends are this user's own processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbflow.core.errors import NodeError
from nbflow.engine.lent import lent

if TYPE_CHECKING:
    from nbflow.engine.call import NodeCall

HEADER = struct.Struct(">Q")
KEPT = max(2, os.cpu_count() or 1)  # idle processes kept warm


class RemoteTracebackError(Exception):
    """Cause of an error that came from a process: carries that process's traceback as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class ProcessPool:
    """Warm worker processes, one list a loop."""

    def __init__(self) -> None:
        self._idle: WeakKeyDictionary[asyncio.AbstractEventLoop, list[asyncio.subprocess.Process]] = WeakKeyDictionary()

    async def call(self, call: NodeCall) -> Any:
        """The function's value. Raises its error, or NodeError when arguments, value or process cannot make the way."""
        job = _job(call)
        process = await self._worker()
        done = False
        try:
            kind, *content = await _answer(process, job, call)
            done = True
        finally:
            if done:
                self._free(process)
            else:
                await _end(process)
        if kind == "value":
            return content[0]
        error, text = content
        raise error from RemoteTracebackError(text)

    async def _worker(self) -> asyncio.subprocess.Process:
        idle = self._idle.setdefault(asyncio.get_running_loop(), [])
        while idle:
            process = idle.pop()
            if process.returncode is None:
                return process
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "nbflow.engine.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None  # noqa: S101 -- asked for above
        _send(process.stdin, _pickled((sys.path, str(os.getcwd()))))  # noqa: PTH109 -- the child gets a plain string
        return process

    def _free(self, process: asyncio.subprocess.Process) -> None:
        idle = self._idle.setdefault(asyncio.get_running_loop(), [])
        if len(idle) < KEPT:
            idle.append(process)
        elif process.stdin is not None:
            process.stdin.close()

    async def close(self) -> None:
        """Ends the idle processes of the running loop."""
        idle = self._idle.pop(asyncio.get_running_loop(), [])
        for process in idle:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def _job(call: NodeCall) -> bytes:
    positional, named = call.arguments()
    lent = call.plan_node.type.takes_context
    facts = None
    if lent is not None:
        named.pop(lent, None)
        names = ("flow", "node", "execution_id", "path", "attempt", "params", "input")
        facts = (lent, {name: getattr(call, name) for name in names})
    try:
        return _pickled((call.plan_node.function, positional, named, facts))
    except Exception as error:
        message = f"node '{call.node}' runs in a process, but its function or inputs cannot be sent there: {error}"
        raise NodeError(message) from error


async def _answer(process: asyncio.subprocess.Process, job: bytes, call: NodeCall) -> Any:
    """What the process says at last; what it says meanwhile goes to the call. Raises NodeError when the process dies."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 -- pipes were asked for
    try:
        _send(process.stdin, job)
        await process.stdin.drain()
        while True:
            size = HEADER.unpack(await process.stdout.readexactly(HEADER.size))[0]
            kind, *content = _read(await process.stdout.readexactly(size), call)
            if kind == "credential":
                _send(process.stdin, _pickled(await asyncio.to_thread(lent, call, *content)))
                await process.stdin.drain()
            elif kind in {"write", "log", "progress"}:
                getattr(call, kind)(*content)
            else:
                return kind, *content
    except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError):
        code = await process.wait()
        how = f"killed by signal {-code}" + (", maybe for lack of memory" if code == -9 else "") if code < 0 else f"exit code {code}"  # noqa: PLR2004
        message = f"the process that ran node '{call.node}' died ({how})"
        raise NodeError(message) from None


def _read(frame: bytes, call: NodeCall) -> Any:
    import cloudpickle

    try:
        return cloudpickle.loads(frame)
    except Exception as error:
        message = f"node '{call.node}' gave its process a value that cannot be read here: {type(error).__name__}: {error}"
        raise NodeError(message) from error


def _pickled(value: object) -> bytes:
    import cloudpickle

    return bytes(cloudpickle.dumps(value, protocol=5))


def _send(pipe: asyncio.StreamWriter, frame: bytes) -> None:
    pipe.write(HEADER.pack(len(frame)))
    pipe.write(frame)
