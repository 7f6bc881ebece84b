"""Loops from functions: `nf.foreach`, `nf.for_range`, `nf.while_`. The function is drawn once, as the loop's body.

Settings of a loop, and loops of other types, are written with the catalogue: `nf.nodes.logic.loop_foreach.options(timeout=60)(rows, body=work)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from nbflow.authoring.body import draw_body
from nbflow.authoring.symbol import Output, Symbol, literal
from nbflow.authoring.trace import need_trace
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Node, NodeSettings

if TYPE_CHECKING:
    from datetime import timedelta

    from nbflow.authoring.body import Body


def foreach(
    items: Any,
    body: Body,
    *,
    concurrency: int = 1,
    on_item_error: Literal["stop", "collect"] = "stop",
    batch_size: int = 1,
    field: str = "",
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body once per item, `concurrency` at a time; gives the results in the order of the items.

    `body(item)` or `body(item, index)` calls nodes and returns the output of one. With `on_item_error="collect"` a failed
    item's place holds a Failure. `batch_size` above 1 hands the body lists of so many items. `field`: the entry of what arrives that
    holds the items, such as "answer.rows".
    """
    config = _without(
        {"concurrency": (concurrency, 1), "on_item_error": (on_item_error, "stop"), "batch_size": (batch_size, 1), "field": (field, "")}
    )
    return _loop("logic.loop.foreach", "foreach", body, items, field="items", config=config, id_=id)


def for_range(
    start: Any,
    end: Any,
    body: Body,
    *,
    step: int = 1,
    inclusive: bool = False,
    concurrency: int = 1,
    on_item_error: Literal["stop", "collect"] = "stop",
    max_iterations: int = 100_000,
    input: Any = None,  # noqa: A002 -- the port's name
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body once per number from `start` up to but not including `end`; gives the results in order.

    `inclusive` counts `end` too. `on_item_error="collect"` puts a Failure in the place of a failed round. More than `max_iterations`
    rounds are an error before the first.
    """
    options = {
        "step": (step, 1),
        "inclusive": (inclusive, False),
        "concurrency": (concurrency, 1),
        "on_item_error": (on_item_error, "stop"),
        "max_iterations": (max_iterations, 100_000),
    }
    config = {"start": literal(start, "start"), "end": literal(end, "end"), **_without(options)}
    return _loop("logic.loop.for", "for_range", body, input, config=config, id_=id)


def while_(
    initial: Any,
    condition: str,
    body: Body,
    *,
    max_iterations: int = 1000,
    delay: timedelta | float | str = 0,
    id: str | None = None,  # noqa: A002 -- the document's word
) -> Output:
    """Runs the body while the condition over `item`, the state, holds; each result is the next state, the last one is given.

    `condition` is an expression such as `"{{ item.page < 5 }}"`. More than `max_iterations` rounds are an error.
    `delay`: seconds between rounds.
    """
    config = {"condition": condition, **_without({"max_iterations": (max_iterations, 1000), "delay": (delay, 0)})}
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
    draw_body(trace, body, loop)
    return Output(loop, "output", ("output",))


def _without(options: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Only what differs from the type's default, so that documents stay short."""
    given = {name: value for name, (value, default) in options.items() if isinstance(value, Symbol) or value != default}
    return {name: literal(value, f"'{name}' of the loop") for name, value in given.items()}
