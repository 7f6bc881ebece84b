"""Drawing a flow: the function of a @flow runs once with symbols, and every node called meanwhile puts itself down here."""

from __future__ import annotations

import dis
import inspect
import re
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from nbflow.authoring.symbol import Output, Parameter
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings
from nbflow.core.flow import Output as FlowOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, FrameType

    from pydantic import TypeAdapter

    from nbflow.core.node import NodeType

_HERE = __name__.rpartition(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A document and the functions that its `python.function` nodes name."""

    flow: Flow
    functions: Mapping[str, NodeType] = field(default_factory=dict)


class Defined:
    """What has a definition: flows of cells and files, by which those who collect code know them."""

    def definition(self) -> Definition:
        """Document and functions."""
        raise NotImplementedError


class Ids:
    """Ids of the nodes drawn so far."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last one given to a name

    def __contains__(self, id_: object) -> bool:
        return id_ in self._taken

    def next(self, base: str) -> str:
        """The id that a node would get by this name: the name, with a number where it is taken."""
        id_, number = base, self._numbers.get(base, 1)
        while id_ in self._taken:
            number += 1
            id_ = f"{base}_{number}"
        return id_

    def take(self, base: str) -> str:
        """Gives the next id by this name away."""
        id_ = self.next(base)
        self._numbers[base] = int(id_[len(base) + 1 :] or 1)
        self._taken.add(id_)
        return id_


def base_id(name: str) -> str:
    """The beginning of the ids of a function's or type's nodes."""
    return re.sub(r"\W", "", name) or "node"


class Trace:
    """The flow drawn so far."""

    def __init__(self, code: object) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.functions: dict[str, NodeType] = {}
        self.parent: str | None = None
        self._ids = Ids()
        self._code = code  # of the function that draws what is at `parent`: its variables name nodes

    def claim(self, wanted: str | None, fallback: str, *, named_by_variable: bool = False) -> str:
        """A node id that is not taken: the one asked for, the assigned variable's name, or the fallback with a number."""
        if wanted is not None and wanted in self._ids:
            message = f"two nodes are called '{wanted}'; ids are unique in a flow"
            raise DefinitionError(message)
        return self._ids.take(wanted or (self._assigned() if named_by_variable else None) or base_id(fallback))

    def _assigned(self) -> str | None:
        """The variable to which the flow's function (or the loop's body) assigns the call that it is just making.

        A call made further down has no name here.
        """
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- the caller's place is the fact asked for
        while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_HERE):
            frame = frame.f_back
        if frame is None or frame.f_code is not self._code:
            return None
        return _assignments(frame.f_code).get(frame.f_lasti)

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
    def inside(self, container: str, body: object) -> Iterator[None]:
        """Nodes put down meanwhile belong to this loop, and are named by the variables of its body."""
        around = self.parent, self._code
        self.parent, self._code = container, getattr(body, "__code__", None)
        try:
            yield
        finally:
            self.parent, self._code = around


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


def draw(function: Callable[..., Any], *, name: str, description: str, parameters: Mapping[str, Any], settings: FlowSettings) -> Definition:
    """The flow that a function draws. Raises DefinitionError; any error of the function itself passes through."""
    trace = Trace(getattr(function, "__code__", None))
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


@lru_cache(maxsize=256)
def _assignments(code: CodeType) -> dict[int, str]:
    """Places in the byte code (`f_lasti`) of calls whose value goes straight into a variable, to its name. Needs no source."""
    found: dict[int, str] = {}
    before: range = range(0)  # an instruction reaches to where the next begins: it has caches
    steps = [step for step in dis.get_instructions(code) if step.opname not in {"CACHE", "EXTENDED_ARG"}]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step.opname.startswith(("STORE_FAST", "STORE_DEREF")):
            name = step.argval[0] if isinstance(step.argval, tuple) else step.argval  # since 3.13 one instruction may store and load
            found.update(dict.fromkeys(before, str(name)))
        before = range(step.offset, following.offset if following else step.offset + 2)
    return found


def settings_from(options: Mapping[str, Any]) -> NodeSettings:
    """Node settings from keyword options; numbers are seconds, of `retry` tries. Raises DefinitionError naming the option."""
    from pydantic import ValidationError

    given = dict(options)
    if type(given.get("retry")) is int:
        given["retry"] = {"max_tries": given["retry"]}
    try:
        return _settings().validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        message = f"option '{'.'.join(map(str, first['loc']))}': {first['msg']}"
        raise DefinitionError(message) from None


@cache
def _settings() -> TypeAdapter[NodeSettings]:
    from pydantic import TypeAdapter

    return TypeAdapter(NodeSettings)


def given_settings(settings: NodeSettings) -> dict[str, Any]:
    """Those that differ from the defaults."""
    plain = NodeSettings()
    return {name: value for name in NodeSettings.__dataclass_fields__ if (value := getattr(settings, name)) != getattr(plain, name)}
