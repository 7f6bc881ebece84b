"""An expression as a node would see it, with the last values. Nothing runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbflow.canvas.record import value_of
from nbflow.core.errors import InputError, NbflowError
from nbflow.core.node import Emit
from nbflow.core.template import compile_template
from nbflow.engine.call import part, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Flow, Node
    from nbflow.display.state import ExecutionState


def evaluate(text: str, scope: Mapping[str, Any], *, bare: bool) -> dict[str, Any]:
    """`{"value"}` or `{"error"}` for the canvas. `bare`: the whole text is one expression, without braces."""
    try:
        template = compile_template(f"{{{{ {text} }}}}" if bare else text)
        return {"value": value_of(text if template is None else template.render(scope))}
    except NbflowError as error:
        return {"error": str(error)}


def scope_of(flow: Flow, node: Node, state: ExecutionState | None, results: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions of this node see: objects where they are in memory, previews elsewhere; nothing where the node never ran."""
    values = {id_: told.preview for id_, told in state.nodes.items() if told.preview is not None} if state is not None else {}
    values |= {id_: plain(result) for id_, result in results.items()}
    inputs: dict[str, Any] = {}
    for edge in flow.edges:
        if edge.target == node.id and edge.source in values:
            result = results.get(edge.source, values[edge.source])
            if isinstance(result, Emit):
                if edge.source_port not in result.ports:
                    continue
                result = result.ports[edge.source_port]
            try:
                inputs.setdefault(edge.target_port, part(result, edge.path))
            except InputError:
                continue
    scope: dict[str, Any] = {
        "inputs": inputs,
        "input": next(iter(inputs.values()), params),
        "nodes": values,
        "params": params,
        "vars": flow.settings.vars,
        "now": datetime.now(UTC),
        "execution": {"id": state.execution_id if state is not None else "", "flow": flow.name, "started_at": datetime.now(UTC)},
    }
    if node.parent is not None and (items := _items(flow, node.parent, values)):
        scope |= {"item": items[0], "index": 0}
    return scope


def items_of(flow: Flow, values: Mapping[str, Any]) -> dict[str, Any]:
    """The first item of each loop whose input is known, by the loop's id."""
    return {node.parent: items[0] for node in flow.nodes if node.parent is not None and (items := _items(flow, node.parent, values))}


def _items(flow: Flow, loop: str, values: Mapping[str, Any]) -> list[Any]:
    for edge in flow.edges:
        if edge.target == loop and edge.source in values and flow.node(edge.source).parent != loop:
            try:
                given = part(values[edge.source], edge.path)
            except InputError:
                return []
            return list(given[:1]) if isinstance(given, list | tuple) else []
    return []
