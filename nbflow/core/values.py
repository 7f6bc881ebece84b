"""What is kept of a value that passed a node: a preview of at most 4 KB, made by a bounded walk that never copies the value.

Numbers and short texts stay themselves, times and the like become text. What is not plain JSON becomes an object with `$type`; what
was left out is counted by `$more`. A user's own key that begins with `$` gets a second one.
pandas, polars, pyarrow and numpy are recognised by the names of their types, never imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import islice
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

from nbflow.core.redaction import redactor

MAX_BYTES = 4096
"""Of a preview as JSON in UTF-8."""

_DEPTH = 4
_ITEMS = 20
_CHARS = 256
_KEY_CHARS = 64
_CELL_CHARS = 80
_ROWS = 5
_BUDGETS = (3600, 1800, 600)  # bytes, tried in turn: what closes the containers is not counted exactly
_RESERVED = 100  # bytes left for markers
_KNOWN_KEYS = 4096
_CONTAINERS = 100  # that the quick way copies
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1  # what JSON encoders write
_TEXTS = (date, time, timedelta, Decimal, UUID, PurePath)


def preview(value: Any) -> Any:
    """A small JSON-able picture of any value. Never raises, consumes no iterator."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return value if len(value) <= _CHARS and value.isascii() else _text(value)
    if kind is int:
        return value if _MIN_INT <= value <= _MAX_INT else _int(value)
    if kind is float:
        return _float(value)
    return _bounded(value)


def is_shown(value: Any, picture: Any) -> bool:
    """Whether the picture holds all of the value, as it is now: then it need not be made again."""
    try:
        return bool(value == picture)
    except Exception:  # noqa: BLE001 -- the value's own code, or an array that is neither true nor false
        return False


def _bounded(value: Any) -> Any:
    import orjson

    kind = type(value)
    if (kind is dict or kind is list) and not redactor.active:
        try:
            shown = _Copy().of(value, 0)
            if len(orjson.dumps(shown)) <= MAX_BYTES:
                return shown
        except Exception:  # noqa: BLE001, S110 -- not that plain, or changed meanwhile: the walk shows whatever it is
            pass
    for budget in _BUDGETS:
        try:
            shown = _Walk(budget).any(value, 0)
            if len(orjson.dumps(shown)) <= MAX_BYTES:
                return shown
        except Exception:  # noqa: BLE001, S112 -- the value's own code may raise anything; a smaller picture may still work
            continue
    return {"$type": _name(type(value))}


def _text(value: str) -> Any:
    length = str.__len__(value)
    head = _head(value, _CHARS).encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
    return head if length <= _CHARS else {"$type": "str", "length": length, "text": head}


def _head(value: str, limit: int) -> str:
    """The beginning; a secret must be taken out whole, before a cut leaves a part that nobody knows."""
    if redactor.active:
        return redactor.cut(str.__getitem__(value, slice(limit + redactor.reach)), limit)
    return str.__getitem__(value, slice(limit))


def _int(value: int) -> Any:
    value = int.__add__(value, 0)  # a plain int of a subclass
    return value if _MIN_INT <= value <= _MAX_INT else {"$type": "int", "bits": value.bit_length()}


def _float(value: float) -> Any:
    return value if isfinite(value) else {"$type": "float", "value": str(value)}


def _name(kind: type) -> str:
    """`DataFrame`, `httpx.Response`: with the top package where it is not Python's own or a notebook's."""
    module = str(getattr(kind, "__module__", "")).partition(".")[0]
    name = kind.__name__[:_KEY_CHARS].encode("utf-8", "replace").decode()
    return name if module in {"", "builtins", "__main__"} or kind in _BY_TYPE else f"{module[:_KEY_CHARS]}.{name}"


