"""The DuckDB file, opened: settings, schema, connections. Only an owner has one."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import StoreBusyError, StoreError
from nbflow.store import sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

CATALOG = "nbflow"
_DYING_S = 0.5  # a killed owner may lose its election lock a moment before it loses the file
_HELD_BY = re.compile(r"held in (.*?) ?\(PID (\d+)\)")


class Database:
    """One open store. `path` None keeps everything in memory. Opens on construction.

    Raises StoreBusyError when another program holds the file, StoreError when it is broken or newer than this nbflow.
    """

    def __init__(self, path: Path | None, spill: Path | None = None) -> None:
        import duckdb

        self.path = path
        self._root = duckdb.connect(":memory:", config=_settings(spill))
        try:
            self._root.execute("SET TimeZone = 'UTC'")  # a bare TIMESTAMP is then UTC on every machine
            self._attach(str(path) if path else ":memory:")
            self._root.execute(f"USE {CATALOG}")
            self.schema_version = migrate(self._root)
            # From here on no SQL can touch a file, load an extension or change a setting.
            self._root.execute("SET enable_external_access = false")
            self._root.execute("SET lock_configuration = true")
        except BaseException:
            self._root.close()
            raise

    def _attach(self, target: str) -> None:
        import duckdb

        # Both supported DuckDB versions can open v1.0.0; a file in 2.0's own format is unreadable to 1.5.
        version = " (STORAGE_VERSION 'v1.0.0')" if self.path else ""
        deadline = time.monotonic() + _DYING_S
        while True:
            try:
                self._root.execute(f"ATTACH '{quoted(target)}' AS {CATALOG}{version}")
            except duckdb.IOException as error:
                failure = _opening_error(error, target)
                if not isinstance(failure, StoreBusyError) or time.monotonic() > deadline:
                    raise failure from error
                time.sleep(0.02)
            else:
                return

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection for one thread; close it after use."""
        connection = self._root.cursor()
        connection.execute(f"USE {CATALOG}")
        return connection

    def blocks(self) -> tuple[int, int]:
        """Bytes that the file's blocks take, and how many of them are free."""
        row = self._root.execute(
            f"SELECT block_size * total_blocks, block_size * free_blocks FROM pragma_database_size() WHERE database_name = '{CATALOG}'"
        ).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file."""
        self._root.execute(f"FORCE CHECKPOINT {CATALOG}")

    def close(self) -> None:
        """Release the file."""
        self._root.close()


def _settings(spill: Path | None) -> dict[str, str | bool | int | float | list[str]]:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,  # a history never goes to the network
        "autoload_known_extensions": False,
        "python_enable_replacements": False,  # the owner's variables are nobody's tables
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    return settings


def quoted(text: str) -> str:
    """For the few places where SQL takes no parameter."""
    return text.replace("'", "''")


def _opening_error(error: Exception, target: str) -> StoreError:
    text = str(error)
    if "lock" in text.lower():
        held = _HELD_BY.search(text)
        by = f" ({held[1]}, PID {held[2]})" if held else ""
        return StoreBusyError(f"{target} is open in another program{by}; close it there. Nothing is lost: runs are still recorded in the journal")
    return StoreError(f"{target} cannot be opened: {text}")


def migrate(connection: duckdb.DuckDBPyConnection, *, fresh_from_schema: bool = True) -> int:
    """Bring the schema up to date; the number of the last migration.

    A new store takes schema.sql at once; `fresh_from_schema=False` makes it take every migration instead. Raises StoreError
    when the store is newer than this nbflow.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, applied_at TIMESTAMP)")
    done = {int(row[0]) for row in connection.execute("SELECT version FROM schema_migrations").fetchall()}
    scripts = sql.migrations()
    if unknown := done - scripts.keys():
        msg = f"this store was written by a newer nbflow (schema {max(unknown)}, this one knows {max(scripts)}): upgrade nbflow"
        raise StoreError(msg)
    with transaction(connection):
        if not done and fresh_from_schema:
            connection.execute(sql.read("schema.sql"))
        for version, script in scripts.items():
            if version in done:
                continue
            if done or not fresh_from_schema:
                connection.execute(script)
            connection.execute("INSERT INTO schema_migrations VALUES (?, now())", [version])
    return max(scripts)


class transaction:  # noqa: N801  (reads as a statement)
    """BEGIN .. COMMIT, and always ROLLBACK after an error: in DuckDB 2 a COMMIT after an error commits nothing and says nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, read_only: bool = False) -> None:
        self._connection = connection
        self._begin = "BEGIN TRANSACTION READ ONLY" if read_only else "BEGIN TRANSACTION"

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._connection.execute(self._begin)
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise
        else:
            self._rollback()

    def _rollback(self) -> None:
        import duckdb

        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:  # the error already ended the transaction
            return


def describe(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """Every column, type and default of every table and view, and every enum: two stores with equal answers have equal schemas."""
    for name in ("columns", "views", "enums", "constraints"):
        yield from connection.execute(sql.statements("schema_check.sql")[name]).fetchall()
