"""The store as everything above it sees it: three implementations, one conformance suite (tests/store/test_conformance.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import timedelta

    import pyarrow as pa

    from nbflow.store.artifacts import Artifacts
    from nbflow.store.journal import Position


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The answer to a query, in the order that the query asked for.

    Values are Python's own: UUID, naive UTC datetime for TIMESTAMP, timedelta for INTERVAL, Decimal, str for JSON and enums.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def dicts(self) -> list[dict[str, Any]]:
        """One dict a row, by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """What the store is and how large it is."""

    mode: str  # shared, inline or memory
    project: str  # the folder that holds .nbflow/; empty in memory
    database_bytes: int  # the file and its write-ahead log, on disk
    free_bytes: int  # of database_bytes, reusable at once and given back by compaction
    journal_bytes: int
    artifact_bytes: int
    executions: int
    nodes: int  # rows of execution_logs
    quarantined: int  # journal lines that could not be understood
    owner_pid: int
    duckdb_version: str
    schema_version: int  # the number of the last migration


@dataclass(frozen=True, kw_only=True)
class PruneReport:
    """What `prune` removed, and what the store took on disk before and after (database, journals, artifacts)."""

    executions: int
    nodes: int
    artifacts: int
    bytes_before: int
    bytes_after: int
    compacted: bool


class Store(Protocol):
    """A project's history. Every method may be called from any thread.

    Raises StoreReadOnlyError when the folder refuses writing, StoreBusyError when the owner does not answer in time or another
    program holds the file, StoreError for a full disk or a vanished folder.
    """

    @property
    def artifacts(self) -> Artifacts:
        """Values too large for a row, by content."""

    def append(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> None:
        """Write records (see ingest.sql for their kinds), in order. On return they survive kill -9 and, with `durable`, a power cut.

        Never waits for the owner or for a query. After an error the records may or may not be there.
        """

    def submit(self, records: Sequence[Mapping[str, Any]], *, durable: bool = True) -> Future[None]:
        """Like `append`, without waiting: the future is done when the records are durable or, without `durable`, written (often at once).

        Order is kept, also with `append`.
        """

    def position(self) -> Position | None:
        """How far the records of this store object have come in its journal; None when there are none, or no journal."""

    def follow(self, position: Position) -> None:
        """From now on this object's queries see what another process has written up to there, as they see its own."""

    def follow_all(self) -> None:
        """The same for everything that any process has written until now: for people, who have just seen another process answer."""

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 30) -> Rows:
        """Read. Sees everything that this store object has appended or submitted before. `?` and `$name` bind `params`.

        Raises QueryError for SQL that is wrong, writes, or touches files; StoreBusyError when there is no answer in `timeout_s`.
        """

    def table(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, timeout_s: float = 300) -> pa.Table:
        """Like `query`, as Arrow: for results of more than some thousand rows."""

    def transact(self, statements: Sequence[tuple[str, Sequence[Any] | Mapping[str, Any]]], *, timeout_s: float = 30) -> None:
        """All statements, in order, in one transaction, done once even if the owner is killed in the middle. Our own SQL only, never a user's.

        Raises QueryError when one fails; then none is done.
        """

    def generation(self) -> int:
        """Another number after each `transact` of any process; asking costs about a microsecond. Appended records do not count."""

    def status(self) -> StoreStatus:
        """Sizes and versions, now."""

    def prune(
        self,
        older_than: timedelta | None = None,
        keep_executions: int | None = None,
        max_bytes: int | None = None,
        *,
        compact: bool | None = None,
    ) -> PruneReport:
        """Remove ended executions: those accepted longer ago than `older_than`, all but the newest `keep_executions`, the oldest until
        the store fits in `max_bytes`. Whatever is still running stays.

        `compact` makes the file on disk as small as its content; None does so when more than half of it is free
        or was removed just now, or when `max_bytes` needs it.
        """

    def warm(self) -> None:
        """Start the owner if there is none, without waiting: the next query is then quick."""

    def close(self) -> None:
        """Write what is queued and let go. Executions that this store recorded and that have not ended are then taken for interrupted."""
