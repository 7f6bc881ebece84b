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
from contextlib import suppress
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
    """The journal of this process. Thread-safe; a forked child gets a journal of its own.

    Two locks: `_writing` guards the file and is held for a write; `_syncing` is held while the disk is waited for, and is taken first. So
    nobody who only writes waits for the disk.
    """

    def __init__(self, folder: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._folder = folder
        self._rotate_bytes = rotate_bytes
        self._begin()
        _journals.add(self)

    def _begin(self) -> None:
        self.writer = str(new_id())
        self._writing = threading.Lock()
        self._syncing = threading.Lock()
        self._pending: deque[_Ticket] = deque()
        self._unsynced: list[_Ticket] = []  # written, and waiting for the disk
        self._retired: list[int] = []  # earlier files, until they are synced
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._awake = False
        self._thread: threading.Thread | None = None
        self._number = 0
        self._fd = -1
        self._name = ""
        self._size = 0
        self._synced = 0  # the part of the file that is on the disk
        self._promised = 0  # the part of the file of which somebody was told that it is written
        self._closed = False

    def append(self, data: bytes, *, durable: bool = True) -> None:
        """Write whole lines. On return they survive kill -9; with `durable`, a power cut too. Raises StoreError; then nothing is promised."""
        ticket = _Ticket(data, durable)
        self._closed = False
        self._pending.append(ticket)
        if durable:
            self._write_and_sync(ticket)
        else:
            self._write_now(ticket)
        if ticket.error is not None:
            raise ticket.error

    def submit(self, data: bytes, *, durable: bool = True) -> Future[None]:
        """Queue whole lines; the future is done when they are durable or, without `durable`, written. Never waits for a sync.

        Without `durable` they are written on return, with all that was queued before.
        """
        future: Future[None] = Future()
        self._closed = False
        future.set_running_or_notify_cancel()  # a line that may be on disk cannot be taken back
        ticket = _Ticket(data, durable, future)
        self._pending.append(ticket)
        if not durable:
            self._write_now(ticket)
            if not self._retired:
                return future
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
        with self._writing:
            return Position(file=self._name, offset=self._size) if self._name else None

    def close(self) -> None:
        """Write what is queued and let go of the file: the owner may then take the writer for gone."""
        if self._closed:
            return
        if self._pending or self._unsynced or self._retired:
            self.append(b"")
        self._closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.put(_END)
            thread.join()
        with self._syncing, self._writing:
            self._retire()
            self._close_retired()

    def _start_thread(self) -> None:
        with self._writing:
            if self._thread is None:
                self._thread = threading.Thread(target=_write_submitted, args=(self._wake, weakref.ref(self)), name="nbflow-journal", daemon=True)
                self._thread.start()

    def write_queued(self) -> None:
        """One round of the writer thread: everything queued by now, one fdatasync."""
        self._awake = False
        self._write_and_sync()

    def _write_now(self, ticket: _Ticket) -> None:
        settled: list[_Ticket] = []
        with self._writing:
            if not ticket.done:
                settled = self._write_pending()
        _settle(settled)

    def _write_and_sync(self, ticket: _Ticket | None = None) -> None:
        """Unless somebody else has done it for this ticket meanwhile."""
        settled: list[_Ticket] = []
        with self._syncing:
            if ticket is None or not ticket.done:
                with self._writing:
                    settled = self._write_pending()
                settled += self._sync_written()
        _settle(settled)

    def _write_pending(self) -> list[_Ticket]:
        """Under `_writing`. The tickets whose futures the caller must settle after releasing it (their callbacks may append)."""
        batch: list[_Ticket] = []
        error: BaseException | None = None
        try:
            while self._pending:
                batch.append(self._pending.popleft())
            self._write(b"".join([ticket.data for ticket in batch]))
        except OSError as failure:
            self._retire(truncate_to=self._size)
            error = storage_error(failure, self._folder.parent.parent)
        except BaseException as failure:  # an interrupt in the middle: how much is written is unknown
            self._retire(truncate_to=self._size)
            error = _interrupted(failure)
            raise
        finally:
            settled = []
            for ticket in batch:
                if ticket.durable and error is None:
                    self._unsynced.append(ticket)
                    continue
                ticket.error = error
                ticket.done = True
                settled.append(ticket)
                self._promised = self._size
        return settled

    def _sync_written(self) -> list[_Ticket]:
        """Under `_syncing` alone: others write on meanwhile. The tickets to settle."""
        with self._writing:
            batch, self._unsynced = self._unsynced, []
            retired, fd, size = self._retired.copy(), self._fd, self._size
            due = bool(batch) and fd >= 0 and size > self._synced  # else an earlier sync has done it
        error: BaseException | None = None
        try:
            for old in retired:
                _sync(old)
            if due:
                _sync(fd)
        except OSError as failure:
            error = storage_error(failure, self._folder.parent.parent)
        except BaseException as failure:
            error = _interrupted(failure)
            raise
        finally:
            with self._writing:
                if error is not None and self._fd == fd and self._size == size:
                    self._retire(truncate_to=self._promised)
                elif due and error is None and self._fd == fd:
                    self._synced, self._promised = size, max(self._promised, size)
                self._close_retired(retired)
            for ticket in batch:
                ticket.error = error
                ticket.done = True
        return batch

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._fd >= 0 and (self._size >= self._rotate_bytes or os.fstat(self._fd).st_nlink == 0):
            self._rotate()
        if self._fd < 0:
            self._open_next()
        written = os.write(self._fd, data)
        if written < len(data):  # a short write: the next one says why
            view = memoryview(data)
            while written < len(view):
                written += os.write(self._fd, view[written:])
        self._size += written

    def _rotate(self) -> None:
        """The new file is locked before the old lock goes, so that the owner never sees a living writer without one."""
        old = self._fd
        self._open_next()
        self._retired.append(old)

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
        self._fd, self._name, self._size, self._synced, self._promised = fd, name, 0, 0, 0

    def _retire(self, *, truncate_to: int | None = None) -> None:
        """End the current file; the next line begins another. A torn line must not be joined by the next one, nor one that was refused stay."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        self._retired.append(fd)
        if truncate_to is not None:
            with suppress(OSError):  # the owner stops at the last complete line anyhow
                os.ftruncate(fd, truncate_to)

    def _close_retired(self, files: list[int] | None = None) -> None:
        """Only under `_syncing`: another file might get the number while it is synced."""
        for fd in self._retired.copy() if files is None else files:
            self._retired.remove(fd)
            os.close(fd)

    def forked(self) -> None:
        """In a child: the file, the queue and the thread are the parent's. Closing our copy does not release its lock."""
        for fd in (*self._retired, self._fd):
            if fd >= 0:
                os.close(fd)
        self._begin()


def _interrupted(cause: BaseException) -> StoreError:
    error = StoreError("interrupted while writing")
    error.__cause__ = cause
    return error


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
