"""Errors as their user wants to read them: own lines first, frames of nbflow and of libraries folded away."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.core.errors import NbflowError
from nbflow.core.events import ErrorRecord
from nbflow.core.redaction import redactor
from nbflow.display.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = str(Path(__file__).parents[1])
_LIBRARIES = tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")} | {"<frozen"})
_MAX_FRAMES = 20  # of the user's own, for each error of a chain
_MAX_CHARS = 8000
_MAX_CHAIN = 5


def describe_error(error: BaseException) -> ErrorRecord:
    """The record that is kept of an exception."""
    try:
        message = str(error)
    except Exception as broken:  # noqa: BLE001  whatever a user's exception does
        message = f"(its message cannot be read: {type(broken).__name__})"
    return ErrorRecord(
        type=type(error).__name__,
        message=redactor.cut(message, _MAX_CHARS),
        traceback=user_traceback(error),
        retryable=bool(getattr(error, "retryable", False)),
    )


def user_traceback(error: BaseException) -> str:
    """Where it happened, in the user's own code, with the source line and the line before and after of the innermost place.

    Causes come first, as Python prints them. Where no frame is the user's, the innermost library frame is shown.
    """
    parts: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen and len(parts) < _MAX_CHAIN:
        seen.add(id(current))
        parts.append(_one(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    text = redactor.text("\n\nled to\n\n".join(reversed(parts)))
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS // 2] + "\n...\n" + text[-_MAX_CHARS // 2 :]


def _one(error: BaseException) -> str:
    lines = list(_places(error))
    try:
        last = "".join(traceback.format_exception_only(error)).rstrip()
    except Exception:  # noqa: BLE001  whatever a user's exception does
        last = type(error).__name__
    if isinstance(error, NbflowError):  # the full module path helps nobody
        last = f"{type(error).__name__}: {error}"
    if isinstance(error, BaseExceptionGroup):
        last += "".join(f"\n  - {type(item).__name__}: {item}" for item in error.exceptions[:_MAX_CHAIN])
    return "\n".join([*lines, last])


def _places(error: BaseException) -> Iterator[str]:
    frames = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    own = [item for item in frames if _is_users(item[0].f_code.co_filename)]
    skipped_after = 0
    if own:
        skipped_after = len(frames) - 1 - frames.index(own[-1])
    shown = own[-_MAX_FRAMES:] or [item for item in frames if not item[0].f_code.co_filename.startswith(_OWN)][-1:]
    for position, (frame, number) in enumerate(shown):
        code = frame.f_code
        linecache.lazycache(code.co_filename, frame.f_globals)
        yield f"{place_of(code.co_filename)}, line {number}, in {code.co_name}"
        around = 1 if position == len(shown) - 1 else 0
        for line in range(max(1, number - around), number + around + 1):
            source = linecache.getline(code.co_filename, line).rstrip()
            if source or line == number:
                yield f"{'->' if line == number else '  '} {line:4d} {source}"
    if skipped_after:
        inner = frames[-1][0].f_code
        yield f"   (then {skipped_after} frame{'s' * (skipped_after != 1)} inside {_library(inner.co_filename)}, the last in {inner.co_name})"


def _is_users(filename: str) -> bool:
    if filename.startswith((_OWN, "<frozen")):
        return False
    resolved = filename if filename.startswith("<") else str(Path(filename).resolve())
    return "site-packages" not in resolved and "dist-packages" not in resolved and not resolved.startswith(_LIBRARIES)


def _library(filename: str) -> str:
    parts = Path(filename).parts
    for folder in ("site-packages", "dist-packages"):
        if folder in parts and parts.index(folder) + 1 < len(parts):
            return parts[parts.index(folder) + 1].removesuffix(".py")
    return "nbflow" if filename.startswith(_OWN) else Path(filename).stem