class _Walk:
    """One attempt with a budget of bytes; every visited value costs some, so the time is bounded too."""

    __slots__ = ("left",)

    def __init__(self, budget: int) -> None:
        self.left = budget

    def any(self, value: Any, depth: int) -> Any:
        """The picture of a value inside containers of that depth."""
        kind: Any = type(value)
        show = _shower(kind)
        shown = show(self, value, depth)
        if not isinstance(shown, dict | list):
            self.left -= 1 + (2 + len(shown) if type(shown) is str and shown.isascii() else 6 * len(shown) if type(shown) is str else 20)
        return shown

    def list(self, items: Iterable[Any], total: int, depth: int) -> list[Any]:
        """The first items, then how many more there are."""
        shown: list[Any] = []
        self.left -= 4
        for item in islice(items, _ITEMS):
            if self.left < _RESERVED:
                break
            shown.append(self.any(item, depth + 1))
        if total > len(shown):
            shown.append({"$more": total - len(shown)})
            self.left -= 20
        return shown

    def pairs(self, items: Iterable[tuple[Any, Any]], total: int, depth: int) -> dict[str, Any]:
        """The first entries, then how many more there are."""
        shown: dict[str, Any] = {}
        self.left -= 4
        taken = 0
        for key, item in islice(items, _ITEMS):
            if self.left < _RESERVED:
                break
            name = _key(key)
            self.left -= 4 + (len(name) if name.isascii() else 6 * len(name))
            shown[name] = self.any(item, depth + 1)
            taken += 1
        if total > taken:
            shown["$more"] = total - taken
            self.left -= 20
        return shown


class _Copy:
    """The quick way for what most nodes give: small plain JSON is its own picture. Raises ValueError for anything that the walk would change."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _CONTAINERS

    def of(self, value: Any, depth: int) -> Any:
        """A container's copy; the value itself may change before it is written down."""
        self.left -= 1
        if depth == _DEPTH or len(value) > _ITEMS or self.left < 0:
            raise ValueError
        if type(value) is list:
            return [item if type(item) is str and len(item) <= _CHARS and item.isascii() else self.item(item, depth) for item in value]
        shown = {}
        for key, item in value.items():
            if type(key) is not str or (key not in _good_keys and not _is_good(key)):
                raise ValueError
            kind = type(item)
            if kind is str and len(item) <= _CHARS and item.isascii():
                shown[key] = item
            elif kind is dict or kind is list:
                shown[key] = self.of(item, depth + 1)
            else:
                shown[key] = self.item(item, depth)
        return shown

    def item(self, item: Any, depth: int) -> Any:
        """What is no short text."""
        kind = type(item)
        if (kind is int and _MIN_INT <= item <= _MAX_INT) or (kind is float and isfinite(item)) or item is None or kind is bool:
            return item
        if kind is dict or kind is list:
            return self.of(item, depth + 1)
        raise ValueError


_good_keys: set[str] = set()  # the same few come with every request


def _is_good(key: str) -> bool:
    """Whether a key is shown as it is."""
    if len(key) > _KEY_CHARS or not key.isascii() or key[:1] == "$":
        return False
    if len(_good_keys) < _KNOWN_KEYS:
        _good_keys.add(key)
    return True


_Shower = Callable[[_Walk, Any, int], Any]


def _key(key: Any) -> str:
    if isinstance(key, str):
        name = _head(key, _KEY_CHARS).encode("utf-8", "replace").decode()
        return "$" + name if name.startswith("$") else name
    return str(key)[:_KEY_CHARS] if type(key) in {int, float, bool, type(None)} or isinstance(key, _TEXTS) else f"({_name(type(key))})"


# One function for each family of types ------------------------------------------------------------


def _show_mapping(walk: _Walk, value: Mapping[Any, Any], depth: int) -> Any:
    total = len(value)
    return walk.pairs(value.items(), total, depth) if depth < _DEPTH else {"$type": "dict", "length": total}


def _show_list(walk: _Walk, value: Any, depth: int) -> Any:
    total = len(value)
    return walk.list(value, total, depth) if depth < _DEPTH else {"$type": type(value).__name__, "length": total}


