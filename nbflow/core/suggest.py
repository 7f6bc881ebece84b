"""What somebody may have meant by a name that does not exist."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMPARED = 2000  # names; more would make a typo in a huge flow slow to report
_LISTED = 12


def nearest(name: str, names: Iterable[object]) -> tuple[str, ...]:
    """Up to two existing names that look like this one, best first."""
    from difflib import get_close_matches

    candidates = [text for text in islice(map(str, names), _COMPARED) if text != name]
    lower = {text.lower(): text for text in candidates}
    if name.lower() in lower:
        return (lower[name.lower()],)
    return tuple(get_close_matches(name, candidates, n=2, cutoff=0.6))


def advice(name: str, names: Iterable[object]) -> str:
    """The end of a message about an unknown name: "; did you mean 'total'?" or what there is instead, or nothing."""
    known = list(islice(names, _COMPARED))
    near = nearest(name, known)
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    return f"; there is {listed(known)}" if known else ""


def listed(names: Iterable[object]) -> str:
    """Names for a message, at most a dozen: `'a', 'b'`."""
    known = list(islice(names, _LISTED + 1))
    return ", ".join(repr(str(name)) for name in known[:_LISTED]) + (", ..." if len(known) > _LISTED else "")
