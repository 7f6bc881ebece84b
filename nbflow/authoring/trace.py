"""Drawing a flow: the function of a @flow runs once with symbols, and every node called meanwhile puts itself down here."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from nbflow.authoring.symbol import Output, Parameter, literal
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings
from nbflow.core.flow import Output as FlowOutput
from nbflow.core.node import NodeType


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A document and the functions that its `python.function` nodes name."""

    flow: Flow
    functions: Mapping[str, NodeType] = field(default_factory=dict)


class Trace:
    """The flow drawn so far."""

    def __init__(self, names: Mapping[int, str], code: object) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.functions: dict[str, NodeType] = {}
        self.parent: str | None = None
        self._taken: set[str] = set()
        self._names = names  # line of the flow's function -> variable assigned there
        self._code = code

    def claim(self, wanted: str | None, fallback: str, *, named_by_variable: bool = False) -> str:
        """A node id that is not taken: the one asked for, the assigned variable's name, or the fallback with a number."""
        if wanted is not None:
            if wanted in self._taken:
                message = f"two nodes are called '{wanted}'; ids are unique in a flow"
                raise DefinitionError(message)
            base = wanted
        else:
            base = (self._assigned() if named_by_variable else None) or re.sub(r"\W", "", fallback) or "node"
        id_, number = base, 2
        while id_ in self._taken:
            id_, number = f"{base}_{number}", number + 1
        self._taken.add(id_)
        return id_

    def _assigned(self) -> str | None:
        """The variable to which the flow's function is just assigning."""
        frame = sys._getframe(1)  # noqa: SLF001 -- the caller's line is the fact asked for
        while frame is not None:
            if frame.f_code is self._code:
                return self._names.get(frame.f_lineno)
            frame = frame.f_back  # type: ignore[assignment]
        return None

    def add(self, node: Node, inputs: list[tuple[str, Output]]) -> None:
        """Puts a node down with the edges into it."""
        self.nodes.append(node)
        for port, output in inputs:
            source, source_port, path = output.source
            self.edges.append(Edge(source=source, source_port=source_port, target=node.id, target_port=port, path=path))

    def function_name(self, node_type: NodeType) -> str:
        """How the document names a function: `module:name`, with a number when two different ones share it."""
        function = node_type.function
        base = f"{function.__module__}:{function.__qualname__}"
        name, number = base, 2
        while name in self.functions and self.functions[name].function is not function:
            name, number = f"{base}#{number}", number + 1
        self.functions[name] = node_type
        return name

    @contextmanager
    def inside(self, container: str) -> Iterator[None]:
        """Nodes put down meanwhile belong to this loop."""
        around, self.parent = self.parent, container
        try:
            yield
        finally:
            self.parent = around


_active: ContextVar[Trace | None] = ContextVar("trace", default=None)


def active_trace() -> Trace | None:
    """The flow that is being drawn here, if any."""
    return _active.get()


def need_trace(what: str) -> Trace:
    """The flow that is being drawn here. Raises DefinitionError when none is."""
    trace = _active.get()
    if trace is None:
        message = f"{what} makes a node of a flow: call it inside a function decorated with @flow"
        raise DefinitionError(message)
    return trace


def draw(
    function: Callable[..., Any], *, name: str, description: str, parameters: Mapping[str, Any], settings: FlowSettings
) -> Definition:
    """The flow that a function draws. Raises DefinitionError; any error of the function itself passes through."""
    trace = Trace(_assignments(function), getattr(function, "__code__", None))
    token = _active.set(trace)
    try:
        symbols = {parameter: Parameter(f"params.{parameter}") for parameter in inspect.signature(function).parameters}
        returned = function(**symbols)
    finally:
        _active.reset(token)
    flow = Flow(
        name=name,
        description=description,
        parameters=parameters,
        nodes=tuple(trace.nodes),
        edges=tuple(trace.edges),
        outputs=_outputs(returned),
        settings=settings,
    )
    return Definition(flow=flow, functions=trace.functions)


def _outputs(returned: Any) -> dict[str, FlowOutput]:
    if returned is None:
        return {}
    if isinstance(returned, Output):
        returned = {returned.source[0]: returned}
    elif isinstance(returned, tuple | list):
        returned = {_output_name(position, item): item for position, item in enumerate(returned)}
    if not isinstance(returned, dict) or not all(isinstance(item, Output) for item in returned.values()):
        message = f"a @flow returns the output of a node, or a tuple or dict of outputs, not {literal_type(returned)}"
        raise DefinitionError(message)
    found = {}
    for key, output in returned.items():
        node, port, path = output.source
        found[str(key)] = FlowOutput(node=node, port=port, path=path)
    return found


def _output_name(position: int, item: Any) -> str:
    if not isinstance(item, Output):
        return str(position)
    node, port, _ = item.source
    return node if port == "output" else f"{node}_{port}"


def literal_type(value: Any) -> str:
    """What to call a value in a message."""
    return f"a {type(value).__name__}"


def _assignments(function: Callable[..., Any]) -> dict[int, str]:
    """Lines of `name = call(...)` statements, every line of the statement, to the name. Empty without source."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return {}
    found: dict[int, str] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.value, ast.Call):
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
                    found[first + line - 1] = target.id
    return found


def settings_from(options: Mapping[str, Any]) -> NodeSettings:
    """Node settings from keyword options; numbers are seconds. Raises DefinitionError naming the option."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(NodeSettings).validate_python(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        message = f"option '{'.'.join(map(str, first['loc']))}': {first['msg']}"
        raise DefinitionError(message) from None


__all__ = ["Definition", "Trace", "active_trace", "draw", "literal", "need_trace", "settings_from"]