def _show_collection(walk: _Walk, value: Any, depth: int) -> Any:
    total = len(value)
    shown: dict[str, Any] = {"$type": _name(type(value)), "length": total}
    walk.left -= 40
    return shown | {"items": walk.list(value, total, depth + 1)} if depth < _DEPTH else shown


def _show_bytes(walk: _Walk, value: Any, _depth: int) -> Any:
    walk.left -= 90
    head = redactor.data(bytes(value[: 16 + redactor.reach]))[:16] if redactor.active else bytes(value[:16])
    return {"$type": type(value).__name__, "length": len(value), "hex": head.hex()}


def _show_record(walk: _Walk, value: Any, depth: int) -> Any:
    """Dataclasses, pydantic and attrs models, named tuples."""
    shown = {"$type": _name(type(value))}
    walk.left -= 20 + len(shown["$type"])
    if depth >= _DEPTH:
        return shown
    kind = type(value)
    names = next(names for mark in _RECORD_MARKS if (names := getattr(kind, mark, None)) is not None)
    names = [name if isinstance(name, str) else name.name for name in names]
    return shown | walk.pairs(((name, getattr(value, name, None)) for name in names), len(names), depth)


def _show_error(walk: _Walk, value: BaseException, depth: int) -> Any:
    walk.left -= 40
    return {"$type": _name(type(value)), "args": walk.list(value.args, len(value.args), depth + 1)}


def _show_named(walk: _Walk, value: Any, _depth: int) -> Any:
    walk.left -= _CHARS
    return {"$type": type(value).__name__, "text": str(value.__qualname__)[:_KEY_CHARS]}


def _show_other(walk: _Walk, value: Any, _depth: int) -> Any:
    """An object's own short text, unless it may stand for much data or has nothing to tell."""
    kind: Any = type(value)
    shown: dict[str, Any] = {"$type": _name(kind)}
    walk.left -= 20 + len(shown["$type"])
    if hasattr(kind, "__len__"):
        shown["length"] = len(value)
    elif kind.__repr__ is not object.__repr__ and not any(hasattr(kind, mark) for mark in ("__iter__", "__next__", "__getitem__", "__await__")):
        shown["text"] = _short(value)
        walk.left -= 6 * len(shown["text"])
    return shown


def _short(value: Any) -> str:
    return redactor.cut(repr(value), _CHARS).encode("utf-8", "replace").decode()


def _show_array(walk: _Walk, value: Any, depth: int) -> Any:
    walk.left -= 80
    shown = {"$type": type(value).__name__, "shape": [int(size) for size in value.shape[:8]], "dtype": str(value.dtype)[:_KEY_CHARS]}
    return shown | {"items": walk.list(map(_cell, islice(value.flat, _ITEMS)), int(value.size), depth + 1)}


def _show_scalar(walk: _Walk, value: Any, depth: int) -> Any:
    """A numpy scalar as Python's own."""
    plain = value.item()
    return walk.any(plain, depth) if type(plain) is not type(value) else {"$type": _name(type(value)), "text": _short(value)}


def _show_frame(walk: _Walk, value: Any, depth: int) -> Any:
    """Shape, the first columns' types, the first rows: sliced before anything looks at it."""
    if hasattr(value, "iloc"):  # pandas
        part = value.iloc[:_ROWS, :_ITEMS]
        names, dtypes = list(part.columns), list(part.dtypes)
        columns = [part.iloc[:, place].tolist() for place in range(len(names))]
    else:  # polars; Arrow tables and batches
        part = value.slice(0, _ROWS)
        schema = part.schema
        names = list(islice(schema.names if hasattr(schema, "names") and not callable(schema.names) else schema.names(), _ITEMS))
        places = [part.column(place) if hasattr(part, "column") else part.to_series(place) for place in range(len(names))]
        dtypes = [getattr(place, "dtype", None) or place.type for place in places]
        columns = [place.to_list() if hasattr(place, "to_list") else place.to_pylist() for place in places]
    rows = [dict(zip(map(_key, names), map(_cell, row), strict=True)) for row in zip(*columns, strict=True)]
    walk.left -= 60
    count, width = (int(size) for size in value.shape)
    types = ((name, str(dtype)[:_KEY_CHARS]) for name, dtype in zip(names, dtypes, strict=True))
    return {
        "$type": type(value).__name__,
        "shape": [count, width],
        "dtypes": walk.pairs(types, width, depth),
        "head": walk.list(rows, len(rows), depth),
    }


