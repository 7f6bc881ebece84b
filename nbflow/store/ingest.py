"""Journal bytes into rows: exactly once, whatever the bytes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.store import sql
from nbflow.store.database import transaction

if TYPE_CHECKING:
    import duckdb

    from nbflow.store.database import Database

SLICE_BYTES = 8 * 2**20  # about 25,000 rows a commit; larger gains nothing and makes readers wait
_EVENTS = {"accepted", "started", "node_started", "finished"}
_CHANGES = {"accepted", "started", "node", "finished"}
_KEPT_OF_A_BAD_LINE = 20_000  # characters


class Ingester:
    """Takes slices of journals. One thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = sql.statements("ingest.sql")
        connection = database.connection()
        self.offsets: dict[str, int] = {str(file): int(off) for file, off in connection.execute(self._sql["all_offsets"]).fetchall()}
        connection.close()

    def take(self, file: str, data: bytes) -> int:
        """Ingest the complete lines of `data`, which begins at the file's offset; the bytes taken (a torn last line is left).

        A line that cannot be understood goes to `quarantine`. Any other error (disk full) leaves the rest for later and is raised.
        """
        end = data.rfind(b"\n") + 1
        if end:
            self._take_lines(file, [line + b"\n" for line in data[: end - 1].split(b"\n")])
        return end

    def _take_lines(self, file: str, lines: list[bytes]) -> None:
        """Halve a slice that holds a bad line until the line is alone. Depth is at most log2 of the lines."""
        import duckdb

        bad = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.OutOfRangeException)
        try:
            self._commit(file, lines)
        except bad as error:
            if len(lines) == 1:
                self._set_aside(file, lines[0], str(error))
                return
            middle = len(lines) // 2
            self._take_lines(file, lines[:middle])
            self._take_lines(file, lines[middle:])

    def _commit(self, file: str, lines: list[bytes]) -> None:
        off = self.offsets.get(file, 0)
        end = off + sum(map(len, lines))
        text = b"".join(lines).decode("utf-8", "replace").rstrip("\n")
        writer = file.partition(".")[0]
        connection = self._database.connection()
        run = self._sql
        try:
            with transaction(connection):
                connection.execute(run["stage"], {"lines": text})
                kinds = {row[0] for row in connection.execute(run["kinds"]).fetchall()}
                if None in kinds:
                    connection.execute(run["quarantine_unknown"], {"file": file, "off": off})
                for kind, name in (("flow", "insert_flows"), ("artifact", "insert_artifacts")):
                    if kind in kinds:
                        connection.execute(run[name])
                if kinds & _EVENTS:
                    connection.execute(run["insert_events"])
                if kinds & _CHANGES:
                    self._change_executions(connection, writer)
                if "node" in kinds:
                    connection.execute(run["insert_logs"])
                self._move(connection, file, end)
        finally:
            connection.close()
        self.offsets[file] = end

    def _change_executions(self, connection: duckdb.DuckDBPyConnection, writer: str) -> None:
        """Only the statements that find something to do: planning one takes 1 to 5 ms, whatever it finds."""
        run = self._sql
        connection.execute(run["fold"])
        new, known, incomplete = connection.execute(run["known"]).fetchone() or (0, 0, 0)
        if known:
            connection.execute(run["update_executions"], {"writer": writer})
        if incomplete:
            connection.execute(run["complete_executions"])
            connection.execute(run["complete_logs"])
        if new:
            connection.execute(run["insert_executions"], {"writer": writer})

    def _move(self, connection: duckdb.DuckDBPyConnection, file: str, off: int) -> None:
        moved = connection.execute(self._sql["move_offset"], {"file": file, "off": off}).fetchall()
        if not moved:
            connection.execute(self._sql["first_offset"], {"file": file, "off": off})

    def _set_aside(self, file: str, line: bytes, error: str) -> None:
        off = self.offsets.get(file, 0)
        text = line.decode("utf-8", "replace").rstrip("\n")[:_KEPT_OF_A_BAD_LINE]
        connection = self._database.connection()
        try:
            with transaction(connection):
                connection.execute(self._sql["quarantine_line"], {"file": file, "off": off, "line": text, "error": error[:2000]})
                self._move(connection, file, off + len(line))
        finally:
            connection.close()
        self.offsets[file] = off + len(line)

    def forget(self, file: str) -> None:
        """The file is gone: its offset is needed no more."""
        connection = self._database.connection()
        try:
            with transaction(connection):
                connection.execute(self._sql["forget_offset"], {"file": file})
        finally:
            connection.close()
        self.offsets.pop(file, None)
