"""The write path: this process's own append-only file. No lock shared with others, no socket, no database.

One line is one record. Whoever appends first writes for all who wait (group commit), so many callers share an fdatasync.
A journal has a writer id (UUIDv7) and consecutive files `<writer>.<number>.ndjson`; flock on the newest tells the owner that the writer lives.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import queue
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreError
from nbflow.core.ids import new_id
from nbflow.store.project import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ROTATE_BYTES = 64 * 2**20
SUFFIX = ".ndjson"
_GO, _END = True, False  # what wakes the writer thread
_sync = getattr(os, "fdatasync", os.fsync)
_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def encode(records: Iterable[Mapping[str, Any]]) -> bytes:
    """The records as journal lines. Raises StoreError when one cannot be JSON."""
    import orjson

    lines = []
    for record in records:
        try:
            lines.append(orjson.dumps(record))
        except TypeError:
            lines.append(_encode_odd(record))
    return b"".join(line + b"\n" for line in lines)


def _encode_odd(record: Mapping[str, Any]) -> bytes:
    """For what orjson refuses: lone surrogates, integers over 64 bits, keys that are no strings, strange objects."""
    import json

    try:
        text = json.dumps(record, default=repr, ensure_ascii=False, skipkeys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"a record of kind {record.get('k')!r} cannot be written as JSON: {error}"
        raise StoreError(msg) from error
    return text.encode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a writer has come: `offset` bytes into `file`."""

    file: str
    offset: int


@dataclass(slots=True)
class _Ticket:
    data: bytes
    durable: bool
    future: Future[None] | None = None
    done: bool = False
    error: BaseException | None = field(default=None)


