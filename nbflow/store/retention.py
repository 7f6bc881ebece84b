"""Removing old executions, and making the file as small as its content."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreError
from nbflow.store import sql
from nbflow.store.database import CATALOG, migrate, quoted, transaction

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    import duckdb

    from nbflow.store.artifacts import Artifacts
    from nbflow.store.database import Database

_UNOWNED_S = 24 * 3600.0  # an artifact without an owner this old was left by a writer that died in between
_YOUNG_S = 5.0  # the same content may just have been saved again, its record not yet in a journal


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What one step of pruning removed from the tables; `digests` are artifacts that maybe nobody needs now."""

    executions: int = 0
    nodes: int = 0
    digests: frozenset[str] = frozenset()

    def __add__(self, other: Removed) -> Removed:
        return Removed(executions=self.executions + other.executions, nodes=self.nodes + other.nodes, digests=self.digests | other.digests)


def remove(database: Database, select: str, params: dict[str, Any]) -> Removed:
    """Remove the executions that the named statement of retention.sql selects."""
    run = sql.statements("retention.sql")
    connection = database.connection()
    try:
        with transaction(connection):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE victim AS {run[select]}", params)
            executions = _count(connection.execute("SELECT count(*) FROM victim").fetchone())
            if not executions:
                return Removed()
            digests = frozenset(str(row[0]) for row in connection.execute(run["artifacts_of_victims"]).fetchall())
            nodes = _count(connection.execute(run["delete_logs"]).fetchone())
            for name in ("delete_events", "delete_artifacts", "delete_executions", "delete_requests"):
                connection.execute(run[name])
            return Removed(executions=executions, nodes=nodes, digests=digests)
    finally:
        connection.close()


def _count(row: tuple[Any, ...] | None) -> int:
    return int(row[0]) if row else 0


def count_nodes(database: Database) -> int:
    """Rows of execution_logs."""
    connection = database.connection()
    try:
        return _count(connection.execute("SELECT count(*) FROM execution_logs").fetchone())
    finally:
        connection.close()


def before(older_than: timedelta) -> datetime:
    """The moment that long ago: naive UTC, as the store keeps times."""
    return datetime.now(UTC).replace(tzinfo=None) - older_than


def remove_artifacts(database: Database, artifacts: Artifacts, lately: frozenset[str]) -> int:
    """Remove the files that no execution needs any more, `lately` or for a day; how many."""
    connection = database.connection()
    try:
        needed = {str(row[0]) for row in connection.execute(sql.statements("retention.sql")["needed_artifacts"]).fetchall()}
    finally:
        connection.close()
    now = time.time()
    removed = 0
    for digest in list(artifacts.digests()):
        if digest not in needed and artifacts.age_s(digest, now) > (_YOUNG_S if digest in lately else _UNOWNED_S):
            artifacts.delete(digest)
            removed += 1
    return removed


def compact(path: Path) -> None:
    """Rewrite the database file without its free blocks: a copy beside it, then a rename. Nobody may have the file open.

    A kill at any point leaves either the old file or the new one. Raises StoreError when there is no room for the copy.
    """
    import duckdb

    copy = path.with_suffix(".compact")
    wal = path.with_name(path.name + ".wal")
    for leftover in (copy, copy.with_name(copy.name + ".wal")):
        leftover.unlink(missing_ok=True)
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{quoted(str(path))}' AS {CATALOG}")
        connection.execute(f"FORCE CHECKPOINT {CATALOG}")
        connection.execute(f"ATTACH '{quoted(str(copy))}' AS copy (STORAGE_VERSION 'v1.0.0')")
        connection.execute("USE copy")
        migrate(connection)
        _copy_rows(connection)
        connection.execute("FORCE CHECKPOINT copy")
    except duckdb.Error as error:
        msg = f"the store could not be compacted and stays as it is: {error}"
        raise StoreError(msg) from error
    finally:
        connection.close()
    if wal.exists():  # would be replayed into the new file
        msg = "the store could not be compacted: its write-ahead log did not empty"
        raise StoreError(msg)
    _sync(copy)
    copy.replace(path)
    _sync(path.parent)


def _copy_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Every row of every table, counted on both sides: a copy that lacks one must never replace the original."""
    listed = connection.execute(f"SELECT table_name FROM duckdb_tables() WHERE database_name = '{CATALOG}' ORDER BY ALL").fetchall()
    with transaction(connection):
        for (table,) in listed:
            if table != "schema_migrations":  # the copy has its own, equal
                connection.execute(f'INSERT INTO copy.main."{table}" BY NAME SELECT * FROM {CATALOG}.main."{table}"')
    for (table,) in listed:
        counts = [_count(connection.execute(f'SELECT count(*) FROM {catalog}.main."{table}"').fetchone()) for catalog in (CATALOG, "copy")]
        if counts[0] != counts[1]:
            msg = f"the store could not be compacted and stays as it is: of {counts[0]} rows of {table}, {counts[1]} were copied"
            raise StoreError(msg)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
