"""The owner behind a Unix socket: one server per project, wherever it runs (its own process, or a thread for `inline`)."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import threading
import time
import traceback
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreBusyError, StoreError
from nbflow.store import sql, wire
from nbflow.store.address import listening_path
from nbflow.store.journal import Position
from nbflow.store.owner import Owner

if TYPE_CHECKING:
    from nbflow.store.project import ProjectFolder

_POLL_S = 0.25  # a query asks for its own writes anyhow
_LONGEST_POLL_S = 2.0
_SHARE = 0.1  # of the time that rounds may take: planning one costs 20 ms and more, whether it brings 10 rows or 10,000
_NICENESS = 5  # a third of the weight of other threads
_RETRY_S = 0.5  # while another program holds the file, or the disk is full


class OwnerServer:
    """Serve one project until stopped, idle, or its folder vanishes."""

    def __init__(self, folder: ProjectFolder, *, mode: str = "shared", idle_s: float | None = None) -> None:
        self.folder = folder
        self._idle_s = idle_s
        self._owner = Owner(folder, mode=mode)
        self._stopping = threading.Event()
        self._lock_fd = -1
        self._listener: socket.socket | None = None
        self._path = Path()
        self._busy = 0
        self._last_request = time.monotonic()
        self._last_complaint = ""

    # Election ---------------------------------------------------------------------------------------

    def elect(self) -> bool:
        """Become the owner; False when somebody else is."""
        fd = os.open(self.folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _is_elected(self) -> bool:
        """Whether our lock file is still the project's: the folder may have been removed, or removed and made again."""
        try:
            return os.path.samestat(self.folder.lock.stat(), os.fstat(self._lock_fd))
        except OSError:
            return False

    # Serving ----------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Open the socket and leave the card that tells clients where it is."""
        self._path = listening_path(self.folder)
        self._path.unlink(missing_ok=True)  # we hold the lock: it is a dead owner's
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen(128)
        card = {"pid": os.getpid(), "socket": str(self._path), "schema": max(sql.migrations()), "protocol": wire.PROTOCOL}
        hidden = self.folder.card.with_suffix(".tmp")
        hidden.write_text(json.dumps(card))
        hidden.replace(self.folder.card)
        threading.Thread(target=self._accept, args=(self._listener,), name="nbflow-accept", daemon=True).start()

    def run(self) -> None:
        """Poll the journals until it is time to end. Bad data or a full disk never ends it."""
        _give_way()
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            if not self._is_elected():
                break
            wait_s = self._poll()
        self._end()

    def _poll(self) -> float:
        """One round; the seconds until the next. Under load there are fewer rounds with more in each: measured, a quarter of the time for a row."""
        began = time.monotonic()
        try:
            if self._owner.poll():
                self._last_request = time.monotonic() if self._idle_s is None else max(self._last_request, time.monotonic() - self._idle_s / 2)
        except StoreBusyError as error:
            self._complain(str(error))
            return _RETRY_S
        except Exception:  # noqa: BLE001  (whatever it is, queries must get an answer and the next round may do better)
            self._complain(traceback.format_exc())
            return _RETRY_S
        if self._idle_s is not None and not self._busy and time.monotonic() - self._last_request > self._idle_s:
            self._stopping.set()
        return min(max(_POLL_S, (time.monotonic() - began) / _SHARE), _LONGEST_POLL_S)

    def _complain(self, text: str) -> None:
        if text != self._last_complaint:  # every half second the same: once is enough
            self._last_complaint = text
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def stop(self) -> None:
        """End after the round that is going on."""
        self._stopping.set()

    def _end(self) -> None:
        """The socket goes before the lock: who is elected next finds a clean place."""
        if self._listener is not None:
            self._listener.close()
            if self._is_elected():
                self._path.unlink(missing_ok=True)
                self.folder.card.unlink(missing_ok=True)
        with suppress(Exception):  # the folder may be gone
            self._owner.close()
        os.close(self._lock_fd)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: the end
                return
            threading.Thread(target=self._serve, args=(connection,), name="nbflow-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    request = wire.receive(connection)
                except (OSError, ValueError):
                    return
                if request["schema"] > max(sql.migrations()):
                    self.stop()  # a newer nbflow takes over
                if self._stopping.is_set() or not self._is_elected():
                    return  # the client tries again and finds the next owner
                self._busy += 1
                try:
                    self._answer(connection, request)
                except OSError:  # the client is gone
                    return
                finally:
                    self._busy -= 1
                    self._last_request = time.monotonic()

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        try:
            for position in filter(None, (request.get("position"), *request.get("followed", ()))):
                self._owner.catch_up(Position(**position))
            _OPERATIONS[request["op"]](self, connection, request)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  (every failure is an answer)
            if not isinstance(error, StoreError):
                self._complain(traceback.format_exc())
            wire.send(connection, wire.error_message(error))

    # Operations -------------------------------------------------------------------------------------

    def _query(self, connection: socket.socket, request: dict[str, Any]) -> None:
        columns, rows = self._owner.rows(request["sql"], wire.untag(request["params"]), request["timeout_s"])
        tagged = wire.tagged_columns(columns)
        head = {"columns": [name for name, _ in columns], "tagged": tagged}
        for start in range(0, max(len(rows), 1), wire.ROWS_A_MESSAGE):
            part = wire.tag_rows(rows[start : start + wire.ROWS_A_MESSAGE], tagged)
            wire.send(connection, {**head, "rows": part, "more": start + wire.ROWS_A_MESSAGE < len(rows)})

    def _table(self, connection: socket.socket, request: dict[str, Any]) -> None:
        target = self.folder.exchange / f"{uuid.uuid4()}.arrow"
        try:
            self._owner.arrow_file(request["sql"], wire.untag(request["params"]), request["timeout_s"], target)
            wire.send(connection, {"file": str(target)})
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _transact(self, connection: socket.socket, request: dict[str, Any]) -> None:
        self._owner.transact([(statement, wire.untag(params)) for statement, params in request["statements"]], request["id"])
        wire.send(connection, {})

    def _status(self, connection: socket.socket, request: dict[str, Any]) -> None:  # noqa: ARG002  (all operations are called alike)
        from dataclasses import asdict

        wire.send(connection, asdict(self._owner.status()))

    def _prune(self, connection: socket.socket, request: dict[str, Any]) -> None:
        from dataclasses import asdict

        older = timedelta(seconds=request["older_than_s"]) if request["older_than_s"] is not None else None
        report = self._owner.prune(older, request["keep_executions"], request["max_bytes"], compact=request["compact"])
        wire.send(connection, asdict(report))

    def _hello(self, connection: socket.socket, request: dict[str, Any]) -> None:  # noqa: ARG002
        wire.send(connection, {"pid": os.getpid()})


def _give_way() -> None:
    """Taking in goes after what people wait for, their queries too (threads of their own): nobody waits for it, and who does takes in by himself."""
    if sys.platform == "linux":  # only there a thread has a priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_OPERATIONS: dict[str, Any] = {
    "query": OwnerServer._query,  # noqa: SLF001  (its own methods)
    "table": OwnerServer._table,  # noqa: SLF001
    "transact": OwnerServer._transact,  # noqa: SLF001
    "status": OwnerServer._status,  # noqa: SLF001
    "prune": OwnerServer._prune,  # noqa: SLF001
    "hello": OwnerServer._hello,  # noqa: SLF001
}
