"""The store of a project, shared by all its processes: writes go to this process's journal, reads to the owner."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreBusyError, StoreError
from nbflow.core.redaction import redactor
from nbflow.store.address import owner_card
from nbflow.store.artifacts import Artifacts, journal_lines
from nbflow.store.interface import PruneReport, Rows, StoreStatus
from nbflow.store.journal import Journal, Position
from nbflow.store.journals import Journals
from nbflow.store.project import ProjectFolder, find_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import timedelta

    import pyarrow as pa


_GRACE_S = 2.0  # for the answer to arrive after the owner's own time limit
_TRY_EVERY_S = 0.01
_START_EVERY_S = 1.0
_MAINTENANCE_S = 3600.0


class SharedStore:
    """See `Store`. `start_owner` makes one that others can reach too; it returns at once and does nothing where one lives."""

    def __init__(self, root: Path | None = None, *, start_owner: Callable[[ProjectFolder], None] | None = None) -> None:
        self.folder = ProjectFolder(root=root or find_project()).make()
        self.artifacts = Artifacts(self.folder.artifacts)
        self._changes = str(self.folder.changes)
        self._journal = Journal(self.folder.journals)
        self._start_owner = start_owner or start_daemon
        self._idle: list[socket.socket] = []
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._started_at = -_START_EVERY_S
        self._followed: dict[str, Position] = {}  # by file, until the owner has come there

    # Writing ----------------------------------------------------------------------------------------

    def append(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> None:
        """See Store."""
        self._journal.append(journal_lines(records, self.artifacts), durable=durable)

    def submit(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> Future[None]:
        """See Store."""
        return self._journal.submit(journal_lines(records, self.artifacts), durable=durable)

    def position(self) -> Position | None:
        """See Store."""
        return self._journal.position()

    def follow(self, position: Position) -> None:
        """See Store."""
        self._followed[position.file] = position

    def follow_all(self) -> None:
        """See Store."""
        journals = Journals(self.folder.journals)
        for file in journals.files():
            self.follow(Position(file=file, offset=journals.size(file)))

    # Reading ----------------------------------------------------------------------------------------

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 30) -> Rows:
        """See Store."""
        from nbflow.store.wire import tag, untag_rows

        rows: list[tuple[Any, ...]] = []

        def take(message: dict[str, Any]) -> bool:
            rows.extend(untag_rows(message["rows"], message["tagged"]))
            return bool(message["more"])

        request = {"op": "query", "sql": sql, "params": tag(_params(params)), "timeout_s": timeout_s}
        answer = self._call(request, timeout_s, take=take, forget=rows.clear)
        return Rows(columns=tuple(answer["columns"]), rows=rows)

    def table(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 300) -> pa.Table:
        """See Store. The result lies in a file that has no name any more; its pages are read as they are needed."""
        from pyarrow import ipc, memory_map

        from nbflow.store.wire import tag

        answer = self._call({"op": "table", "sql": sql, "params": tag(_params(params)), "timeout_s": timeout_s}, timeout_s)
        file = Path(answer["file"])
        try:
            return ipc.open_file(memory_map(str(file))).read_all()
        finally:
            file.unlink(missing_ok=True)

    # Changing ---------------------------------------------------------------------------------------

    def transact(self, statements: Sequence[tuple[str, Sequence[Any] | Mapping[str, Any]]], *, timeout_s: float = 30) -> None:
        """See Store."""
        from nbflow.store.wire import tag

        if redactor.active:
            statements = [(statement, redactor.definition(_params(params))) for statement, params in statements]
        tagged = [(statement, tag(_params(params))) for statement, params in statements]
        self._call({"op": "transact", "statements": tagged, "id": str(uuid.uuid4())}, timeout_s)

    def generation(self) -> int:
        """See Store."""
        try:
            return os.stat(self._changes).st_mtime_ns  # noqa: PTH116 -- asked at every request, and a Path makes its text anew each time
        except FileNotFoundError:
            return 0

    def prune(
        self,
        older_than: timedelta | None = None,
        keep_executions: int | None = None,
        max_bytes: int | None = None,
        *,
        compact: bool | None = None,
    ) -> PruneReport:
        """See Store."""
        older_than_s = older_than.total_seconds() if older_than is not None else None
        request = {"op": "prune", "older_than_s": older_than_s, "keep_executions": keep_executions, "max_bytes": max_bytes, "compact": compact}
        return PruneReport(**self._call(request, _MAINTENANCE_S))

    def status(self) -> StoreStatus:
        """See Store."""
        return StoreStatus(**self._call({"op": "status"}, 30))

    def warm(self) -> None:
        """See Store."""
        if (connection := self._try_connect()) is None:
            self._start()
        else:
            self._keep(connection)

    def close(self) -> None:
        """See Store."""
        self._journal.close()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # Asking the owner -------------------------------------------------------------------------------

    def _call(
        self,
        request: dict[str, Any],
        timeout_s: float,
        *,
        take: Callable[[dict[str, Any]], bool] = lambda _: False,
        forget: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Ask until there is an answer: an owner killed in the middle is replaced and asked again. Raises StoreBusyError after `timeout_s`.

        `take` gets each message and tells whether another follows; `forget` undoes that when an owner was lost in the middle.
        """
        from nbflow.store import wire
        from nbflow.store.sql import migrations

        request["schema"] = max(migrations())
        if position := self._journal.position():
            request["position"] = asdict(position)
        followed = list(self._followed.items())
        request["followed"] = [asdict(position) for _, position in followed]
        deadline = time.monotonic() + timeout_s
        while True:
            connection = self._connect(deadline)
            try:
                connection.settimeout(max(0.1, deadline - time.monotonic()) + _GRACE_S)
                wire.send(connection, request)
                message = wire.receive(connection)
                while "error" not in message and take(message):
                    message = wire.receive(connection)
            except TimeoutError:
                connection.close()
                raise self._no_answer(timeout_s) from None
            except OSError:  # the owner went away
                connection.close()
                forget()
                time.sleep(_TRY_EVERY_S)
                continue
            except BaseException:  # an interrupt: an answer that nobody waits for may still be on its way
                connection.close()
                raise
            self._keep(connection)
            for file, position in followed:
                if self._followed.get(file) is position:
                    self._followed.pop(file, None)
            wire.raise_error(message)
            return message

    def _connect(self, deadline: float) -> socket.socket:
        if self._pid != os.getpid():  # forked: the sockets are the parent's
            self._pid, self._idle, self._lock = os.getpid(), [], threading.Lock()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        started = time.monotonic()
        while True:
            connection = self._try_connect()
            if connection is not None:
                return connection
            self._start()
            if time.monotonic() > deadline:
                raise self._no_answer(time.monotonic() - started)
            time.sleep(_TRY_EVERY_S)

    def _try_connect(self) -> socket.socket | None:
        path = owner_card(self.folder).get("socket")
        if not isinstance(path, str):
            return None
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(1.0)  # a full backlog answers at once; nothing here takes longer
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        return connection

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            self._idle.append(connection)

    def _start(self) -> None:
        now = time.monotonic()
        if now - self._started_at >= _START_EVERY_S:
            self._started_at = now
            if not self.folder.home.is_dir():
                msg = f"the project folder {self.folder.root} is gone"
                raise StoreError(msg)
            self._start_owner(self.folder)

    def _no_answer(self, seconds: float) -> StoreBusyError:
        pid = owner_card(self.folder).get("pid")
        who = f"its owner, process {pid}, is stopped or overloaded" if pid else f"no owner is up yet; if that lasts, {self.folder.log} says why"
        return StoreBusyError(f"the store gave no answer in {seconds:.1f} s: {who}. Nothing is lost: runs are still recorded in the journal")


def _params(params: Sequence[Any] | Mapping[str, Any]) -> list[Any] | dict[str, Any]:
    return dict(params) if hasattr(params, "keys") else list(params)


def start_daemon(folder: ProjectFolder) -> None:
    """Start the owner as a process of its own session; it ends at once where another one lives."""
    package = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))}
    for name in ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "COVERAGE_PROCESS_START", "NBFLOW_KEY"):  # it opens no credential
        environment.pop(name, None)
    process = subprocess.Popen(  # noqa: S603  (this Python, our own module)
        [sys.executable, "-m", "nbflow.store.daemon", str(folder.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment,
    )
    threading.Thread(target=process.wait, name="nbflow-start", daemon=True).start()  # it forks and ends at once
