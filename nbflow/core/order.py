"""What must come before what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def cycles(followers: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Ways that lead back to where they start (`[a, b, a]`), at least one for each tangle; no node is in two. Linear, without recursion."""
    done: set[str] = set()
    told: set[str] = set()
    for start in followers:
        if start in done:
            continue
        places = {start: 0}  # of the names on the stack
        stack = [(start, iter(followers[start]))]
        while stack:
            name, rest = stack[-1]
            follower = next(rest, None)
            if follower is None:
                stack.pop()
                del places[name]
                done.add(name)
            elif follower in places:
                if name not in told and follower not in told:
                    way = [item for item, _ in stack[places[follower] :]]
                    if told.isdisjoint(way):
                        told.update(way)
                        yield [*way, follower]
            elif follower not in done:
                places[follower] = len(stack)
                stack.append((follower, iter(followers.get(follower, ()))))
