"""What a node wrote, as lines: bounded, carriage returns applied, terminal colours removed."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINES = 200
MAX_BYTES = 16 * 1024
_MAX_LINE = 2000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*(?:\x07|\x1b\\)")


class Line(NamedTuple):
    """`level` is the store's word: stdout is info, stderr is warn."""

    stream: str
    level: str
    text: str


class Transcript:
    """The last 200 lines or 16 KB of a node's output."""

    def __init__(self) -> None:
        self.dropped = 0  # lines that are no longer here
        self._lines: deque[Line] = deque()
        self._size = 0
        self._open: dict[str, str] = {}  # stream: the part of a line after its last newline

    def __bool__(self) -> bool:
        return bool(self._lines) or any(self._open.values())

    def __iter__(self) -> Iterator[Line]:
        yield from self._lines
        for stream, text in self._open.items():
            if text:
                yield Line(stream, _level_of(stream), redactor.text(text) if redactor.active else text)

    def write(self, stream: str, text: str) -> None:
        """Text of stdout or stderr, maybe part of a line."""
        *whole, rest = (self._open.get(stream, "") + _ANSI.sub("", text).replace("\r\n", "\n")).split("\n")
        for line in whole:
            self._add(Line(stream, _level_of(stream), _overwritten(line)))
        self._open[stream] = _overwritten(rest, keep_return=True)[-_MAX_LINE:]

    def log(self, level: str, text: str) -> None:
        """Whole lines."""
        for line in _ANSI.sub("", text).rstrip("\n").split("\n"):
            self._add(Line("log", level, line))

    def clear(self) -> None:
        """Forgets everything, as clear_output does."""
        self._lines.clear()
        self._open.clear()
        self._size = 0

    def _add(self, line: Line) -> None:
        if redactor.active:  # a whole line at last: single writes may have held parts of a secret
            line = line._replace(text=redactor.text(line.text))
        if len(line.text) > _MAX_LINE:
            line = line._replace(text=line.text[:_MAX_LINE] + "…")
        self._lines.append(line)
        self._size += len(line.text) + 1
        while len(self._lines) > MAX_LINES or (self._size > MAX_BYTES and len(self._lines) > 1):
            self._size -= len(self._lines.popleft().text) + 1
            self.dropped += 1


def _level_of(stream: str) -> str:
    return "warn" if stream == "stderr" else "info"


def _overwritten(line: str, *, keep_return: bool = False) -> str:
    """What a terminal shows after carriage returns: progress bars leave only their last state."""
    if "\r" not in line:
        return line
    parts = line.split("\r")
    last = next((part for part in reversed(parts) if part), "")
    return last + "\r" if keep_return and line.endswith("\r") else last
