"""Executions: asked for, listed, looked at, told live."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, StrictInt, model_validator

from nbflow.core.states import ExecutionStatus, NodeStatus
from nbflow.server.schemas.base import Answer, Body
from nbflow.server.schemas.workflow import DEFINITION


class ExecuteBody(Body):
    """What to run, and with what."""

    workflow_id: UUID | Literal["new"] = Field(description='A stored workflow, or "new" to run `definition` without storing it.')
    version: StrictInt | None = Field(default=None, ge=1, le=2**31 - 1, description="Of a stored workflow, another version than its newest.")
    definition: dict[str, Any] | None = Field(default=None, description='With "new": the flow document.', examples=[DEFINITION])
    module: dict[str, Any] | None = Field(default=None, description='With "new": the code of its Python functions.')
    organization_id: UUID | None = Field(default=None, description='With "new": whose execution it is; without it, your oldest organization.')
    params: dict[str, Any] = Field(default_factory=dict, description="Values of the flow's parameters, by name.", examples=[{"name": "Ada"}])
    input: Any = Field(default=None, description="What the flow's trigger nodes give to the nodes after them; without it, the parameters.")
    mode: Literal["wait", "queue"] = Field(
        default="wait", description="`wait` answers with the result; `queue` answers at once, and the execution runs when its turn comes."
    )
    wait_s: float = Field(default=300, gt=0, le=3600, description="Mode wait: after so many seconds the answer is 202 and the execution goes on.")

    @model_validator(mode="after")
    def _consistent(self) -> "ExecuteBody":
        if self.workflow_id == "new" and self.definition is None:
            msg = "workflow_id \"new\" needs the field 'definition'"
            raise ValueError(msg)
        stray = [name for name in ("definition", "module", "organization_id") if getattr(self, name) is not None]
        if self.workflow_id != "new" and stray:
            msg = f"field '{stray[0]}' goes with workflow_id \"new\"; a stored workflow has its own"
            raise ValueError(msg)
        if self.workflow_id == "new" and self.version is not None:
            msg = "field 'version' goes with a stored workflow"
            raise ValueError(msg)
        return self


class FaultAnswer(Answer):
    """Why an execution, or a node, failed."""

    type: str = Field(examples=["RemoteError"])
    message: str = Field(examples=["GET http://example.org/orders answered 503"])
    node: str | None = Field(default=None, description="Id of the node that failed; null when it was the flow itself.")


class ResultAnswer(Answer):
    """How far an execution has come; with its outputs when it has ended and was waited for."""

    execution_id: UUID
    workflow_id: UUID | None
    status: ExecutionStatus = Field(description="pending or running in an answer with status 202.")
    outputs: dict[str, Any] = Field(default_factory=dict, description="By name: JSON values, text, tables as lists of records; bytes as base64.")
    error: FaultAnswer | None = None


class ExecutionItem(Answer):
    """An execution in a list."""

    execution_id: UUID
    workflow_id: UUID | None = Field(description="Null for a flow that is not stored.")
    version_id: UUID | None
    flow: str | None = Field(description="The flow's name.")
    organization_id: UUID | None
    status: ExecutionStatus
    trigger: str | None = Field(examples=["webhook"])
    mode: str | None
    source: str | None = Field(description="Where it came from.", examples=["POST /orders"])
    user: str | None
    parent_execution_id: UUID | None = Field(description="The execution that this one repeats.")
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None
    nodes_total: int = Field(description="Nodes that have ended; each iteration of a loop counts.")
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    error: FaultAnswer | None


class LogLine(Answer):
    """What a node printed or logged."""

    at: datetime | None
    stream: str = Field(examples=["stdout"])
    level: str
    text: str


class NodeLog(Answer):
    """A node that ended."""

    seq: int = Field(description="Its place among the execution's records.")
    node: str
    type: str | None
    path: str = Field(description="The iteration it belongs to (`0.3`), empty outside loops.")
    status: NodeStatus
    level: str
    started_at: datetime | None
    duration_ms: float | None
    attempt: int | None
    error: FaultAnswer | None
    model: str | None
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    iterations: int | None
    preview: Any = Field(default=None, description="Its output, at most 4 kB of it.")
    logs: list[LogLine]
    traceback: str | None = None


class ExecutionDetail(ExecutionItem):
    """An execution with what went in, what came out, and its nodes."""

    input: Any = Field(description="Preview.")
    outputs: dict[str, Any] | None = Field(description="Previews by name.")
    nodes: list[NodeLog] = Field(description="In the order in which they ended, at most 1,000.")
    next_node: int | None = Field(description="Give it as `after_node` to get the nodes that follow; null: there are none.")


class LiveEvent(Answer):
    """The data of one server-sent event."""

    execution_id: UUID
    seq: int | None = Field(description="The event's id. Null where the end is told by somebody else than the execution itself.")
    kind: Literal["accepted", "started", "node_started", "node", "finished", "deleted"]
    at: datetime | None
    node: str | None = None
    path: str = ""
    status: str | None = None
    node_type: str | None = None
    attempt: int | None = None
    duration_ms: float | None = None
    outputs: Any = None
    error: FaultAnswer | None = None


def execution_item(row: dict[str, Any]) -> ExecutionItem:
    """A row of executions.sql."""
    return ExecutionItem(**_facts(row))


def execution_detail(row: dict[str, Any], nodes: list[dict[str, Any]], next_node: int | None) -> ExecutionDetail:
    """JSON columns are read already."""
    outputs = row["outputs"] if isinstance(row["outputs"], dict | None) else {"output": row["outputs"]}
    return ExecutionDetail(**_facts(row), input=row["input"], outputs=outputs, nodes=[_node(node) for node in nodes], next_node=next_node)


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    plain = (
        "execution_id", "workflow_id", "version_id", "flow", "organization_id", "status", "trigger", "mode", "source", "parent_execution_id",
        "duration_ms", "nodes_total", "tokens_in", "tokens_out", "cost_usd",
    )  # fmt: skip
    times = {name: _aware(row[name]) for name in ("accepted_at", "started_at", "finished_at")}
    return {**{name: row[name] for name in plain}, **times, "user": row["user_name"], "error": fault(row, row["error_node"])}


def _node(row: dict[str, Any]) -> NodeLog:
    payload = row["payload"] or {}
    plain = ("seq", "status", "level", "duration_ms", "attempt", "model", "tokens_in", "tokens_out", "cost_usd", "iterations")
    return NodeLog(
        **{name: row[name] for name in plain},
        node=row["node_id"],
        type=row["node_type"],
        path=row["path"] or "",
        started_at=_aware(row["started_at"]),
        error=fault(row, row["node_id"]),
        preview=payload.get("preview"),
        logs=[
            LogLine(at=datetime.fromtimestamp(line["at"] / 1e9, UTC), stream=line["stream"], level=line["level"], text=line["text"])
            for line in payload.get("logs", ())
        ],
        traceback=payload.get("traceback"),
    )


def fault(row: dict[str, Any], node: str | None) -> FaultAnswer | None:
    """The error that a row tells of, if it does."""
    if not row.get("error_type") and not row.get("error_message"):
        return None
    return FaultAnswer(type=row.get("error_type") or "Error", message=row.get("error_message") or "", node=node)


def _aware(moment: datetime | None) -> datetime | None:
    """Times of the store are naive UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC)
