"""Nested JSON values made flat, made nested again, and merged. Values that stay are shared with the input, containers are new."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from nbflow.core.errors import InputError


def merge(first: Any, second: Any, *, deep: bool, lists: Literal["replace", "concat", "by_key"], key: str) -> Any:
    """`second` over `first`. None at the top counts as nothing given."""
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        result = dict(first)
        for name, value in second.items():
            both = deep and name in result
            result[name] = _inner(result[name], value, lists=lists, key=key) if both else value
        return result
    return _inner(first, second, lists=lists, key=key)


def _inner(first: Any, second: Any, *, lists: Literal["replace", "concat", "by_key"], key: str) -> Any:
    """Below the top, None is a value like any other."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return merge(first, second, deep=True, lists=lists, key=key)
    if isinstance(first, list) and isinstance(second, list) and lists != "replace":
        return [*first, *second] if lists == "concat" else _by_key(first, second, key)
    return second


def _by_key(first: list[Any], second: list[Any], key: str) -> list[Any]:
    result = list(first)
    places: dict[Any, int] = {}
    for index, item in enumerate(first):
        places[_identity(item, key)] = index
    for item in second:
        place = places.get(_identity(item, key))
        if place is None:
            result.append(item)
        else:
            result[place] = merge(result[place], item, deep=True, lists="by_key", key=key)
    return result


def _identity(item: Any, key: str) -> Any:
    if not isinstance(item, Mapping) or key not in item:
        msg = f"merging lists by key needs records with the field '{key}', this is {item!r:.80}"
        raise InputError(msg)
    return item[key]


def flatten(record: Mapping[str, Any], *, separator: str = ".", max_depth: int | None = None, keep_lists: bool = False) -> dict[str, Any]:
    """`{"a": {"b": [1]}}` as `{"a.b.0": 1}`. Empty containers stay values; so does what lies deeper than `max_depth` names.

    A separator or backslash inside a name is escaped with a backslash, a name of a mapping that looks like a list's number too, so that
    `unflatten` gives the same value back.
    """
    result: dict[str, Any] = {}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), record)]
    while waiting:
        names, value = waiting.pop()
        is_list = isinstance(value, list) and not keep_lists
        if (names and (max_depth is not None and len(names) >= max_depth)) or not (isinstance(value, Mapping) or is_list) or not value:
            if names:
                result[separator.join(names)] = value
            continue
        parts = (
            [(str(index), item) for index, item in enumerate(value)]
            if is_list
            else [(_escaped(str(name), separator), item) for name, item in value.items()]
        )
        waiting.extend(((*names, name), item) for name, item in reversed(parts))
    return result


def _escaped(name: str, separator: str) -> str:
    """A backslash before each backslash, and before each sign at which a separator could be seen, one that begins in the name's end included."""
    followed = name + separator
    marks = ("\\" if sign == "\\" or followed.startswith(separator, place) else "" for place, sign in enumerate(name))
    text = "".join(mark + sign for mark, sign in zip(marks, name, strict=True))
    return "\\" + text if text.isdecimal() else text


def unflatten(record: Mapping[str, Any], *, separator: str = ".") -> dict[str, Any]:
    """The reverse of `flatten`. Raises InputError when one key is a value and a container at once (`a` and `a.b`)."""
    root: dict[str, Any] = {}
    made: dict[tuple[str, ...], dict[str, Any]] = {(): root}  # containers of ours, by path; everything else is a value
    for key, value in record.items():
        path = _split(str(key), separator)
        for length in range(1, len(path)):
            part = path[:length]
            if part not in made:
                if part[-1] in made[part[:-1]]:
                    msg = f"'{separator.join(part)}' is a value, so '{key}' cannot be inside it"
                    raise InputError(msg)
                made[part] = made[part[:-1]][part[-1]] = {}
        if path in made or path[-1] in made[path[:-1]]:
            msg = f"'{key}' is given as a value and as a container"
            raise InputError(msg)
        made[path[:-1]][path[-1]] = value
    for path in sorted(made, key=len, reverse=True):  # innermost first
        container = made[path]
        numbers = [str(number) for number in range(len(container))]
        if path and container and container.keys() == set(numbers):
            made[path[:-1]][path[-1]] = [container[number] for number in numbers]
        else:
            plain = {_unescaped(name): value for name, value in container.items()}
            container.clear()
            container.update(plain)
    return root


def _split(key: str, separator: str) -> tuple[str, ...]:
    """Names as written, escapes kept: an escaped number is no list's number."""
    parts, place, start = [], 0, 0
    while place < len(key):
        if key[place] == "\\":
            place += 2
        elif key.startswith(separator, place):
            parts.append(key[start:place])
            place = start = place + len(separator)
        else:
            place += 1
    return (*parts, key[start:])


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL)
