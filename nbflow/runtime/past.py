"""An execution read back from the store: same view, same names as the live handle, previews in place of values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import DocumentError, StoreError
from nbflow.core.events import ErrorRecord, ExecutionFinished, ExecutionStarted, NodeDisplayed, NodeFinished, NodeLogged, NodeStarted, Usage
from nbflow.core.flow import Flow
from nbflow.core.states import ENDED
from nbflow.display.state import ExecutionState
from nbflow.store.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbflow.display.state import NodeState
    from nbflow.store.history import ExecutionRow, NodeRow
    from nbflow.store.interface import Store


class PastExecution:
    """What is recorded of one execution. Displayed, it is the view that was under the cell."""

    def __init__(self, row: ExecutionRow, flow: Flow, nodes: list[NodeRow], running: list[tuple[str, str, datetime]]) -> None:
        self.row = row
        self.flow = flow
        self.state = ExecutionState(flow).update(_events(row, nodes, running))

    @classmethod
    def find(cls, store: Store, id_or_prefix: str) -> PastExecution:
        """Raises UnknownExecutionError."""
        history = History(store)
        row = history.execution(id_or_prefix)
        try:
            flow = Flow.from_dict(history.document(row.flow_hash or ""))
        except (StoreError, DocumentError):  # recorded by something older; the rows still tell their story
            flow = Flow(name=row.flow or "?")
        nodes = history.nodes(row.execution_id)
        running = []
        if row.status not in ENDED:
            ended = {(node.node_id, node.path) for node in nodes}
            started = (event for event in history.events(row.execution_id) if event.kind == "node_started")
            running = [(event.node_id or "", event.path or "", event.ts) for event in started if (event.node_id, event.path or "") not in ended]
        return cls(row, flow, nodes, running)

    @property
    def id(self) -> str:
        """UUIDv7."""
        return str(self.row.execution_id)

    @property
    def status(self) -> str:
        """As of when it was read."""
        return str(self.row.status)

    @property
    def input(self) -> Any:
        """Preview of what it was started with."""
        return self.row.input

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Previews of the flow's outputs."""
        return self.row.outputs or {}

    @property
    def nodes(self) -> Mapping[str, NodeState]:
        """What is recorded of each node, by id."""
        return self.state.nodes

    @property
    def error(self) -> ErrorRecord | None:
        """Why it failed."""
        return self.state.error

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return self.state.bundle()

    def __repr__(self) -> str:
        return f"<execution {self.id[:8]} of {self.flow.name}: {self.status}, read from the history>"


def _events(row: ExecutionRow, nodes: list[NodeRow], running: list[tuple[str, str, datetime]]) -> Iterator[Any]:
    """The rows as the events they were made of, as far as a view needs them."""
    id_ = str(row.execution_id)
    if row.started_at is not None:
        yield ExecutionStarted(id_, row.flow or "", _ns(row.started_at))
    for node in nodes:
        yield from _node_events(id_, node)
    for node_id, path, started in running:
        yield NodeStarted(id_, node_id, _path(path), _ns(started))
    if row.status in ENDED:
        error = ErrorRecord(row.error_type or "Error", row.error_message or "") if row.error_message else None
        duration = round((row.duration_ms or 0) * 1e6)
        yield ExecutionFinished(id_, row.flow or "", str(row.status), _ns(row.started_at), duration, row.outputs, error, row.error_node)


def _node_events(id_: str, node: NodeRow) -> Iterator[Any]:
    path, payload, started = _path(node.path), node.payload or {}, _ns(node.started_at)
    for entry in payload.get("logs", ()):
        yield NodeLogged(id_, node.node_id, path, entry["at"], entry["stream"], entry["level"], entry["text"])
    for shown in payload.get("displays", ()):
        yield NodeDisplayed(id_, node.node_id, path, shown["data"], shown["metadata"])
    error = ErrorRecord(node.error_type or "Error", node.error_message or "", payload.get("traceback", "")) if node.error_message else None
    usage = Usage(node.model or "", node.tokens_in or 0, node.tokens_out or 0, node.cost_usd) if node.tokens_in is not None else None
    yield NodeFinished(
        id_,
        node.node_id,
        node.node_type or "",
        path,
        str(node.status),
        node.attempt or 1,
        started,
        round((node.duration_ms or 0) * 1e6),
        payload.get("preview"),
        payload.get("bundle"),
        error,
        usage,
        node.iterations or 0,
    )


def _path(dotted: str) -> tuple[int, ...]:
    return tuple(map(int, dotted.split("."))) if dotted else ()


def _ns(moment: datetime | None) -> int:
    """Nanoseconds since the epoch of a naive UTC time."""
    return 0 if moment is None else round(moment.replace(tzinfo=UTC).timestamp() * 1e9)
