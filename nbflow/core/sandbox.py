"""What expressions may touch: Jinja's immutable sandbox, narrowed to reading data. Imports Jinja.

Keys of mappings come before attributes (`input.items` is the key `items`). No globals; filters and methods by permission; operators that
could fill the memory are measured before they run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, ValuesView
from datetime import date, datetime, time, timedelta
from inspect import isroutine
from itertools import chain
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nbflow.core import filters
from nbflow.core.suggest import advice, listed

if TYPE_CHECKING:
    from jinja2.runtime import Context


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


METHODS: dict[type, frozenset[str]] = {
    str: _words(
        "capitalize casefold center count encode endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace "
        "istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip "
        "split splitlines startswith strip swapcase title upper zfill"
    ),
    bytes: _words("count decode endswith find hex index startswith"),
    int: _words("bit_length is_integer"),
    float: _words("is_integer as_integer_ratio"),
    datetime: _words("astimezone date isocalendar isoformat isoweekday replace strftime time timestamp utcoffset weekday"),
    date: _words("isocalendar isoformat isoweekday replace strftime weekday"),
    time: _words("isoformat replace strftime"),
    timedelta: _words("total_seconds"),
    Mapping: _words("get items keys values"),
    list: _words("count index"),
    tuple: _words("count index"),
}
"""The methods an expression may call, by the type they belong to (and its subtypes). Nothing else is called."""

_OPAQUE = (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    TracebackType,
    type,
)
_LAZY: tuple[type[Iterable[Any]], ...] = (GeneratorType, KeysView, ValuesView, ItemsView, type(reversed([])), map, filter, zip, chain)
_MAX_POWER_BITS = 10_000
_SAFE_CONVERSION = re.compile(r"%(?:%|(?:\(\w*\))?[#0\- +]{0,5}\d{0,3}(?:\.\d{0,3})?[diouxXeEfFgGcrsa])")


class Missing(StrictUndefined):
    """A name, key or attribute that is not there; says what is."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        message = str(super()._undefined_message)
        if self._undefined_hint or f"{name!r} is undefined" == message:
            return message
        return _absent(owner, name)


