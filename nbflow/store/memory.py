"""The store that forgets: the same tables and the same ingest, no files. The double for tests, and NBFLOW_STORE=memory."""

from __future__ import annotations

import uuid
from concurrent.futures import Future
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import finalize

from nbflow.core.redaction import redactor
from nbflow.store.artifacts import journal_lines
from nbflow.store.interface import PruneReport, Rows, StoreStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    import pyarrow as pa

    from nbflow.store.artifacts import Artifacts
    from nbflow.store.journal import Position
    from nbflow.store.owner import Owner

_FILE = "memory.000001.ndjson"
_BUFFER_BYTES = 2**20


class MemoryStore:
    """See `Store`. Nothing outlives the object; artifacts lie in a temporary folder until then."""

    def __init__(self) -> None:
        from nbflow.store.owner import Owner

        folder = Path(mkdtemp(prefix="nbflow-"))
        self._owner = Owner(None, artifacts=folder, mode="memory")
        self._buffer = bytearray()
        self._lock = Lock()
        self._release = finalize(self, _remove, folder)

    @property
    def artifacts(self) -> Artifacts:
        """See Store."""
        return self._owner.artifacts

    def append(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> None:  # noqa: ARG002  (nothing here is durable)
        """See Store."""
        lines = journal_lines(records, self.artifacts)
        with self._lock:
            self._buffer += lines
        if len(self._buffer) > _BUFFER_BYTES:
            self._take_in()

    def _take_in(self) -> Owner:
        """Appending costs microseconds and taking in milliseconds, so that waits for whoever reads."""
        with self._lock:
            lines = bytes(self._buffer)
            self._buffer.clear()
            if lines:
                self._owner.ingest(_FILE, lines)
        return self._owner

    def submit(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> Future[None]:  # noqa: ARG002  (as above)
        """See Store."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        try:
            self.append(records)
        except Exception as error:  # noqa: BLE001  (the future carries it)
            future.set_exception(error)
        else:
            future.set_result(None)
        return future

    def position(self) -> Position | None:
        """See Store. There is no journal."""
        return None

    def follow(self, position: Position) -> None:
        """See Store. No other process writes here."""

    def follow_all(self) -> None:
        """See Store. No other process writes here."""

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 30) -> Rows:
        """See Store."""
        columns, rows = self._take_in().rows(sql, params, timeout_s)
        return Rows(columns=tuple(name for name, _ in columns), rows=rows)

    def table(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 300) -> pa.Table:
        """See Store."""
        return self._take_in().arrow_table(sql, params, timeout_s)

    def transact(self, statements: Sequence[tuple[str, Sequence[Any] | Mapping[str, Any]]], *, timeout_s: float = 30) -> None:  # noqa: ARG002
        """See Store."""
        if redactor.active:
            statements = [(statement, redactor.definition(params)) for statement, params in statements]
        self._take_in().transact(statements, str(uuid.uuid4()))

    def prune(
        self,
        older_than: timedelta | None = None,
        keep_executions: int | None = None,
        max_bytes: int | None = None,
        *,
        compact: bool | None = None,
    ) -> PruneReport:
        """See Store."""
        return self._take_in().prune(older_than, keep_executions, max_bytes, compact=compact)

    def generation(self) -> int:
        """See Store."""
        return self._owner.changes

    def status(self) -> StoreStatus:
        """See Store."""
        return self._take_in().status()

    def warm(self) -> None:
        """See Store."""
        self._owner.open()

    def close(self) -> None:
        """See Store. Everything is gone then."""
        self._owner.close()
        self._release()


def _remove(folder: Path) -> None:
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)
