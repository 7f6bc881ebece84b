"""A user's SQL: one statement, that only reads, for a limited time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import QueryError, StoreBusyError
from nbflow.store.database import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from nbflow.store.database import Database

_READS = {"SELECT", "EXPLAIN"}
_PIVOT = {"MULTI", "CREATE"}  # how DuckDB 2 and 1.5 name what a PIVOT without IN becomes
_ZONED = "TIMESTAMP WITH TIME ZONE"


@contextmanager
def reading(database: Database, query: str, timeout_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in a read-only transaction for one query. DuckDB's errors leave as QueryError with DuckDB's own words."""
    import duckdb

    connection = database.connection()
    late = threading.Event()

    def stop() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    try:
        check(connection, query)
        with transaction(connection, read_only=True):
            yield connection
    except duckdb.InterruptException as error:
        msg = f"the query did not finish in {timeout_s:g} s; give it longer with timeout_s="
        raise StoreBusyError(msg) from error
    except duckdb.Error as error:
        if late.is_set():
            msg = f"the query did not finish in {timeout_s:g} s; give it longer with timeout_s="
            raise StoreBusyError(msg) from error
        raise query_error(error) from error
    finally:
        timer.cancel()
        timer.join()  # an interrupt after the close would be a crash
        connection.close()


def check(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise QueryError unless `query` is one statement that reads. The read-only transaction holds what this cannot see."""
    found = connection.extract_statements(query)
    kinds = [statement.type.name for statement in found]
    if not kinds:
        msg = "the SQL is empty"
        raise QueryError(msg)
    if (
        query.lstrip().lower().startswith(("pivot", "from", "with", "select"))
        and set(kinds) <= _READS | _PIVOT
        and len({s.query for s in found}) == 1
    ):
        return
    if len(kinds) > 1:
        msg = f"give one statement at a time; these are {len(kinds)}"
        raise QueryError(msg)
    if kinds[0] not in _READS:
        word = kinds[0].replace("_", " ")
        msg = f"nbflow's history is read-only: {word} statements are refused; SELECT, FROM, WITH, DESCRIBE, SUMMARIZE and EXPLAIN work"
        raise QueryError(msg)


def query_error(error: Exception) -> QueryError:
    """DuckDB's message, with its candidates for a misspelt name, and nothing of ours."""
    text = str(error)
    if "read-only mode" in text:
        return QueryError("nbflow's history is read-only: this statement would write")
    if "disabled by configuration" in text or "configuration has been locked" in text:
        return QueryError(f"SQL on nbflow's history reads its own tables only, no files and no settings: {text}")
    return QueryError(text)


def rows(
    database: Database, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float
) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """The columns (name, DuckDB type) and all rows."""
    with reading(database, query, timeout_s) as connection:
        connection.execute(query, params or None)
        columns = [(str(item[0]), str(item[1])) for item in connection.description or ()]
        if not any(_ZONED in kind for _, kind in columns):
            return columns, connection.fetchall()
    # DuckDB's own way to a TIMESTAMPTZ needs pytz; Arrow's does not.
    answer = arrow_table(database, query, params, timeout_s)
    return columns, list(zip(*(column.to_pylist() for column in answer.columns), strict=True))


def arrow_file(database: Database, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float, target: Path) -> None:
    """The whole result as an Arrow IPC file, batch by batch."""
    import pyarrow as pa

    with reading(database, query, timeout_s) as connection:
        batches = _reader(connection, query, params)
        with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def arrow_table(database: Database, query: str, params: Sequence[Any] | Mapping[str, Any], timeout_s: float) -> Any:
    """The whole result as a pyarrow.Table."""
    with reading(database, query, timeout_s) as connection:
        return _reader(connection, query, params).read_all()


def _reader(connection: duckdb.DuckDBPyConnection, query: str, params: Sequence[Any] | Mapping[str, Any]) -> Any:
    relation = connection.sql(query, params=params or None)
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(100_000)
