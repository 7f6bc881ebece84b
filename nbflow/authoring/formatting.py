"""Expressions laid out as black lays them out: on one line, else the arguments on one line, else one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

WIDTH = 100
"""Characters of a line of written code. Texts of several lines keep theirs."""

_STEP = 4
_ENDING = re.compile(r"\"(?=\"|\Z)|(?<=\")\"")  # quotes that could be a part of three


@dataclass(frozen=True, slots=True)
class Item:
    """One argument, entry or element; `prefix` is `name=` or `"key": `."""

    prefix: str
    value: Code


@dataclass(frozen=True, slots=True)
class Group:
    """A call, list or object. `close` may go on after the bracket: `)["rows"]`."""

    open: str
    items: tuple[Item, ...]
    close: str
    head: Group | None = None  # what is called, when that is a call itself: `http.options(...)` of `http.options(...)(url=...)`

    @property
    def is_call(self) -> bool:
        """Calls may have all their arguments on one line of their own; lists and objects do not."""
        return self.open.endswith("(")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that may be broken into several literals."""

    value: str


Code = str | Text | Group


def call(head: str | Group, *items: Item, close: str = ")") -> Group:
    """`head(items)`."""
    return Group(f"{head}(", items, close) if isinstance(head, str) else Group("(", items, close, head)


def followed(code: Code, suffix: str) -> Code:
    """With a subscript or attribute after it."""
    if not suffix:
        return code
    return Group(code.open, code.items, code.close + suffix, code.head) if isinstance(code, Group) else flat(code) + suffix


def quoted(text: str) -> str:
    """A text as a literal of one line. Whatever could end the literal, or hide from the reader, is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(f"\\{char}" if char == quote else _escaped(char) for char in text) + quote


def flat(code: Code) -> str:
    """On one line (but for texts of several lines, which cannot be)."""
    if isinstance(code, str):
        return code
    if isinstance(code, Text):
        return quoted(code.value)
    head = flat(code.head) if code.head else ""
    return head + code.open + ", ".join(item.prefix + flat(item.value) for item in code.items) + code.close


def fits(text: str, column: int = 0) -> bool:
    """Whether it can stand on one line that begins so far right."""
    return "\n" not in text and column + len(text) <= WIDTH


def render(code: Code, indent: int, column: int, tail: int = 0) -> str:
    """The expression as it stands at this column of a statement that is indented so far; `tail` characters follow it."""
    line = flat(code)
    if fits(line, column + tail):
        return line
    if isinstance(code, Text):
        return _broken(code.value, indent)
    if isinstance(code, str):
        return code
    head = render(code.head, indent, column, 1) if code.head else ""
    inner = indent + _STEP
    pad, end = " " * inner, "\n" + " " * indent
    joined = ", ".join(item.prefix + flat(item.value) for item in code.items)
    if code.head and fits(code.open + joined + code.close, len(head.rpartition("\n")[2]) + tail):
        return head + code.open + joined + code.close
    if code.is_call and fits(joined, inner):
        return f"{head}{code.open}\n{pad}{joined}{end}{code.close}"
    lines = [f"{pad}{item.prefix}{render(item.value, inner, inner + len(item.prefix), 1)},\n" for item in code.items]
    return f"{head}{code.open}\n{''.join(lines)}{end[1:]}{code.close}"


def block(text: str, *, margin: str = "") -> str | None:
    """A text of several lines between triple quotes, its lines as they are; None if that cannot be. `margin`: what is before its end."""
    if not all(char == "\n" or char.isprintable() for char in text):
        return None
    inside = _ENDING.sub(r"\\\g<0>", text.replace("\\", "\\\\"))
    return f'"""{inside}{margin}"""'


def _broken(text: str, indent: int) -> str:
    """Several literals in parentheses, each at most a line long; broken after line ends and blanks where there are some."""
    pieces = _pieces(text, max(20, WIDTH - indent - _STEP))
    if len(pieces) < 2:  # noqa: PLR2004 -- what is too far right anyway
        return quoted(text)
    pad = " " * (indent + _STEP)
    lines = f"\n{pad}".join(["(", *pieces])
    return f"{lines}\n{' ' * indent})"


def _pieces(text: str, room: int) -> list[str]:
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end, length = start, 2
        while end < len(text) and (end == start or text[end - 1] != "\n"):
            length += len(_escaped(text[end])) + (text[end] in "'\"")
            if length > room and end > start:
                break
            end += 1
        if end < len(text) and text[end - 1] != "\n":
            blank = text.rfind(" ", start, end)
            end = blank + 1 if blank > start else end
        pieces.append(quoted(text[start:end]))
        start = end
    return pieces


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the escapes' sizes
