"""What the parts of the directory share: named statements of accounts.sql, and times with their zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbflow.store.sql import statements

if TYPE_CHECKING:
    from nbflow.store.interface import Store

Statement = tuple[str, dict[str, Any]]


class Stored:
    """Reads and writes accounts in a store. Every method blocks (a socket and DuckDB: about a millisecond)."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _rows(self, name: str, /, **params: Any) -> list[dict[str, Any]]:
        return [{column: _aware(value) for column, value in row.items()} for row in self.store.query(*statement(name, **params)).dicts()]


def statement(name: str, /, **params: Any) -> Statement:
    """A statement of accounts.sql with what it binds."""
    return statements("accounts.sql")[name], {key: _plain(value) for key, value in params.items()}


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def _plain(value: Any) -> Any:
    """As the store wants it: ids as text, times naive."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
