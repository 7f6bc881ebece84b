"""The filters of expressions: those of Jinja that only read, and ours. Imports Jinja."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import pass_environment
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import make_attrgetter

from nbflow.core.errors import ExpressionError

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_SIZE = 10_000_000
"""Characters or items in what one operation of an expression makes."""

_MAX_DIGITS = 30
_HASHES = ("sha256", "sha1", "sha512", "md5", "blake2b")
_OF_JINJA = """
    abs capitalize count d default dictsort filesizeformat first float groupby int items last length list lower map max min reject rejectattr
    reverse select selectattr sort string striptags sum title trim truncate unique upper urlencode wordcount
"""


def check_size(size: int) -> None:
    """Raises ExpressionError before something is made that is too big."""
    if size > MAX_SIZE:
        msg = f"the result would have {size:,} characters or items; an expression makes at most {MAX_SIZE:,}"
        raise ExpressionError(msg)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """`text.replace`, measured first."""
    text = str(text)
    times = text.count(old)
    check_size(len(text) + (times if count < 0 else min(times, count)) * (len(new) - len(old)))
    return text.replace(old, new, count)


def join_texts(separator: str, items: Iterable[str]) -> str:
    """`separator.join`, measured first."""
    texts = list(items)
    check_size(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@pass_environment
def join(environment: Environment, items: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    """Texts of the items with `d` between them."""
    if attribute is not None:
        items = map(make_attrgetter(environment, attribute), items)
    return join_texts(str(d), map(str, items))


def round_(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Jinja's `round` for up to 30 digits."""
    if abs(precision) > _MAX_DIGITS:
        msg = f"round takes at most {_MAX_DIGITS} digits"
        raise ExpressionError(msg)
    return JINJA_FILTERS["round"](value, precision, method)


def search(value: Any, query: str) -> Any:
    """What a JMESPath query (jmespath.org) finds."""
    import jmespath
    from jmespath.visitor import Options, TreeInterpreter

    class Reader(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
        """Asks only mappings for fields; jmespath itself calls `.get` of any object."""

        def visit_field(self, node: dict[str, Any], value: Any) -> Any:
            return value.get(node["value"]) if isinstance(value, Mapping) else None

    return Reader(Options(dict_cls=dict)).visit(jmespath.compile(query).parsed, _plain(value))


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON text. Frames become lists of records, times ISO 8601, NaN null."""
    import orjson

    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(_plain(value), default=_jsonable, option=options).decode()


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text."""
    import orjson

    return orjson.loads(text)


def b64(value: Any) -> str:
    """Base64 of bytes or of a text's UTF-8."""
    return base64.b64encode(_bytes(value)).decode()


def digest(value: Any, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of bytes, of a text's UTF-8, or of a value's JSON."""
    if algorithm not in _HASHES:
        msg = f"hash knows {', '.join(_HASHES)}, not {algorithm!r}"
        raise ExpressionError(msg)
    return hashlib.new(algorithm, _bytes(value), usedforsecurity=False).hexdigest()


def date_text(value: Any, layout: str = "%Y-%m-%d", zone: str | None = None, **shift: float) -> str:
    """A time in another form: `now | date("%d.%m.%Y", zone="Europe/Berlin", days=-1)`. Takes times, ISO 8601 texts, seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    if not isinstance(value, date):
        msg = f"date takes a time, an ISO 8601 text or seconds since 1970, not {type(value).__name__}"
        raise ExpressionError(msg)
    value += timedelta(**shift)
    if zone is not None:
        if not isinstance(value, datetime):
            msg = "a date has no time of day, so it cannot move to another time zone"
            raise ExpressionError(msg)
        value = value.astimezone(ZoneInfo(zone))
    return str(value.strftime(layout))


def money(value: Any, currency: str = "", digits: int = 2) -> str:
    """An amount for people, halves rounded up: 1234.5 in "EUR" is `1,234.50 EUR`."""
    if not 0 <= digits <= _MAX_DIGITS:
        msg = f"money takes 0 to {_MAX_DIGITS} digits"
        raise ExpressionError(msg)
    amount = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return f"{amount:,f} {currency}".rstrip()


def _escape(value: Any) -> str:
    return escape(str(value))


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else to_json(value)).encode()


def _plain(value: Any) -> Any:
    """Lists and objects of what other filters give one by one, or of a frame."""
    if isinstance(value, str | bytes | Mapping | list | tuple) or value is None:
        return dict(value) if isinstance(value, Mapping) and type(value) is not dict else value
    if hasattr(value, "columns"):
        return _records(value)
    return list(value) if isinstance(value, Iterable) else value


def _jsonable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return b64(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "item") and hasattr(value, "dtype") and not hasattr(value, "__len__"):
        return value.item()
    plain = _plain(value)
    if plain is value:
        msg = f"a {type(value).__name__} has no JSON form"
        raise TypeError(msg)
    return plain


def _records(frame: Any) -> list[Any]:
    """Rows of an Arrow table, a polars or a pandas DataFrame."""
    for method in ("to_pylist", "to_dicts"):
        if hasattr(frame, method):
            return list(getattr(frame, method)())
    return list(frame.to_dict("records"))


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: JINJA_FILTERS[name] for name in _OF_JINJA.split()},
    "b64": b64,
    "date": date_text,
    "e": _escape,
    "escape": _escape,
    "fromjson": from_json,
    "hash": digest,
    "jmespath": search,
    "join": join,
    "json": to_json,
    "money": money,
    "replace": replace,
    "round": round_,
    "tojson": to_json,
}
