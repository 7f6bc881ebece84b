"""Where nodes stand: at the top, or in the body of a loop, which may be in the body of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.core.errors import ExpressionError
from nbflow.core.problem import Problem
from nbflow.core.suggest import advice
from nbflow.core.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbflow.core.flow import Node
    from nbflow.core.node import NodeType


class Scopes:
    """The tree of a flow's loops. Parents that do not exist or lead in a circle count as the top, after `problems` told them."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._circular = _circular(nodes)
        self._parents = {id_: node.parent if node.parent in nodes and id_ not in self._circular else None for id_, node in nodes.items()}

    def parent(self, id_: str) -> str | None:
        """The loop that contains the node, None at the top."""
        return self._parents[id_]

    def enclosing(self, id_: str) -> Iterator[str]:
        """The loops around a node, innermost first."""
        parent = self._parents[id_]
        while parent is not None:
            yield parent
            parent = self._parents[parent]

    def sees(self, id_: str, other: str) -> bool:
        """Whether the other node's value can be had where this one stands: it is beside it, or beside a loop around it."""
        scope = self._parents[other]
        return other not in self.enclosing(id_) and (scope is None or scope in self.enclosing(id_))

    def lifted(self, id_: str, scope: str | None) -> str:
        """The node itself, or the loop around it that stands in that scope."""
        here = id_
        for outer in self.enclosing(id_):
            if self._parents[here] == scope:
                break
            here = outer
        return here

    def problems(self, types: Mapping[str, NodeType]) -> Iterator[Problem]:
        """Codes unknown-parent, parent-not-container, parent-cycle, empty-body. `types` lacks nodes whose type is unknown."""
        filled = set()
        for id_, node in self._nodes.items():
            parent = node.parent
            if parent is None:
                continue
            filled.add(parent)
            if parent not in self._nodes:
                loops = (other for other, node_type in types.items() if node_type.container)
                yield Problem("unknown-parent", f"its loop '{parent}' does not exist{advice(parent, loops)}", id_, "parent")
            elif id_ in self._circular:
                yield Problem("parent-cycle", f"it is inside '{parent}', which is inside it; take one out of the other", id_, "parent")
            elif parent in types and not types[parent].container:
                yield Problem("parent-not-container", f"'{parent}' is no loop ({types[parent].type}), so nothing can be inside it", id_, "parent")
        for id_, node_type in types.items():
            if node_type.container and id_ not in filled:
                yield Problem("empty-body", f"there is no node in this loop; give a node `parent: {id_}`", id_)


def node_references(node: Node, node_type: NodeType | None = None) -> frozenset[str]:
    """Ids of the nodes that expressions in the config name; the node runs after them. Broken expressions name none.

    The type tells which fields are expressions without braces too, and which are none.
    """
    found: set[str] = set()
    lazy, verbatim = (node_type.lazy, node_type.verbatim) if node_type else (frozenset(), frozenset())
    for name, value in node.config.items():
        if name in verbatim:
            continue
        bare = name in lazy and isinstance(value, str) and "{{" not in value
        try:
            template = compile_template(f"{{{{ {value} }}}}" if bare else value)
        except ExpressionError:
            continue
        if template is not None:
            found |= template.node_refs
    return frozenset(found)


def _circular(nodes: Mapping[str, Node]) -> set[str]:
    """Nodes whose parents lead back to themselves."""
    clear: set[str] = set()
    circular: set[str] = set()
    for start in nodes:
        way: dict[str, None] = {}
        here: str | None = start
        while here is not None and here in nodes and here not in way and here not in clear and here not in circular:
            way[here] = None
            here = nodes[here].parent
        if here is not None and here in way:
            ids = list(way)
            circular.update(ids[ids.index(here) :])
        clear.update(id_ for id_ in way if id_ not in circular)
    return circular
