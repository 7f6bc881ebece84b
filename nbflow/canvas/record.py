"""What one node got and gave in one execution, for the canvas's inspector."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import InputError
from nbflow.core.node import Emit
from nbflow.core.redaction import redactor
from nbflow.core.values import preview
from nbflow.display.bundle import mime_bundle
from nbflow.display.look import duration
from nbflow.engine.call import part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Edge
    from nbflow.display.state import ExecutionState, NodeState

_MISSING = object()


def node_record(state: ExecutionState, node_id: str, results: Mapping[str, Any]) -> dict[str, Any] | None:
    """`NodeRecord` of the canvas. `results`: the objects themselves, of executions in memory. None when the node did not run there."""
    node = state.nodes.get(node_id)
    if node is None or (node.status == "pending" and not node.running):
        return None
    record: dict[str, Any] = {
        "execution_id": state.execution_id,
        "status": node.status,
        "attempt": node.attempt,
        "inputs": _inputs(state, node_id, results),
        "outputs": _outputs(node, results.get(node_id, _MISSING)),
        "displays": [{"bundle": dict(shown.data)} for shown in node.displays],
        "logs": [{"level": line.stream if line.stream in {"stdout", "stderr"} else line.level, "text": line.text} for line in node.output],
        "error": None,
    }
    if node.started_ns is not None:
        record["started_at"] = datetime.fromtimestamp(node.started_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")
    if node.duration_ns:
        record["duration"] = duration(node.duration_ns)
    if node.iterations:
        record["iterations"] = node.iterations
    if node.error is not None:
        record["error"] = {"type": node.error.type, "message": node.error.message, "traceback": node.error.traceback}
    return record


def value_of(value: Any) -> dict[str, Any]:
    """`Value` of the canvas, from the object itself."""
    told: dict[str, Any] = {"preview": preview(value)}
    if (bundle := mime_bundle(value)) is not None:
        told["bundle"] = dict(bundle)
    return redactor.value(told) if redactor.active else told


def _outputs(node: NodeState, result: Any) -> dict[str, Any]:
    if isinstance(result, Emit):
        return {port: value_of(value) for port, value in result.ports.items()}
    if result is not _MISSING:
        return {"output": value_of(result)}
    if node.preview is None and node.bundle is None:
        return {}
    return {"output": {"preview": node.preview, "bundle": dict(node.bundle) if node.bundle else None}}


def _inputs(state: ExecutionState, node_id: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """By port; of several edges into one port, those that delivered, as a list."""
    found: dict[str, list[dict[str, Any]]] = {}
    for edge in state.flow.edges:
        if edge.target == node_id and (value := _delivered(edge, state, results)) is not None:
            found.setdefault(edge.target_port, []).append(value)
    return {port: values[0] if len(values) == 1 else {"preview": [value.get("preview") for value in values]} for port, values in found.items()}


def _delivered(edge: Edge, state: ExecutionState, results: Mapping[str, Any]) -> dict[str, Any] | None:
    result = results.get(edge.source, _MISSING)
    if isinstance(result, Emit):
        result = result.ports.get(edge.source_port, _MISSING)
    if result is not _MISSING:
        with suppress(InputError):
            return value_of(part(result, edge.path))
        return None
    source = state.nodes.get(edge.source)
    if source is None or source.preview is None:
        return None
    with suppress(InputError):
        return {"preview": part(source.preview, edge.path), **({"bundle": dict(source.bundle)} if source.bundle and not edge.path else {})}
    return None
