"""The other end of `process.py`: reads jobs from stdin, answers on what was stdout. Ends with its parent."""

from __future__ import annotations

import asyncio
import inspect
import io
import logging
import os
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any, BinaryIO

import cloudpickle

from nbflow.core.errors import NodeError
from nbflow.engine.lent import LentCredential
from nbflow.engine.process import HEADER
from nbflow.engine.threads import storable

PARENT_S = 1.0  # how often to look whether the parent still lives


class _Answers:
    def __init__(self, pipe: BinaryIO) -> None:
        self.pipe = pipe
        self.lock = threading.Lock()
        self.pid = os.getpid()

    def send(self, *content: Any) -> None:
        """Raises what pickling raises; nothing has been sent then."""
        frame = cloudpickle.dumps(content, protocol=5)
        if os.getpid() != self.pid:  # a forked child must not write between our frames
            return
        with self.lock:
            self.pipe.write(HEADER.pack(len(frame)) + frame)
            self.pipe.flush()


class _Stream(io.TextIOBase):
    def __init__(self, answers: _Answers, name: str) -> None:
        self.answers = answers
        self.name = name

    def write(self, text: str) -> int:
        self.answers.send("write", self.name, text)
        return len(text)


class _LogHandler(logging.Handler):
    LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))

    def __init__(self, answers: _Answers) -> None:
        super().__init__()
        self.answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for least, name in self.LEVELS if record.levelno >= least), "debug")
        self.answers.send("log", record.getMessage(), level)


def main() -> None:
    """Serves jobs until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted notebook signals its whole process group; the parent kills us when it wants
    jobs = os.fdopen(os.dup(0), "rb")
    answers = _Answers(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what C code prints must not break the frames
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # input() must not eat them
    sys.stdout, sys.stderr = _Stream(answers, "stdout"), _Stream(answers, "stderr")
    logging.getLogger().addHandler(_LogHandler(answers))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    paths, folder = _receive(jobs)
    sys.path[:] = paths
    os.chdir(folder)
    while True:
        try:
            job = _receive(jobs)
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 -- an argument that cannot be unpickled here
            answers.send("error", NodeError(f"the job cannot be read in its process: {error}"), traceback.format_exc())
            continue
        _do(job, answers, jobs)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_S)
    os._exit(1)


def _receive(pipe: BinaryIO) -> Any:
    header = pipe.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    return cloudpickle.loads(pipe.read(HEADER.unpack(header)[0]))


class _Credentials:
    """The parent resolves them: this process knows neither the vault nor whose execution it is."""

    def __init__(self, answers: _Answers, jobs: BinaryIO) -> None:
        self.answers = answers
        self.jobs = jobs
        self.lock = threading.Lock()

    def __call__(self, name: str, kind: str | None = None) -> LentCredential:
        with self.lock:
            self.answers.send("credential", name, kind)
            answer = _receive(self.jobs)
        if isinstance(answer, Exception):
            raise answer
        return LentCredential(answer)


def _do(job: Any, answers: _Answers, jobs: BinaryIO) -> None:
    function, positional, named, facts = job
    if facts is not None:
        name, known = facts
        named[name] = SimpleNamespace(
            **known,
            progress=lambda fraction, message="": answers.send("progress", fraction, message),
            credential=_Credentials(answers, jobs),
            log=lambda message, level="info": answers.send("log", message, level),
        )
    try:
        value = function(*positional, **named)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the node's failure
        answers.send("error", _sendable(storable(error)), traceback.format_exc())
        return
    try:
        answers.send("value", value)
    except Exception as error:  # noqa: BLE001 -- a value that cannot be pickled
        answers.send("error", NodeError(f"the value ({type(value).__name__}) cannot be sent back: {error}"), traceback.format_exc())


def _sendable(error: BaseException) -> BaseException:
    """The error, or one that says the same: those with arguments of their own can often be pickled, but not unpickled."""
    try:
        cloudpickle.loads(cloudpickle.dumps(error, protocol=5))
    except Exception:  # noqa: BLE001 -- its own code may raise anything
        return NodeError(f"{type(error).__name__}: {error}", retryable=getattr(error, "retryable", True))
    return error


if __name__ == "__main__":
    main()
