"""A node's config: keys, literal values, expressions.

Codes unknown-config-key, bad-config-value, missing-config, bad-expression, unknown-expression-name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import ExpressionError
from nbflow.core.problem import Problem
from nbflow.core.suggest import advice
from nbflow.core.template import SCOPE_NAMES, compile_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from nbflow.core.flow import Node
    from nbflow.core.node import NodeType

_FUNCTION_KEYS = ("function", "args")
_SHOWN = 60  # characters of a wrong value


def config_problems(node: Node, node_type: NodeType | None) -> Iterator[Problem]:
    """`node_type` is None when it is unknown: then only expressions are looked at."""
    lazy, verbatim = (node_type.lazy, node_type.verbatim) if node_type else (frozenset(), frozenset())
    templated = set()
    for key, value in node.config.items():
        if key in verbatim:
            continue
        try:
            template = compile_template(value, field=key)
        except ExpressionError as error:
            field = error.field or key
            yield Problem("bad-expression", str(error).removeprefix(f"field '{field}': "), node.id, field)
            templated.add(key)
            continue
        if template is None or key in lazy:  # the node itself gives further names to its lazy fields
            continue
        templated.add(key)
        for name in sorted(template.names - SCOPE_NAMES):
            yield Problem("unknown-expression-name", f"expressions know no '{name}'{advice(name, sorted(SCOPE_NAMES))}", node.id, key)
    if node_type is not None:
        yield from _function_problems(node, node_type) if node_type.config is None else _model_problems(node, node_type.config, templated)


def _function_problems(node: Node, node_type: NodeType) -> Iterator[Problem]:
    for key in node.config:
        if key not in _FUNCTION_KEYS:
            yield Problem("unknown-config-key", f"a function's node has no '{key}'{advice(key, _FUNCTION_KEYS)}", node.id, key)
    args: Any = node.config.get("args", {})
    if not isinstance(args, Mapping):
        yield Problem("bad-config-value", f"`args` is an object of argument names and values, not {type(args).__name__}", node.id, "args")
        return
    names = [port.name for port in node_type.inputs]
    for key in args:
        if key not in names:
            yield Problem("unknown-config-key", f"the function has no parameter '{key}'{advice(key, names)}", node.id, f"args.{key}")


def _model_problems(node: Node, model: type[BaseModel], templated: set[str]) -> Iterator[Problem]:
    """What pydantic says, less what it says of texts that are expressions still."""
    from pydantic import ValidationError

    try:
        model.model_validate(dict(node.config))
    except ValidationError as error:
        for item in error.errors(include_url=False):
            location = item["loc"]
            if templated if not location else location[0] in templated:
                continue
            yield _problem(node.id, model, location, item)


def _problem(node: str, model: type[BaseModel], location: tuple[int | str, ...], item: Mapping[str, Any]) -> Problem:
    field = ".".join(map(str, location)) or None
    if item["type"] == "missing":
        info = model.model_fields.get(str(location[0])) if len(location) == 1 else None
        meaning = f": {info.description}" if info is not None and info.description else ""
        return Problem("missing-config", f"this field is required{meaning}", node, field)
    if item["type"] == "extra_forbidden":
        known = sorted(model.model_fields) if len(location) == 1 else ()
        return Problem("unknown-config-key", f"there is no such field{advice(str(location[-1]), known)}", node, field)
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    given = item.get("input")
    if isinstance(given, int | float | None) or (isinstance(given, str) and len(given) <= _SHOWN and repr(given) not in message):
        message += f" (given: {given!r})"
    return Problem("bad-config-value", message, node, field)