PLAIN = frozenset({str, int, float, bool, type(None), dict, list})
"""Types whose values may always be seen."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Reads data and cannot act."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`. Raises SecurityError for what expressions may not see."""
        if type(obj) is dict and attribute in obj and type(obj[attribute]) in PLAIN:  # almost always; the checks below cost more than the rest
            return obj[attribute]
        if isinstance(obj, Undefined):
            raise_undefined(obj)
        if isinstance(obj, Mapping):
            if attribute in obj:
                return _seen(obj[attribute], attribute)
            if attribute in METHODS[Mapping]:
                return getattr(obj, attribute)
            return self.undefined(obj=obj, name=attribute)  # a mapping is its keys: other attributes are not looked at
        if isinstance(obj, _OPAQUE) or isroutine(obj):
            raise _refused(attribute, obj)
        if attribute.startswith("_"):
            return self._column(obj, attribute)
        try:
            value = getattr(obj, attribute)
        except AttributeError:
            return self._subscript(obj, attribute)
        if isroutine(value):
            return value if _callable_method(value) else self._column(obj, attribute)
        return _seen(value, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, and the parts of `map(attribute="a.b")`."""
        if isinstance(obj, _OPAQUE) or isroutine(obj):
            raise _refused(str(argument), obj)
        if isinstance(obj, Mapping):
            found = argument in obj  # first, because a defaultdict would make the key
            return _seen(obj[argument], str(argument)) if found else self.undefined(obj=obj, name=argument)
        value = self._subscript(obj, argument)
        if isinstance(value, Undefined) and isinstance(argument, str) and not argument.startswith("_"):
            attribute = getattr(obj, argument, None)
            if attribute is not None and not isroutine(attribute):
                return _seen(attribute, argument)
        return value

    def _subscript(self, obj: Any, name: Any) -> Any:
        try:
            value = obj[name]
        except Exception:  # noqa: BLE001 -- each library has its own error for a column that is not there
            return self.undefined(obj=obj, name=name)
        return _seen(value, str(name))

    def _column(self, obj: Any, name: str) -> Any:
        """A frame may have a column that is called like a method, or begins with an underscore."""
        value = self._subscript(obj, name) if hasattr(type(obj), "columns") else self.undefined(obj=obj, name=name)
        if isinstance(value, Undefined):
            raise _refused(name, obj)
        return value

    def call(
        __self,  # noqa: N805 -- as in Jinja: no clash with keyword arguments
        __context: Context,  # noqa: PYI063
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """A method in the table, after its result's size was looked at."""
        if not _callable_method(__obj):
            if isinstance(__obj, Undefined):
                raise_undefined(__obj)
            msg = f"{_named(__obj)} cannot be called in an expression; use a filter, or a Python function as a node"
            raise SecurityError(msg)
        guard = _GUARDS.get(__obj.__name__)
        if guard is not None and isinstance(__obj.__self__, str):
            return guard(__obj.__self__, *args, **kwargs)
        return __obj(*args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`*`, `**` and `%`, refused when the result would be huge."""
        if operator == "*":
            for some, times in ((left, right), (right, left)):
                if isinstance(some, str | bytes | bytearray | list | tuple) and isinstance(times, int):
                    filters.check_size(len(some) * times)
        elif operator == "**":
            _check_power(left, right)
        elif isinstance(left, str | bytes | bytearray):
            text = left if isinstance(left, str) else left.decode("latin-1")
            if "%" in _SAFE_CONVERSION.sub("", text):
                msg = "this % format is not available; widths have at most three digits"
                raise SecurityError(msg)
        return super().call_binop(context, operator, left, right)


def raise_undefined(value: Undefined) -> NoReturn:
    """Jinja gives undefined values back and raises late; here they end the evaluation."""
    raise UndefinedError(value._undefined_message)  # noqa: SLF001 -- Jinja's only door to the message


def listed_if_lazy(value: Any) -> Any:
    """The list of what a filter or a mapping's view would give one by one."""
    if isinstance(value, _LAZY):
        items = list(value)
        for item in items:
            if isinstance(item, Undefined):
                raise_undefined(item)
        return items
    return value


def _seen(value: Any, name: str) -> Any:
    if isroutine(value) or (isinstance(value, _OPAQUE) and not isinstance(value, GeneratorType)):
        msg = f"'{name}' is {_named(value)}; expressions read data only"
        raise SecurityError(msg)
    return value


def _refused(name: str, owner: Any) -> SecurityError:
    if isinstance(owner, _OPAQUE):
        return SecurityError(f"{_named(owner)} cannot be looked into; expressions read data only")
    if name.startswith("_"):
        return SecurityError(f"'{name}' begins with an underscore; expressions cannot see private names")
    return SecurityError(
        f"'{name}' is a method of {type(owner).__name__}, which expressions cannot call; use a filter, or a Python function as a node"
    )


def _named(value: Any) -> str:
    if isinstance(value, type):
        return "a class"
    if isinstance(value, ModuleType):
        return "a module"
    return "a function" if isroutine(value) else f"a {type(value).__name__}"


def _callable_method(value: Any) -> bool:
    if not isinstance(value, BuiltinFunctionType | MethodType):
        return False
    owner, name = value.__self__, value.__name__
    return any(isinstance(owner, kind) and name in names for kind, names in METHODS.items())


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and abs(base).bit_length() * exponent > _MAX_POWER_BITS:
        msg = f"a power may have at most {_MAX_POWER_BITS:,} bits"
        raise SecurityError(msg)


def _absent(owner: Any, name: Any) -> str:
    """Why there is no `owner[name]`, and what there is."""
    if owner is None:
        return f"there is no {name!r} because the value before it is None"
    if isinstance(owner, Mapping):
        return f"there is no {name!r}{advice(str(name), owner)}" if owner else f"there is no {name!r}; the object is empty"
    if isinstance(owner, list | tuple):
        if isinstance(name, int):
            return f"there is no item {name}; the list has {len(owner)}"
        return f"a list has no {name!r}; take one of its items, as in [0].{name}, or map(attribute={name!r})"
    columns = getattr(owner, "columns", None)
    if columns is not None and hasattr(columns, "__iter__"):
        return f"the {type(owner).__name__} has no column {name!r}; its columns are {listed(columns)}"
    public = [known for known in dir(owner) if not known.startswith("_")]
    hint = advice(str(name), public)
    return f"{type(owner).__name__} has no {name!r}{hint if 'mean' in hint else ''}"


def _padded(method: str) -> Callable[..., str]:
    def pad(text: str, width: int, *fill: str) -> str:
        filters.check_size(width)
        padded: str = getattr(text, method)(width, *fill)
        return padded

    return pad


_GUARDS: dict[str, Callable[..., Any]] = {
    "replace": filters.replace,
    "join": filters.join_texts,
    **{name: _padded(name) for name in ("center", "ljust", "rjust", "zfill")},
}


def _sandbox() -> Sandbox:
    sandbox = Sandbox(undefined=Missing, optimized=False, cache_size=0)
    sandbox.globals.clear()
    sandbox.filters = filters.FILTERS
    return sandbox


SANDBOX = _sandbox()
