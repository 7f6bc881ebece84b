"""Values that hold `{{ expressions }}`: found once, evaluated as often as wanted.

A text that is exactly one `{{ expression }}` gives the expression's own value: a number stays a number, a DataFrame arrives by
reference. Any other text gives text: `"Hello {{ input.name }}"`. To write two literal braces, write `{{ '{{' }}`.
What an expression can do is said in `expression.py`. This module imports Jinja only when there is something to compile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ExpressionError

if TYPE_CHECKING:
    from nbflow.core.expression import Expression

SCOPE_NAMES = frozenset({"input", "inputs", "nodes", "params", "item", "index", "execution", "now", "vars"})
"""What expressions can see. `item` and `index` exist inside loops and `each`."""

_CACHED = 4096  # texts, a process
_OPEN = "{{"
_CLOSE = "}}"
_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[{}]""", re.DOTALL)
_BLOCK = re.compile(r"\{[%#]")

_Part = Callable[[Mapping[str, Any]], Any]


class Template:
    """A value with expressions in it. Immutable; may be rendered by several threads at once."""

    __slots__ = ("_part", "names", "node_refs")

    def __init__(self, part: _Part, expressions: list[Expression]) -> None:
        self._part = part
        self.names: frozenset[str] = frozenset().union(*(item.names for item in expressions))
        """Top-level names that the expressions use."""
        self.node_refs: frozenset[str] = frozenset().union(*(item.node_refs for item in expressions))
        """Ids used as `nodes.<id>` or `nodes["id"]`."""

    def render(self, scope: Mapping[str, Any]) -> Any:
        """A copy of the value with every expression replaced by what it gives. Raises ExpressionError naming the field."""
        return self._part(scope)


def compile_template(value: Any, *, field: str = "") -> Template | None:
    """None when nothing in the value holds `{{`. `field` is where the value stands, for messages. Raises ExpressionError."""
    if type(value) is str:
        return _of_text(value, field) if _OPEN in value else None
    expressions: list[Expression] = []
    part = _build(value, field, expressions)
    return None if part is None else Template(part, expressions)


@lru_cache(maxsize=_CACHED)
def _of_text(text: str, field: str) -> Template:
    expressions: list[Expression] = []
    return Template(_build_text(text, field, expressions), expressions)


def _build(value: Any, field: str, found: list[Expression]) -> _Part | None:
    """What makes the value from a scope; None for a value without expressions."""
    if isinstance(value, str):
        return _build_text(value, field, found) if _OPEN in value else None
    if isinstance(value, Mapping):
        return _build_mapping(value, field, found)
    if isinstance(value, list | tuple):
        parts = [(index, part) for index, item in enumerate(value) if (part := _build(item, f"{field}[{index}]", found)) is not None]
        if not parts:
            return None
        finish = list if isinstance(value, list) else tuple
        by_index = dict(parts)
        entries = [(item, by_index.get(index)) for index, item in enumerate(value)]

        def render(scope: Mapping[str, Any]) -> Any:
            return finish([part(scope) if part is not None else _copy(item) for item, part in entries])

        return render
    return None


def _build_mapping(value: Mapping[Any, Any], field: str, found: list[Expression]) -> _Part | None:
    parts: list[tuple[Any, _Part]] = []
    for key, item in value.items():
        place = f"{field}.{key}" if field else str(key)
        if isinstance(key, str) and _OPEN in key:
            msg = "a key cannot be an expression; build the whole object in one: {{ {input.name: input.value} }}"
            raise ExpressionError(msg, expression=key, field=place)
        part = _build(item, place, found)
        if part is not None:
            parts.append((key, part))
    if not parts:
        return None

    by_key = dict(parts)
    entries = [(key, item, by_key.get(key), isinstance(item, Mapping | list)) for key, item in value.items()]

    def render(scope: Mapping[str, Any]) -> dict[Any, Any]:
        return {key: part(scope) if part is not None else _copy(item) if deep else item for key, item, part, deep in entries}

    return render


def _copy(value: Any) -> Any:
    """Literals are copied as deep as they are lists and objects, so that a node may change what it was given."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _build_text(text: str, field: str, found: list[Expression]) -> _Part:
    from nbflow.core.expression import expression, text_of

    try:
        pieces = [piece if kind == "text" else expression(piece) for kind, piece in _split(text)]
    except ExpressionError as error:
        raise _placed(error, field) from error.__cause__
    found.extend(piece for piece in pieces if not isinstance(piece, str))

    def evaluate(piece: Expression, scope: Mapping[str, Any]) -> Any:
        try:
            return piece.evaluate(scope)
        except ExpressionError as error:
            raise _placed(error, field) from error.__cause__

    if len(pieces) == 1 and not isinstance(only := pieces[0], str):
        return lambda scope: evaluate(only, scope)
    return lambda scope: "".join(piece if isinstance(piece, str) else text_of(evaluate(piece, scope)) for piece in pieces)


def _placed(error: ExpressionError, field: str) -> ExpressionError:
    return ExpressionError(str(error), expression=error.expression, field=field) if field else error


def _split(text: str) -> list[tuple[str, str]]:
    """Literal texts and expressions, in order. Ours, because Jinja's lexer changes line ends of literal text."""
    pieces: list[tuple[str, str]] = []
    done = 0
    while (start := text.find(_OPEN, done)) >= 0:
        end = _end_of_expression(text, start + 2)
        before, source = text[done:start], text[start + 2 : end]
        done = end + 2
        if source.startswith("-"):  # as in Jinja: {{- and -}} drop the white space beside them
            before, source = before.rstrip(), source[1:]
        if source.endswith("-"):
            source = source[:-1]
            done = len(text) - len(text[done:].lstrip())
        pieces += [("text", before), ("expression", source.strip())]
    pieces.append(("text", text[done:]))
    for kind, piece in pieces:
        if kind == "text" and _BLOCK.search(piece):
            msg = (
                "blocks such as {% if %} and {# comments #} are not available beside expressions; "
                "write {{ a if condition else b }}, or {{ '{%' }} for the characters themselves"
            )
            raise ExpressionError(msg, expression=text[:80])
    return [(kind, piece) for kind, piece in pieces if piece or kind == "expression"]


def _end_of_expression(text: str, start: int) -> int:
    """Position of the `}}` that closes an expression: not one in a string, nor the end of two objects."""
    depth, position = 0, start
    while token := _TOKEN.search(text, position):
        position = token.end()
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            if depth <= 0 and text.startswith(_CLOSE, token.start()):
                return token.start()
            depth -= 1
    msg = "this {{ is never closed by }}; for two literal braces write {{ '{{' }}"
    raise ExpressionError(msg, expression=text[start : start + 80])
