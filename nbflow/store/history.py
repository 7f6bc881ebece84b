"""The history of a project as records, for those who do not want SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbflow.core.errors import StoreError, UnknownExecutionError
from nbflow.core.states import ExecutionStatus, LogLevel, NodeStatus
from nbflow.store.artifacts import fetch
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nbflow.store.interface import Store

_HEX = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, kw_only=True)
class ExecutionRow:
    """One execution. Times are naive UTC; durations in milliseconds; `input` and `outputs` are JSON values."""

    execution_id: UUID
    workflow_id: UUID | None
    flow: str | None
    flow_hash: str | None
    version_id: UUID | None
    trigger: str | None
    mode: str | None
    source: str | None
    user_name: str | None
    host: str | None
    pid: int | None
    parent_execution_id: UUID | None
    status: ExecutionStatus
    input: Any
    outputs: Any
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None
    error_type: str | None
    error_message: str | None
    error_node: str | None
    nodes_total: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """One node that ended. `path` is the iteration it belongs to (`0.3`), empty outside loops; `payload` is what the recorder kept."""

    execution_id: UUID
    seq: int
    node_id: str
    node_type: str | None
    path: str
    status: NodeStatus
    level: LogLevel
    started_at: datetime | None
    duration_ms: float | None
    attempt: int | None
    error_type: str | None
    error_message: str | None
    model: str | None
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    iterations: int | None
    payload: Any


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """Something that was told of an execution; `data` is the journal's record."""

    execution_id: UUID
    kind: str
    ts: datetime
    node_id: str | None
    path: str | None
    status: str | None
    data: Any


class History:
    """Reads of one store. Every method raises what `Store.query` raises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def executions(
        self,
        flow: str | None = None,
        status: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        *,
        workflow_id: UUID | str | None = None,
        before: UUID | str | None = None,
    ) -> list[ExecutionRow]:
        """The newest first. `since`: an aware datetime, or naive UTC; `before`: the last id of the previous page."""
        params = {"flow": flow, "workflow_id": workflow_id, "status": status, "since": _naive(since), "before": before, "limit": limit}
        return [self._execution(row) for row in self._ask("list_executions", params)]

    def execution(self, id_or_prefix: UUID | str) -> ExecutionRow:
        """One execution, by its id or a beginning of it. Raises UnknownExecutionError when none or more than one begins so."""
        wanted = str(id_or_prefix).strip().lower()
        digits = wanted.replace("-", "")
        if not _HEX.fullmatch(digits):
            msg = f"'{wanted}' is not the id of an execution, nor the beginning of one"
            raise UnknownExecutionError(msg)
        found = self._ask("find_executions", {"low": str(UUID(digits.ljust(32, "0"))), "high": str(UUID(digits.ljust(32, "f")))})
        if not found:
            msg = f"no execution begins with '{wanted}' (`nbflow executions` lists the latest)"
            raise UnknownExecutionError(msg)
        if len(found) > 1:
            some = ", ".join(str(row["execution_id"]) for row in found[:3])
            msg = f"more than one execution begins with '{wanted}': {some}; give more of the id"
            raise UnknownExecutionError(msg)
        return self._execution(found[0])

    def nodes(self, execution_id: UUID | str) -> list[NodeRow]:
        """Its nodes, in the order in which they ended."""
        return [self._node(row) for row in self._ask("its_nodes", {"execution_id": str(execution_id)})]

    def events(self, execution_id: UUID | str) -> list[EventRow]:
        """What was told of it, in order."""
        return [EventRow(**{**row, "data": self._json(row["data"])}) for row in self._ask("its_events", {"execution_id": str(execution_id)})]

    def request(self, execution_id: UUID | str) -> dict[str, Any] | None:
        """Whole parameters and input (`{"params", "input"}`) of an execution that a server accepted; None of any other."""
        from nbflow.core.portable import untagged

        found = self._ask("its_request", {"execution_id": str(execution_id)})
        kept = untagged(self._json(found[0]["request"])) if found else None
        return kept if isinstance(kept, dict) else None

    def document(self, hash_: str) -> dict[str, Any]:
        """The flow document of this hash. Raises StoreError when it was never recorded."""
        found = self._ask("flow_document", {"hash": hash_})
        if not found:
            msg = f"no flow document has the hash '{hash_}'"
            raise StoreError(msg)
        document: dict[str, Any] = self._json(found[0]["document"])
        return document

    def _ask(self, name: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return self._store.query(statements("queries.sql")[name], params).dicts()

    def _execution(self, row: dict[str, Any]) -> ExecutionRow:
        changed = {"status": ExecutionStatus(row["status"]), "input": self._json(row["input"]), "outputs": self._json(row["outputs"])}
        return ExecutionRow(**{**row, **changed})

    def _node(self, row: dict[str, Any]) -> NodeRow:
        changed = {"status": NodeStatus(row["status"]), "level": LogLevel(row["level"]), "payload": self._json(row["payload"])}
        return NodeRow(**{**row, **changed})

    def _json(self, text: str | None) -> Any:
        import orjson

        return None if text is None else fetch(orjson.loads(text), self._store.artifacts)


def _naive(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment
