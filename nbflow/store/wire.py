"""Messages between clients and the owner: four bytes of length (big-endian), then JSON.

Values that JSON lacks are tagged `{"$": kind, "v": text}`.
"""

from __future__ import annotations

import base64
import math
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbflow.core import errors

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

PROTOCOL = 1
ROWS_A_MESSAGE = 5_000
_LENGTH = struct.Struct(">I")
_LIMIT_BYTES = 2**30
_PLAIN = {"VARCHAR", "JSON", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message. Raises OSError."""
    import orjson

    data = orjson.dumps(message)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> dict[str, Any]:
    """The next message. Raises ConnectionError when the other side is gone, TimeoutError after the socket's timeout."""
    import orjson

    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > _LIMIT_BYTES:
        msg = "the other side does not speak nbflow's protocol"
        raise ConnectionError(msg)
    message: dict[str, Any] = orjson.loads(_exactly(connection, length))
    return message


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            msg = "the other side is gone"
            raise ConnectionError(msg)
        parts += part
    return bytes(parts)


def tag(value: Any) -> Any:  # noqa: C901, PLR0912  (one line a type)
    """A value as JSON. Raises QueryError for a type that SQL does not have."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else {"$": "int", "v": str(value)}
        case float():
            return value if math.isfinite(value) else {"$": "float", "v": repr(value)}
        case UUID():
            return {"$": "uuid", "v": str(value)}
        case datetime():
            return {"$": "datetime", "v": value.isoformat()}
        case date():
            return {"$": "date", "v": value.isoformat()}
        case time():
            return {"$": "time", "v": value.isoformat()}
        case timedelta():
            return {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
        case Decimal():
            return {"$": "decimal", "v": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"$": "bytes", "v": base64.b64encode(value).decode("ascii")}
        case list() | tuple():
            return [tag(item) for item in value]
        case dict():
            return {"$": "dict", "v": [[tag(key), tag(item)] for key, item in value.items()]}
    if callable(item := getattr(value, "item", None)):  # a NumPy scalar
        return tag(item())
    msg = f"a {type(value).__name__} cannot be a parameter of SQL"
    raise errors.QueryError(msg)


_UNTAG: dict[str, Any] = {
    "int": int,
    "float": float,
    "uuid": UUID,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda parts: timedelta(*parts),
    "decimal": Decimal,
    "bytes": base64.b64decode,
    "dict": lambda pairs: {untag(key): untag(item) for key, item in pairs},
}


def untag(value: Any) -> Any:
    """What `tag` was given; tuples come back as lists."""
    if isinstance(value, dict):
        return _UNTAG[value["$"]](value["v"])
    if isinstance(value, list):
        return [untag(item) for item in value]
    return value


def tagged_columns(columns: Sequence[tuple[str, str]]) -> list[int]:
    """Which columns need tags, by DuckDB type. DOUBLE does, for the sake of NaN."""
    return [index for index, (_, kind) in enumerate(columns) if kind not in _PLAIN and not kind.startswith("ENUM")]


def tag_rows(rows: Sequence[tuple[Any, ...]], tagged: Sequence[int]) -> list[list[Any]]:
    """Rows as JSON."""
    answer = [list(row) for row in rows]
    for row in answer:
        for index in tagged:
            if row[index] is not None:
                row[index] = tag(row[index])
    return answer


def untag_rows(rows: list[list[Any]], tagged: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows again, as tuples."""
    for row in rows:
        for index in tagged:
            if row[index] is not None:
                row[index] = untag(row[index])
    return [tuple(row) for row in rows]


def error_message(error: BaseException) -> dict[str, Any]:
    """An error as a message; one that is not ours leaves as StoreError."""
    known = isinstance(error, errors.StoreError)
    return {"error": type(error).__name__ if known else "StoreError", "text": str(error) if known else f"the store's owner failed: {error}"}


def raise_error(message: dict[str, Any]) -> None:
    """Raise the error in a message, if there is one."""
    if name := message.get("error"):
        kind = getattr(errors, name, errors.StoreError)
        raise kind(message["text"])
