"""Small flows of catalogue nodes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from nbflow.core.flow import Edge, Flow, Node


def webhook(path: str = "/orders", id_: str = "hook", **config: Any) -> Node:
    return Node(id=id_, type="trigger.webhook", config={"path": path, **config})


def flow(*nodes: Node, name: str = "daily", **facts: Any) -> Flow:
    """The nodes after each other; one step when none is given."""
    nodes = nodes or (step(),)
    edges = tuple(Edge(source=a.id, target=b.id) for a, b in pairwise(nodes))
    return Flow(name=name, nodes=nodes, edges=edges, **facts)


def step(id_: str = "step", output: Any = 1) -> Node:
    """A node that gives a value."""
    return Node(id=id_, type="action.transform", config={"mode": "expression", "expression": f"{{{{ {output!r} }}}}"})
