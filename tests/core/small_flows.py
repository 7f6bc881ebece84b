"""A catalogue of a few declarations, and short ways to say flows."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nbflow.core.config import Expression, NodeConfig
from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.flow import Edge, Flow, Node
from nbflow.core.node import PYTHON_FUNCTION, Inputs, NodeType, Port, node_type


class HttpConfig(NodeConfig):
    url: str
    """Where to send the request."""
    method: str = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    tries: int = 1


class LoopConfig(NodeConfig):
    condition: Expression = ""
    size: int = 1


class SwitchConfig(NodeConfig):
    names: list[str] = Field(default_factory=list)


@node_type("test.start", trigger=True)
async def start(config: NodeConfig, *, ctx: Any) -> Any:
    """Begin."""


@node_type("test.http")
async def http(config: HttpConfig, input: Any = None, *, ctx: Any) -> Any:  # noqa: A002
    """Call."""


@node_type("test.loop", container=True)
async def loop(config: LoopConfig, input: Any = None, *, ctx: Any) -> Any:  # noqa: A002
    """Repeat."""


@node_type("test.switch", outputs=lambda config: tuple(config["names"]))
async def switch(config: SwitchConfig, input: Any = None, *, ctx: Any) -> Any:  # noqa: A002
    """Choose."""


@node_type("test.merge")
async def merge(config: NodeConfig, inputs: Inputs, *, ctx: Any) -> Any:
    """Join."""


def function_type(returns: Any = None, **ports: Any) -> NodeType:
    """A function's declaration: ports by annotation, `...` in a tuple for optional ones."""
    inputs = tuple(
        Port(name=name, annotation=kind[0], required=False) if isinstance(kind, tuple) else Port(name=name, annotation=kind)
        for name, kind in ports.items()
    )
    return NodeType(type=PYTHON_FUNCTION, function=lambda: None, inputs=inputs, returns=returns)


class FakeCatalogue:
    """Implements `Catalogue` over given declarations."""

    def __init__(self, **functions: NodeType) -> None:
        self.functions = functions
        self.types = {declared.type: declared for declared in (start, http, loop, switch, merge)}

    def resolve(self, node: Node) -> NodeType:
        if node.type == PYTHON_FUNCTION:
            name = node.config.get("function", "")
            if name not in self.functions:
                msg = f"run the cell that defines '{name}'"
                raise DefinitionError(msg)
            return self.functions[name]
        if node.type not in self.types:
            raise UnknownNodeTypeError(node.type, ["test.http"])
        return self.types[node.type]


def call(id_: str, function: str, *, parent: str | None = None, **args: Any) -> Node:
    """A node that calls a function."""
    return Node(id=id_, type=PYTHON_FUNCTION, parent=parent, config={"function": function, **({"args": args} if args else {})})


def edge(text: str) -> Edge:
    """`a -> b`, `a.error -> b.left`."""
    source, target = (end.strip().partition(".") for end in text.split("->"))
    return Edge(source=source[0], source_port=source[2] or "output", target=target[0], target_port=target[2] or "input")


def flow(*nodes: Node, edges: tuple[str, ...] | list[str] = (), **more: Any) -> Flow:
    """A flow named test."""
    return Flow(name="test", nodes=nodes, edges=tuple(map(edge, edges)), **more)
