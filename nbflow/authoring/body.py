"""The body of a loop: a function that is drawn once, with symbols of the loop's `item` and `index`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbflow.authoring.symbol import LoopOutput, Output
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Edge

if TYPE_CHECKING:
    from nbflow.authoring.trace import Trace

Body = Callable[..., Any]
_INNER = ("item", "index")


def draw_body(trace: Trace, body: Body, loop: str) -> None:
    """Puts the nodes that the body calls into the loop, and what it returns onto the loop's port `result`. Raises DefinitionError."""
    with trace.inside(loop, body):
        result = _called(trace, body, loop)
    _connect_result(trace, loop, result)


def _called(trace: Trace, body: Body, loop: str) -> Any:
    item, index = (LoopOutput(loop, port, lambda: trace.parent) for port in _INNER)
    if hasattr(body, "node_type"):  # a node is a body by itself
        return body(item)
    parameters = inspect.signature(body).parameters.values()
    if not parameters:
        return body()
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    required = [parameter for parameter in parameters if parameter.kind in kinds and parameter.default is parameter.empty]
    if len(required) > len(_INNER):
        message = f"the body of loop '{loop}' takes (item) or (item, index), not {len(required)} arguments"
        raise DefinitionError(message)
    return body(*(item, index)[: max(1, len(required))])


def _connect_result(trace: Trace, loop: str, result: Any) -> None:
    if result is None:
        return
    inside = {node.id for node in trace.nodes if node.parent == loop}
    if not isinstance(result, Output) or result.source[0] not in inside:
        message = f"the body of loop '{loop}' returns the output of a node that it called (or nothing), not {result!r}"
        raise DefinitionError(message)
    source, port, path = result.source
    trace.edges.append(Edge(source=source, source_port=port, target=loop, target_port="result", path=path))