def _show_series(walk: _Walk, value: Any, depth: int) -> Any:
    part = value.iloc[:_ITEMS] if hasattr(value, "iloc") else value[:_ITEMS]
    items = part.to_pylist() if hasattr(part, "to_pylist") else part.tolist() if hasattr(part, "tolist") else part.to_list()
    dtype = getattr(value, "dtype", None)
    shown = {"$type": type(value).__name__, "length": len(value), "dtype": str(value.type if dtype is None else dtype)[:_KEY_CHARS]}
    name = getattr(value, "name", None)
    walk.left -= 60
    return shown | ({} if name is None else {"name": _key(name)}) | {"items": walk.list(map(_cell, items), len(value), depth + 1)}


def _cell(value: Any) -> Any:
    """Of a table: missing is null, long text is cut sooner."""
    if isinstance(value, str):
        return value if len(value) <= _CELL_CHARS else redactor.cut(value, _CELL_CHARS) + "\N{HORIZONTAL ELLIPSIS}"
    missing = (isinstance(value, float) and value != value) or type(value).__name__ in {"NaTType", "NAType"}  # noqa: PLR0124 -- NaN
    return None if missing else value


_RECORD_MARKS = ("__dataclass_fields__", "model_fields", "__attrs_attrs__", "_fields")

_BY_TYPE: dict[type, _Shower] = {
    type(None): lambda _walk, value, _depth: value,
    bool: lambda _walk, value, _depth: value,
    int: lambda _walk, value, _depth: _int(value),
    float: lambda _walk, value, _depth: _float(float.__add__(value, 0.0)),
    str: lambda _walk, value, _depth: _text(value),
    dict: _show_mapping,
    list: _show_list,
    tuple: _show_list,
    set: _show_collection,
    frozenset: _show_collection,
    deque: _show_collection,
    range: _show_collection,
    bytes: _show_bytes,
    bytearray: _show_bytes,
    BaseException: _show_error,
    type: _show_named,
    type(_key): _show_named,
    **dict.fromkeys(_TEXTS, lambda _walk, value, _depth: (value.isoformat() if isinstance(value, date | time) else str(value))[:_CHARS]),
}

_BY_NAME: dict[tuple[str, str], _Shower] = {
    ("numpy", "ndarray"): _show_array,
    ("numpy", "generic"): _show_scalar,
    ("pandas", "DataFrame"): _show_frame,
    ("pandas", "Series"): _show_series,
    ("pandas", "Index"): _show_series,
    ("polars", "DataFrame"): _show_frame,
    ("polars", "Series"): _show_series,
    ("pyarrow", "Table"): _show_frame,
    ("pyarrow", "RecordBatch"): _show_frame,
    ("pyarrow", "Array"): _show_series,
    ("pyarrow", "ChunkedArray"): _show_series,
}


@lru_cache(maxsize=256)
def _shower(kind: type) -> _Shower:
    bases = kind.__mro__
    if issubclass(kind, Enum):
        return lambda walk, value, depth: walk.any(value.value, depth) if not isinstance(value.value, Enum) else str(value.name)
    for base in bases:
        known = _BY_NAME.get((str(base.__module__).partition(".")[0], base.__name__))
        if known is not None:
            return known
    if any(getattr(kind, mark, None) is not None for mark in _RECORD_MARKS[:3]) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return _show_record
    for base in bases:
        if base in _BY_TYPE:
            return _BY_TYPE[base]
    return _show_mapping if issubclass(kind, Mapping) else _show_other
