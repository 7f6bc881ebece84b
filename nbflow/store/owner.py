"""The owner of one database: takes in journals, answers queries, runs transactions, prunes. Wherever it runs, there is one per project."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbflow.store import reading, retention
from nbflow.store.artifacts import Artifacts
from nbflow.store.database import Database, transaction
from nbflow.store.ingest import SLICE_BYTES, Ingester
from nbflow.store.interface import PruneReport, StoreStatus
from nbflow.store.journals import Journals, writer_of
from nbflow.store.orphans import end_executions_of, writers_with_unended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from nbflow.store.journal import Position
    from nbflow.store.project import ProjectFolder

_MOSTLY = 0.5
_SHRINK_ROUNDS = 8
_FORGOTTEN_S = 3600.0
_LET_OTHERS_S = 0.001  # between two slices; a lock that is taken again at once is never given away


class Owner:
    """`folder` None keeps all in memory, with artifacts under `artifacts`. Methods may be called from any thread.

    The file is opened at the first need, and again at each need while another program holds it (StoreBusyError meanwhile).
    """

    def __init__(self, folder: ProjectFolder | None, *, artifacts: Path | None = None, mode: str = "shared") -> None:
        self.folder = folder
        self.mode = mode
        self.changes = 0  # transactions done
        self._write = threading.RLock()  # one ingest, transaction or prune at a time
        self._state = threading.Condition()  # readers keep a compaction waiting, and the other way round
        self._readers = 0
        self._closed_to_readers = False
        self._database: Database | None = None
        self._ingester: Ingester | None = None
        self._ready = self._opening = False
        self._journals = Journals(folder.journals) if folder else None
        place = folder.artifacts if folder else artifacts
        assert place is not None  # noqa: S101  (one of the two is given)
        self.artifacts = Artifacts(place)

    # Opening and closing ----------------------------------------------------------------------------

    def open(self) -> Database:
        """The database. The first time, executions of writers that went before are looked at. Raises StoreBusyError."""
        if self._ready and (database := self._database) is not None:
            return database  # without the lock: a reader need not wait for a long backlog
        with self._write:
            if self._database is None:
                folder = self.folder
                database = Database(folder.database if folder else None, folder.spill if folder else None)
                self._ingester = Ingester(database)
                self._database = database
            if not self._ready and not self._opening:
                self._opening = True
                try:
                    self._look_back()
                    self._ready = True
                finally:
                    self._opening = False
            return self._database

    def _look_back(self) -> None:
        """What happened while there was no owner."""
        if self.folder is None or self._journals is None or self._database is None:
            return
        self._journals.sweep()
        for file in self.folder.exchange.glob("*.arrow"):
            if time.time() - file.stat().st_mtime > _FORGOTTEN_S:  # its client was killed before it could read it
                file.unlink(missing_ok=True)
        self._take_all()
        self._end_lost(writers_with_unended(self._database))

    def close(self) -> None:
        """Let go of the file when the last reader is done."""
        with self._write, self._without_readers():
            database, self._database, self._ingester, self._ready = self._database, None, None, False
            if database is not None:
                database.close()

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        while True:
            database = self.open()
            with self._state:
                self._state.wait_for(lambda: not self._closed_to_readers)
                if self._database is database:
                    self._readers += 1
                    break
        try:
            yield database
        finally:
            with self._state:
                self._readers -= 1
                self._state.notify_all()

    @contextmanager
    def _without_readers(self) -> Iterator[None]:
        with self._state:
            self._closed_to_readers = True
            self._state.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            with self._state:
                self._closed_to_readers = False
                self._state.notify_all()

    # Taking in --------------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Take in what journals have that is new, end the executions of writers that are gone, remove files that are done.

        Whether a writer is alive or anything was found. Raises StoreBusyError, and duckdb's errors for a full disk.
        """
        if self._journals is None:
            return False
        self.open()
        found = self._take_all()
        files = self._journals.files()
        for writer in {writer_of(file) for file in files}:
            if self._journals.is_alive(writer):
                found = True
                self._remove_sealed([file for file in files if writer_of(file) == writer][:-1])
            else:
                self._end_lost({writer})
        return found

    def catch_up(self, position: Position | None) -> None:
        """Take in at least everything up to `position`, so that its writer reads its own writes."""
        if position is None or self._journals is None:
            return
        with self._write:
            self.open()
            assert self._ingester is not None  # noqa: S101  (open made it)
            if self._ingester.offsets.get(position.file, 0) >= position.offset:
                return
            writer = writer_of(position.file)
            for file in self._journals.files():
                if writer_of(file) == writer and file <= position.file:
                    self._take(file)

    def ingest(self, file: str, data: bytes) -> None:
        """Take in complete lines that never were in a file."""
        with self._write:
            self.open()
            assert self._ingester is not None  # noqa: S101  (open made it)
            self._ingester.take(file, data)

    def _take_all(self) -> bool:
        assert self._journals is not None  # noqa: S101  (callers know)
        taken = [self._take(file) for file in self._journals.files()]
        return any(taken)

    def _take(self, file: str) -> bool:
        """All complete lines that a file has now; whether there were any. The lock is let go between slices: others are waiting.

        What comes meanwhile is left for the next time: under load there is always something, and a slice of few lines costs as much as one of many.
        """
        assert self._journals is not None  # noqa: S101  (callers know)
        end, found = self._journals.size(file), False
        while self._offset(file) < end and self._take_slice(file):
            found = True
            time.sleep(_LET_OTHERS_S)
        return found

    def _offset(self, file: str) -> int:
        ingester = self._ingester
        return ingester.offsets.get(file, 0) if ingester is not None else 0

    def _take_slice(self, file: str) -> bool:
        assert self._journals is not None  # noqa: S101  (callers know)
        with self._write:
            self.open()
            assert self._ingester is not None  # noqa: S101  (open made it)
            offset = self._ingester.offsets.get(file, 0)
            if self._journals.size(file) <= offset:
                return False
            return self._ingester.take(file, self._journals.read(file, offset, SLICE_BYTES)) > 0  # 0: a torn last line

    def _end_lost(self, writers: set[str]) -> None:
        """For writers that are gone: their last lines, their unended executions, their files."""
        assert self._journals is not None  # noqa: S101  (callers know)
        for writer in writers:
            if self._journals.is_alive(writer):
                continue
            with self._write:
                files = [file for file in self._journals.files() if writer_of(file) == writer]
                for file in files:  # after the writer was seen gone: nothing can follow
                    self._take(file)
                end_executions_of(self.open(), writer)
                self._remove_sealed(files)

    def _remove_sealed(self, files: Sequence[str]) -> None:
        assert self._ingester is not None  # noqa: S101  (callers opened)
        assert self._journals is not None  # noqa: S101  (callers know)
        for file in files:
            with self._write:
                self._take(file)
                self._journals.remove(file)
                self._ingester.forget(file)

    # Answering --------------------------------------------------------------------------------------

    def rows(self, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        """Columns (name, type) and rows of a user's query."""
        with self._reading() as database:
            return reading.rows(database, query, params, timeout_s)

    def arrow_file(self, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float, target: Path) -> None:
        """The result of a user's query as an Arrow IPC file."""
        with self._reading() as database:
            reading.arrow_file(database, query, params, timeout_s, target)

    def arrow_table(self, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float) -> Any:
        """The result of a user's query as a pyarrow.Table."""
        with self._reading() as database:
            return reading.arrow_table(database, query, params, timeout_s)

    def transact(self, statements: Sequence[tuple[str, Sequence[Any] | Mapping[str, Any]]], request_id: str) -> None:
        """All statements in one transaction, once per `request_id`."""
        import duckdb

        with self._write:
            connection = self.open().connection()
            try:
                with transaction(connection):
                    if connection.execute("SELECT 1 FROM applied_requests WHERE request_id = ?", [request_id]).fetchone():
                        return
                    for statement, params in statements:
                        connection.execute(statement, params or None)
                    connection.execute("INSERT INTO applied_requests VALUES (?, now())", [request_id])
            except duckdb.Error as error:
                raise reading.query_error(error) from error
            finally:
                connection.close()
            self._tell_change()

    def _tell_change(self) -> None:
        self.changes += 1
        if self.folder is not None:
            self.folder.changes.touch(mode=0o600)
            os.utime(self.folder.changes, ns=(time.time_ns(), time.time_ns()))  # the file system's own clock ticks in milliseconds

    def status(self) -> StoreStatus:
        """Sizes and versions."""
        import duckdb

        with self._reading() as database:
            connection = database.connection()
            try:
                counts = [
                    int((connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0])
                    for table in ("workflow_executions", "execution_logs", "quarantine")
                ]
            finally:
                connection.close()
            blocks, free = database.blocks()
            return StoreStatus(
                mode=self.mode,
                project=str(self.folder.root) if self.folder else "",
                database_bytes=self._database_bytes() or blocks,
                free_bytes=free,
                journal_bytes=self._journals.total_bytes() if self._journals else 0,
                artifact_bytes=self.artifacts.total_bytes(),
                executions=counts[0],
                nodes=counts[1],
                quarantined=counts[2],
                owner_pid=os.getpid(),
                duckdb_version=duckdb.__version__,
                schema_version=database.schema_version,
            )

    def _database_bytes(self) -> int:
        if self.folder is None:
            return 0
        paths = (self.folder.database, self.folder.database.with_name(self.folder.database.name + ".wal"))
        return sum(path.stat().st_size for path in paths if path.exists())

    def _total_bytes(self) -> int:
        blocks, _ = self.open().blocks()
        return (self._database_bytes() or blocks) + (self._journals.total_bytes() if self._journals else 0) + self.artifacts.total_bytes()

    # Pruning ----------------------------------------------------------------------------------------

    def prune(self, older_than: timedelta | None, keep_executions: int | None, max_bytes: int | None, *, compact: bool | None) -> PruneReport:
        """See Store.prune."""
        with self._write:
            database = self.open()
            self.poll()
            bytes_before, nodes_before = self._total_bytes(), retention.count_nodes(database)
            removed = retention.Removed()
            if older_than is not None:
                removed += retention.remove(database, "by_age", {"before": retention.before(older_than)})
            if keep_executions is not None:
                removed += retention.remove(database, "by_count", {"keep": keep_executions})
            artifacts = self._settle(removed)
            if compact is None:
                blocks, free = database.blocks()
                # Rows removed from a block that keeps others free nothing that DuckDB would count.
                compact = free > _MOSTLY * blocks or removed.nodes > _MOSTLY * nodes_before
            compacted = compact and self._compact()
            if max_bytes is not None and self._total_bytes() > max_bytes:
                more, files = self._shrink(max_bytes, compacted=compacted)
                removed, artifacts, compacted = removed + more, artifacts + files, self.folder is not None
            return PruneReport(
                executions=removed.executions,
                nodes=removed.nodes,
                artifacts=artifacts,
                bytes_before=bytes_before,
                bytes_after=self._total_bytes(),
                compacted=compacted,
            )

    def _settle(self, removed: retention.Removed) -> int:
        """After rows went: the files they needed, and the blocks; the number of files."""
        files = retention.remove_artifacts(self.open(), self.artifacts, removed.digests)
        self.open().checkpoint()
        return files

    def _shrink(self, max_bytes: int, *, compacted: bool) -> tuple[retention.Removed, int]:
        """Compact, and while that is not enough remove the oldest; a few rounds, since executions differ in size."""
        total, files = retention.Removed(), 0
        if not compacted:
            self._compact()
        for _ in range(_SHRINK_ROUNDS):
            used = self._total_bytes()
            if used <= max_bytes:
                break
            removed = retention.remove(self.open(), "oldest_share", {"share": max(0.02, 1 - max_bytes / used)})
            if not removed.executions:
                break
            files += self._settle(removed)
            total += removed
            self._compact()
        return total, files

    def _compact(self) -> bool:
        if self.folder is None or self._database is None:
            return False
        with self._without_readers():
            self._database.close()
            self._database = self._ingester = None
            self._ready = False
            retention.compact(self.folder.database)
            self.open()
        return True
