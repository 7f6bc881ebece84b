"""The executions that were started from a canvas, with their values, as long as this process lives."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.runtime.execution import Execution

_KEPT = 10


class Memory:
    """The last ten; of nodes, the newest value that any of them gave."""

    def __init__(self) -> None:
        self._executions: OrderedDict[str, Execution] = OrderedDict()
        self._renamed: dict[str, str] = {}  # an earlier id of a node: its id now

    def keep(self, execution: Execution) -> None:
        """Another one began."""
        self._executions[execution.id] = execution
        while len(self._executions) > _KEPT:
            self._executions.popitem(last=False)

    def execution(self, id_: str) -> Execution | None:
        """None when it is forgotten, or ran elsewhere."""
        return self._executions.get(id_)

    def results(self, id_: str | None) -> dict[str, Any]:
        """What the nodes of one execution gave, by id; empty while it runs."""
        execution = self._executions.get(id_ or "")
        outcome = execution.outcome if execution is not None else None
        return {} if outcome is None else {self._now(node): result for node, result in outcome.results.items()}

    def latest(self) -> dict[str, Any]:
        """The newest result of each node."""
        found: dict[str, Any] = {}
        for id_ in self._executions:
            found |= self.results(id_)
        return found

    def rename(self, before: str, after: str) -> None:
        """A node has another id now."""
        self._renamed = {old: after if new == before else new for old, new in self._renamed.items()}
        self._renamed[before] = after

    def _now(self, node: str) -> str:
        return self._renamed.get(node, node)

    @staticmethod
    def now() -> str:
        """The time, ISO 8601."""
        return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
