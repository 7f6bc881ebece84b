"""Lengths of time and sizes as people type them: `30d`, `12h`, `500MB`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nbflow.cli.failure import UsageError

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_MEASURE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


def span(text: str, option: str) -> timedelta:
    """`30d`, `12h`, `45m`, `90s`, `2w`. Raises UsageError naming the option."""
    amount = _amount(text, _SECONDS)
    if amount is None:
        message = f"{option} {text}: give a number and a unit: {', '.join(_SECONDS)}; for instance 30d"
        raise UsageError(message)
    try:
        return timedelta(seconds=amount)
    except OverflowError:
        message = f"{option} {text}: that is longer than time can be counted"
        raise UsageError(message) from None


def bytes_of(text: str, option: str) -> int:
    """`500MB`, `2GiB`, `1000000`. Raises UsageError naming the option."""
    amount = _amount(text, _BYTES)
    if amount is None:
        message = f"{option} {text}: give a number and a unit: kB, MB, GB, KiB, MiB, GiB; for instance 500MB"
        raise UsageError(message)
    return int(amount)


def moment(text: str, option: str) -> datetime:
    """An ISO date or time (the machine's time zone unless it names one), or so long ago. Aware. Raises UsageError naming the option."""
    if _MEASURE.fullmatch(text) and not text.strip().isdigit():
        return datetime.now(UTC) - span(text, option)
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        message = f"{option} {text}: give a length of time such as 2h or 7d, or an ISO date or time such as 2026-03-01T08:00"
        raise UsageError(message) from None


def _amount(text: str, units: dict[str, int]) -> float | None:
    found = _MEASURE.fullmatch(text)
    if found is None or found[2].lower() not in units:
        return None
    return float(found[1]) * units[found[2].lower()]
