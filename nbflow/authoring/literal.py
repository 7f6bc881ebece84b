"""Values of a document as Python, and `{{ expressions }}` as the variables that they mean."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from nbflow.authoring.formatting import WIDTH, Code, Group, Item, Text, block, call, quoted

if TYPE_CHECKING:
    from datetime import timedelta

Symbol = Callable[[str, str, tuple[str | int, ...]], str | None]
"""Root (`params`, `nodes`, `item`, `index`), name and path of an expression -> the Python that stands for it; None keeps the text."""

DEEPEST = 60
"""Lists in lists; Python's parser ends at 200 brackets."""

_EXPRESSION = re.compile(r"\{\{ (?:(params|nodes)\.([^\W\d]\w*)|(item|index))((?:\[[^\[\]{}]+\])*) \}\}")
_STEP = re.compile(r"\[([^\[\]{}]+)\]")
_LONGEST_F_STRING = 88
_LINES = 2  # with so many line ends a text stands between triple quotes


def value_code(value: Any, symbol: Symbol | None = None, *, depth: int = 0) -> Code:
    """A JSON value as Python. Raises ValueError for what is none."""
    if depth > DEEPEST:
        message = f"it is nested deeper than {DEEPEST} levels"
        raise ValueError(message)
    if isinstance(value, str):
        return text_code(value, symbol)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return repr(value)
    if isinstance(value, list | tuple):
        return Group("[", tuple(Item("", value_code(item, symbol, depth=depth + 1)) for item in value), "]")
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            message = f"it has the key {wrong[0]!r}, which is no text"
            raise ValueError(message)
        return Group("{", tuple(Item(f"{quoted(key)}: ", value_code(item, symbol, depth=depth + 1)) for key, item in value.items()), "}")
    message = f"it holds {value!r}" if isinstance(value, float) else f"it holds a {type(value).__name__}"
    raise ValueError(message)


def text_code(text: str, symbol: Symbol | None = None) -> Code:
    """A text: a variable where it is one expression, an f-string where it has some, triple quotes where it has lines."""
    if symbol is not None and "{{ " in text:
        found = _symbols(text, symbol)
        if found is not None:
            return found
    if text.count("\n") >= _LINES and all(len(line) <= WIDTH for line in text.split("\n")):
        shown = block(text)
        if shown is not None:
            return '"""\\\n' + shown[3:]
    return Text(text)


def is_output(text: str) -> bool:
    """Whether it is one expression and a node's output, which as a port's argument would be an edge."""
    match = _EXPRESSION.fullmatch(text)
    return match is not None and match[1] != "params"


def symbols_in(value: Any) -> Iterator[tuple[str, str]]:
    """Root and name of each expression in a value that may become a variable."""
    if isinstance(value, str):
        yield from ((match[1], match[2]) if match[1] else (match[3], "") for match in _EXPRESSION.finditer(value))
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from symbols_in(item)


def _symbols(text: str, symbol: Symbol) -> str | None:
    """Only when every expression is a variable; a text with others is clearer as it is."""
    pieces: list[str] = []
    names: list[str] = []
    end = 0
    for match in _EXPRESSION.finditer(text):
        root, name = (match[1], match[2]) if match[1] else (match[3], "")
        path = _path(match[4])
        code = None if path is None else symbol(root, name, path)
        if code is None:
            return None
        pieces += [text[end : match.start()], code]
        names.append(code)
        end = match.end()
    pieces.append(text[end:])
    plain = pieces[::2]
    if not names or any("{{" in piece or "{%" in piece or "{#" in piece for piece in plain):
        return None
    if len(names) == 1 and plain == ["", ""]:
        return names[0]
    return _f_string(pieces)


def _f_string(pieces: list[str]) -> str | None:
    """Before Python 3.12, no quote of the f-string and no backslash may be in its braces."""
    plain = "".join(pieces[::2])
    if any("\\" in code or "'" in code for code in pieces[1::2]) or '"' in plain or "'" in plain or not plain.replace("\n", "").isprintable():
        return None
    written = ""
    for place, piece in enumerate(pieces):
        if place % 2:
            written += "{" + piece.replace('"', "'") + "}"
        else:
            written += quoted(piece)[1:-1].replace("{", "{{").replace("}", "}}")
    return f'f"{written}"' if len(written) <= _LONGEST_F_STRING else None


def _path(text: str) -> tuple[str | int, ...] | None:
    """None unless drawing would write it exactly so."""
    steps: list[str | int] = []
    for part in _STEP.findall(text):
        try:
            step = literal_eval(part)
        except (ValueError, SyntaxError):
            return None
        if isinstance(step, bool) or not isinstance(step, str | int):
            return None
        steps.append(step)
    return tuple(steps) if "".join(f"[{step!r}]" for step in steps) == text else None


def path_code(path: tuple[str | int, ...]) -> str:
    """Subscripts."""
    return "".join(f"[{quoted(step) if isinstance(step, str) else step}]" for step in path)


def duration_code(value: timedelta, read: Callable[[Any], timedelta | None], timedelta_name: Callable[[], str]) -> Code:
    """Seconds where reading them gives exactly this duration."""
    seconds = value.total_seconds()
    number: int | float = int(seconds) if seconds.is_integer() else seconds
    if read(number) == value:
        return repr(number)
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return call(timedelta_name(), *(Item(f"{name}=", repr(part)) for name, part in parts.items() if part))
