"""Who may run now and who waits: a limit for all, a limit for each workflow, first come first served within both."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Lane(Generic[T]):
    """One workflow's."""

    name: str
    limit: int | None
    running: int = 0
    waiting: int = 0
    held: deque[T] = field(default_factory=deque)  # those that only this lane's limit keeps


class Line(Generic[T]):
    """`limit` run at the same time, at most `waiting_limit` wait. Whoever runs gives its place back with `leave`, which tells who is next.

    A place is asked for in two steps, since acceptance is written down in between: `reserve` counts, `enter` gives the place or queues.
    """

    def __init__(self, limit: int, waiting_limit: int) -> None:
        self.limit = limit
        self.waiting_limit = waiting_limit
        self.running = 0
        self.waiting = 0
        self._ready: deque[tuple[_Lane[T], T]] = deque()  # those that only the limit for all keeps
        self._lanes: dict[object, _Lane[T]] = {}

    @property
    def full(self) -> bool:
        """Whether nobody more may wait."""
        return self.waiting >= self.waiting_limit

    def try_enter(self, key: object, name: str, limit: int | None) -> bool:
        """Takes a place at once if one is free and nobody waits for it."""
        if self.running >= self.limit or self._ready:
            return False
        lane = self._lane(key, name, limit)
        if lane.limit is not None and lane.running >= lane.limit:
            return False
        self.running += 1
        lane.running += 1
        return True

    def reserve(self, key: object, name: str, limit: int | None) -> None:
        """Counts one more who waits."""
        self._lane(key, name, limit).waiting += 1
        self.waiting += 1

    def unreserve(self, key: object) -> None:
        """One who was counted does not come."""
        self._lanes[key].waiting -= 1
        self.waiting -= 1
        self._forget(key)

    def enter(self, key: object, item: T) -> list[T]:
        """A reserved one gets in line; those who may run now (maybe this one)."""
        lane = self._lanes[key]
        if lane.limit is not None and lane.running >= lane.limit:
            lane.held.append(item)
            return []
        lane.running += 1  # a place in the lane, though maybe not yet one among all
        self._ready.append((lane, item))
        return self._next()

    def leave(self, key: object) -> list[T]:
        """Gives a place back; those who may run now."""
        lane = self._lanes[key]
        lane.running -= 1
        self.running -= 1
        self._promote(lane)
        self._forget(key)
        return self._next()

    def withdraw(self, key: object, item: T) -> bool:
        """Takes one who waits out of the line; False when it does not wait."""
        lane = self._lanes.get(key)
        if lane is None:
            return False
        if item in lane.held:
            lane.held.remove(item)
        elif (lane, item) in self._ready:
            self._ready.remove((lane, item))
            lane.running -= 1
            self._promote(lane)
        else:
            return False
        lane.waiting -= 1
        self.waiting -= 1
        self._forget(key)
        return True

    def counts(self) -> dict[str, tuple[int, int]]:
        """Name: how many run and wait."""
        found: dict[str, tuple[int, int]] = {}
        for lane in self._lanes.values():
            running, waiting = found.get(lane.name, (0, 0))
            ready = sum(1 for one, _ in self._ready if one is lane)
            found[lane.name] = (running + lane.running - ready, waiting + lane.waiting)
        return found

    def _lane(self, key: object, name: str, limit: int | None) -> _Lane[T]:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(name, limit)
        elif lane.limit != limit:  # a newer version of the workflow
            lane.limit = limit
            self._promote(lane)
        return lane

    def _promote(self, lane: _Lane[T]) -> None:
        while lane.held and (lane.limit is None or lane.running < lane.limit):
            lane.running += 1
            self._ready.append((lane, lane.held.popleft()))

    def _next(self) -> list[T]:
        started = []
        while self._ready and self.running < self.limit:
            lane, item = self._ready.popleft()
            self.running += 1
            self.waiting -= 1
            lane.waiting -= 1
            started.append(item)
        return started

    def _forget(self, key: object) -> None:
        lane = self._lanes[key]
        if not lane.running and not lane.waiting:
            del self._lanes[key]
