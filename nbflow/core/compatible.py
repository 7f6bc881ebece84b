"""Whether a value of one annotated type may go where another is expected. In doubt, yes: only what surely fails is refused."""

from __future__ import annotations

import types
import typing
from collections.abc import AsyncIterable, Awaitable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

_NUMBERS: Mapping[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}
_COLLECTED = (Awaitable, AsyncIterable, Iterator)  # the engine may hand on what they give, not themselves
_COMPARED = frozenset({list, set, frozenset, dict, Sequence, Mapping, Iterable})  # whose arguments say what is inside


def accepts(wanted: Any, produced: Any) -> bool:
    """False when no value annotated `produced` can be one annotated `wanted`. None means unknown."""
    try:
        return _accepts_cached(wanted, produced)
    except TypeError:  # unhashable annotations, such as Annotated with a list
        return _accepts(wanted, produced)


def item_of(annotation: Any) -> Any:
    """The type of one item of an annotated list; None when it does not say."""
    arguments = typing.get_args(annotation)
    return arguments[0] if typing.get_origin(annotation) in {list, set, frozenset, Sequence, Iterable} and len(arguments) == 1 else None


def name_of(annotation: Any) -> str:
    """As a user wrote it, nearly: `list[int]`, `DataFrame`."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return "None" if annotation is types.NoneType else annotation.__name__
    return str(annotation).replace("typing.", "")


def _accepts(wanted: Any, produced: Any) -> bool:
    return any(_one_accepts(some, other) for some in _members(wanted) for other in _members(produced))


_accepts_cached = lru_cache(maxsize=1024)(_accepts)


def _members(annotation: Any) -> list[Any]:
    """The alternatives of a union, a Literal, an alias; else the annotation alone."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return [member for part in typing.get_args(annotation) for member in _members(part)]
    if origin is typing.Literal:
        return [type(value) for value in typing.get_args(annotation)]
    if hasattr(annotation, "__supertype__"):  # NewType
        return _members(annotation.__supertype__)
    if typing.is_typeddict(annotation):
        return [dict]
    return [annotation]


def _one_accepts(wanted: Any, produced: Any) -> bool:
    wanted_class, produced_class = _class_of(wanted), _class_of(produced)
    if wanted_class is None or produced_class is None:
        return True
    if produced_class in _NUMBERS.get(wanted_class, ()):
        return True
    try:
        related = issubclass(produced_class, wanted_class) or issubclass(wanted_class, produced_class)
    except TypeError:
        return True
    if not related:
        return False
    inner_wanted, inner_produced = typing.get_args(wanted), typing.get_args(produced)
    if {wanted_class, produced_class} <= _COMPARED and len(inner_wanted) == len(inner_produced):
        return all(map(accepts, inner_wanted, inner_produced))
    return True


def _class_of(annotation: Any) -> type | None:
    """The class that a value has at run time; None when that is unknown."""
    if annotation is None or annotation is Any:
        return None
    origin = typing.get_origin(annotation) or annotation
    if not isinstance(origin, type) or origin is object or getattr(origin, "_is_protocol", False) or origin in _COLLECTED:
        return None
    return None if issubclass(origin, _COLLECTED) else origin
