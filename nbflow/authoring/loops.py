"""Loops from functions: `nf.foreach`, `nf.for_range`, `nf.while_`. The function is drawn once, as the loop's body."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from nbflow.authoring.function import FunctionNode
from nbflow.authoring.namespace import CatalogueNode
from nbflow.authoring.symbol import LoopOutput, Output, literal
from nbflow.authoring.trace import need_trace
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Edge, Node, NodeSettings

if TYPE_CHECKING:
    from nbflow.authoring.trace import Trace

Body = Callable[..., Any]
_INNER = ("item", "index")


def foreach(
    items: Any,
    body: Body,
    *,
    concurrency: int = 1,
    on_item_error: Literal["stop", "collect"] = "stop",
    batch_size: int = 1,
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body once per item, `concurrency` at a time; gives the results in the order of the items.

    `body(item)` or `body(item, index)` calls nodes and returns the output of one. With `on_item_error="collect"` a failed
    item's place holds a Failure. `batch_size` above 1 hands the body lists of so many items.
    """
    config = _without({"concurrency": (concurrency, 1), "on_item_error": (on_item_error, "stop"), "batch_size": (batch_size, 1)})
    return _loop("logic.loop.foreach", "foreach", body, items, field="items", config=config, id_=id)


def for_range(
    start: Any,
    end: Any,
    body: Body,
    *,
    step: int = 1,
    concurrency: int = 1,
    input: Any = None,  # noqa: A002 -- the port's name
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body once per number from `start` up to but not including `end`; gives the results in order."""
    config = {"start": literal(start, "start"), "end": literal(end, "end"), **_without({"step": (step, 1), "concurrency": (concurrency, 1)})}
    return _loop("logic.loop.for", "for_range", body, input, config=config, id_=id)


def while_(
    initial: Any,
    condition: str,
    body: Body,
    *,
    max_iterations: int = 1000,
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body while the condition over `item`, the state, holds; each result is the next state, the last one is given.

    `condition` is an expression such as `"{{ item.page < 5 }}"`. More than `max_iterations` rounds are an error.
    """
    config = {"condition": condition, **_without({"max_iterations": (max_iterations, 1000)})}
    return _loop("logic.loop.while", "while", body, initial, config=config, id_=id)


def _loop(type_: str, name: str, body: Body, value: Any, *, config: dict[str, Any], id_: str | None, field: str | None = None) -> Output:
    trace = need_trace(f"nf.{name}")
    loop = trace.claim(id_, name, named_by_variable=True)
    inputs: list[tuple[str, Output]] = []
    if isinstance(value, Output):
        inputs.append(("input", value))
    elif value is not None and field is not None:
        config = {field: literal(value, f"field '{field}' of loop '{loop}'"), **config}
    elif value is not None:
        message = f"loop '{loop}' starts from the output of a node, not from {type(value).__name__}; make the value in a @node"
        raise DefinitionError(message)
    trace.add(Node(id=loop, type=type_, config=config, parent=trace.parent, settings=NodeSettings()), inputs)
    with trace.inside(loop):
        result = _draw_body(trace, body, loop)
    _connect_result(trace, loop, result)
    return Output(loop, "output", ("output",))


def _draw_body(trace: Trace, body: Body, loop: str) -> Any:
    item, index = (LoopOutput(loop, port, lambda: trace.parent) for port in _INNER)
    if isinstance(body, FunctionNode | CatalogueNode):
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


def _without(options: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Only what differs from the type's default, so that documents stay short."""
    return {name: value for name, (value, default) in options.items() if value != default}