class Journal:
    """The journal of this process. Thread-safe; a forked child gets a journal of its own."""

    def __init__(self, folder: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._folder = folder
        self._rotate_bytes = rotate_bytes
        self._begin()
        _journals.add(self)

    def _begin(self) -> None:
        self.writer = str(new_id())
        self._writing = threading.Lock()
        self._pending: deque[_Ticket] = deque()
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._awake = False
        self._thread: threading.Thread | None = None
        self._number = 0
        self._fd = -1
        self._name = ""
        self._size = 0
        self._closed = False

    def append(self, data: bytes, *, durable: bool = True) -> None:
        """Write whole lines. On return they survive kill -9; with `durable`, a power cut too. Raises StoreError; then nothing is promised."""
        ticket = _Ticket(data, durable)
        self._closed = False
        self._pending.append(ticket)
        settled: list[_Ticket] = []
        with self._writing:
            if not ticket.done:
                settled = self._write_pending()
        _settle(settled)
        if ticket.error is not None:
            raise ticket.error

    def submit(self, data: bytes, *, durable: bool = True) -> Future[None]:
        """Queue whole lines; the future is done when they are durable or, without `durable`, written. Never waits for the disk."""
        future: Future[None] = Future()
        self._closed = False
        future.set_running_or_notify_cancel()  # a line that may be on disk cannot be taken back
        ticket = _Ticket(data, durable, future)
        if not durable and not self._pending and self._writing.acquire(blocking=False):
            try:
                self._pending.append(ticket)
                settled = self._write_pending()
            finally:
                self._writing.release()
            _settle(settled)
            return future
        self._pending.append(ticket)
        if not self._awake:
            self._awake = True
            self._wake.put(_GO)
        if self._thread is None:
            self._start_thread()
        return future

    def position(self) -> Position | None:
        """Write what is queued, then tell how far this journal has come; None when nothing was ever written."""
        if self._pending:
            self.append(b"", durable=False)
        return Position(file=self._name, offset=self._size) if self._name else None

    def close(self) -> None:
        """Write what is queued and let go of the file: the owner may then take the writer for gone."""
        if self._closed:
            return
        if self._pending:
            self.append(b"")
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.put(_END)
            thread.join()
        with self._writing:
            self._seal()

    def _start_thread(self) -> None:
        with self._writing:
            if self._thread is None:
                self._thread = threading.Thread(target=_write_submitted, args=(self._wake, weakref.ref(self)), name="nbflow-journal", daemon=True)
                self._thread.start()

    def write_queued(self) -> None:
        """One round of the writer thread: everything queued by now, one fdatasync."""
        self._awake = False
        with self._writing:
            settled = self._write_pending() if self._pending else []
        _settle(settled)

    def _write_pending(self) -> list[_Ticket]:
        """Under the lock. The tickets whose futures the caller must settle after releasing it (their callbacks may append)."""
        batch: list[_Ticket] = []
        error: BaseException | None = None
        try:
            while self._pending:
                batch.append(self._pending.popleft())
            self._write(b"".join(ticket.data for ticket in batch), durable=any(ticket.durable for ticket in batch))
        except OSError as failure:
            self._seal(truncate=True)
            error = storage_error(failure, self._folder.parent.parent)
        except BaseException as failure:  # an interrupt in the middle: how much is written is unknown
            self._seal(truncate=True)
            error = StoreError("interrupted while writing")
            error.__cause__ = failure
            raise
        finally:
            for ticket in batch:
                ticket.error = error
                ticket.done = True
        return [ticket for ticket in batch if ticket.future is not None]

    def _write(self, data: bytes, *, durable: bool) -> None:
        if not data:
            if durable and self._fd >= 0:
                _sync(self._fd)
            return
        if self._fd >= 0 and (self._size >= self._rotate_bytes or os.fstat(self._fd).st_nlink == 0):
            self._rotate()
        if self._fd < 0:
            self._open_next()
        view = memoryview(data)
        written = os.write(self._fd, view)
        while written < len(view):  # a short write: the next one says why
            written += os.write(self._fd, view[written:])
        if durable:
            _sync(self._fd)
        self._size += written

    def _rotate(self) -> None:
        """The new file is locked before the old lock goes, so that the owner never sees a living writer without one."""
        old = self._fd
        self._open_next()
        os.close(old)

    def _open_next(self) -> None:
        number = self._number + 1
        name = f"{self.writer}.{number:06d}{SUFFIX}"
        path = self._folder / name
        hidden = path.with_suffix(".tmp")  # the owner must not see it before it is locked
        fd = os.open(hidden, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(path)
            folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except BaseException:
            os.close(fd)
            raise
        finally:
            self._number = number
        self._fd, self._name, self._size = fd, name, 0

    def _seal(self, *, truncate: bool = False) -> None:
        """End the current file; the next line begins another. A torn line must not be joined by the next one."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            if truncate:
                os.ftruncate(fd, self._size)
        except OSError:
            pass  # the owner stops at the last complete line anyhow
        finally:
            os.close(fd)

    def forked(self) -> None:
        """In a child: the file, the queue and the thread are the parent's. Closing our copy does not release its lock."""
        if self._fd >= 0:
            os.close(self._fd)
        self._begin()


def _settle(tickets: list[_Ticket]) -> None:
    for ticket in tickets:
        if ticket.future is None:
            continue
        if ticket.error is None:
            ticket.future.set_result(None)
        else:
            ticket.future.set_exception(ticket.error)


def _write_submitted(wake: queue.SimpleQueue[bool], journal: weakref.ref[Journal]) -> None:
    """The writer thread. It holds the journal weakly, so that an abandoned journal can go."""
    while wake.get():
        alive = journal()
        if alive is None:
            return
        alive.write_queued()
        del alive


def _forked() -> None:
    for journal in list(_journals):
        journal.forked()


def _close_all() -> None:
    for journal in list(_journals):
        try:
            journal.close()
        except StoreError:  # the interpreter is ending: nobody is left to be told
            continue


os.register_at_fork(after_in_child=_forked)
atexit.register(_close_all)
