"""Values that leave the process: plain JSON values and bytes, whole (a `preview` is small and lossy), and their text form.

Tables become lists of records; times, decimals and the like their usual texts; anything else its `str`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from math import isfinite
from typing import Any

_BYTES = "$bytes"
_ESCAPED = "$"  # a user's own key that begins with this gets a second one
_DEPTH = 100  # of containers in each other; deeper ones become text
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1  # what JSON encoders write
_PLAIN = frozenset({str, bool, type(None), bytes})


def portable(value: Any, _depth: int = 0) -> Any:
    """Nested dicts with text keys, lists, text, numbers, booleans, None and bytes. Not finite numbers become None, as in JSON."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if _MIN_INT <= value <= _MAX_INT else str(value)
    if kind is float:
        return value if isfinite(value) else None
    if _depth > _DEPTH:
        return str(value)
    if kind is dict or isinstance(value, Mapping):
        return {key if type(key) is str else str(key): portable(item, _depth + 1) for key, item in value.items()}
    if kind is list or isinstance(value, list | tuple | set | frozenset):
        return [portable(item, _depth + 1) for item in value]
    return _other(value, _depth)


def _other(value: Any, depth: int) -> Any:
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Enum):
        return portable(value.value, depth + 1)
    if isinstance(value, str | int | float):  # subclasses
        return portable(next(plain(value) for plain in (str, bool, int, float) if isinstance(value, plain)), depth + 1)
    if _is_a("pandas", "NaTType", value) or _is_a("pandas", "NAType", value):  # NaT calls itself a date
        return None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    plain = _unpacked(value)
    return str(value) if plain is value else portable(plain, depth + 1)


def _unpacked(value: Any) -> Any:
    """Tables, arrays, models and dataclasses as what they hold; anything else itself. Recognised by what they can do, nothing is imported."""
    if callable(dump := getattr(value, "model_dump", None)):
        return dump()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if _is_a("pandas", "DataFrame", value):
        return [dict(zip(map(str, value.columns), row, strict=True)) for row in value.itertuples(index=False, name=None)]
    for name in ("to_pylist", "to_dicts", "to_list", "tolist"):  # pyarrow, polars, Series of both kinds, NumPy
        if callable(convert := getattr(value, name, None)) and not isinstance(value, type):
            return convert()
    return list(value) if isinstance(value, Iterable) and callable(getattr(value, "__len__", None)) else value


def _is_a(package: str, name: str, value: object) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in type(value).__mro__)


def dump(value: Any) -> bytes:
    """JSON that `load` reads back: bytes are tagged, a portable value is the same afterwards."""
    import orjson

    try:
        data = orjson.dumps(value)
    except TypeError:  # bytes, lone surrogates, what is not portable
        data = orjson.dumps(tagged(portable(value)))
    else:
        if b'"$' in data:
            data = orjson.dumps(tagged(value))
    return data


def load(data: bytes | str) -> Any:
    """What `dump` was given. Raises ValueError for what is no JSON."""
    import orjson

    return untagged(orjson.loads(data))


def tagged(value: Any) -> Any:
    """A portable value as JSON values: bytes as `{"$bytes": base64}`."""
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {f"{_ESCAPED}{key}" if key.startswith(_ESCAPED) else key: tagged(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tagged(item) for item in value]
    return value


def untagged(value: Any) -> Any:
    """The value again."""
    if isinstance(value, dict):
        if len(value) == 1 and _BYTES in value:
            return base64.b64decode(value[_BYTES])
        return {key[1:] if key.startswith(_ESCAPED) else key: untagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [untagged(item) for item in value]
    return value
