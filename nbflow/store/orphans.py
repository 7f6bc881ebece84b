"""Executions that their process can no longer end: it was killed, or closed its store in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.store import sql
from nbflow.store.database import transaction

if TYPE_CHECKING:
    from nbflow.store.database import Database


def writers_with_unended(database: Database) -> set[str]:
    """The writers that unended executions belong to, alive or not."""
    connection = database.connection()
    try:
        return {str(row[0]) for row in connection.execute(sql.statements("orphans.sql")["writers"]).fetchall()}
    finally:
        connection.close()


def end_executions_of(database: Database, writer: str) -> int:
    """Mark what `writer` left behind as failed by `Interrupted`; how many. Call only when the writer is gone and fully ingested."""
    run = sql.statements("orphans.sql")
    connection = database.connection()
    try:
        with transaction(connection):
            connection.execute(run["find"], {"writer": writer})
            row = connection.execute(run["count"]).fetchone()
            if not row or not row[0]:
                return 0
            for name in ("number", "end_nodes", "tell", "end_executions"):
                connection.execute(run[name])
            return int(row[0])
    finally:
        connection.close()
