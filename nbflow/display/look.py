"""Symbols, colours and number formats of everything shown. A state has a symbol too, because colour alone tells some people nothing."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """How a state is shown. The colours are readable on white and on dark pages."""

    symbol: str
    colour: str
    word: str


LOOKS = {
    "pending": Look("○", "#8b93a1", "pending"),
    "running": Look("▶", "#2f81f7", "running"),
    "waiting": Look("◷", "#8a63d2", "waiting"),
    "completed": Look("✓", "#2da44e", "completed"),
    "failed": Look("✕", "#e5484d", "failed"),
    "cancelled": Look("⊘", "#d9822b", "cancelled"),
    "skipped": Look("↷", "#8b93a1", "skipped"),
}


GROUP_COLOURS = {
    "trigger": "#e07a1f",
    "action": "#2f6fdb",
    "ai": "#8957e5",
    "logic": "#1a9c94",
    "data": "#3b8f4a",
    "communication": "#d1477f",
    "integration": "#5b6bd6",
    "python": "#3776ab",
}


def look_of(status: str) -> Look:
    """The look of a state; of an unknown one, that of `pending`."""
    return LOOKS.get(status, LOOKS["pending"])


def duration(nanoseconds: float) -> str:
    """Three figures at most: `850 µs`, `12 ms`, `1.24 s`, `2 min 05 s`, `1 h 02 min`."""
    seconds = nanoseconds / 1e9
    if seconds < 0.001:  # noqa: PLR2004
        return f"{max(0, seconds) * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.3g} s"
    if seconds < 3600:  # noqa: PLR2004
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
