"""What of a document can be drawn by code: ends of edges, ports, loops, the order of nodes. Everything else is refused by name."""

from __future__ import annotations

import heapq
from collections import defaultdict
from typing import TYPE_CHECKING, NoReturn

from nbflow.core.check_edges import INNER, RESULT
from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.node import PYTHON_FUNCTION
from nbflow.core.scopes import Scopes, node_references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Edge, Flow, Node
    from nbflow.core.node import Catalogue, NodeType

DEEPEST = 30
"""Loops in loops; Python's parser ends at 100 indentations."""


def refuse(node: str, field: str, reason: str) -> NoReturn:
    """Raises DefinitionError."""
    message = f"node '{node}', field '{field}': {reason}"
    raise DefinitionError(message)


class Drawing:
    """A document taken apart the way code draws it. Raises DefinitionError for what no code draws."""

    def __init__(self, flow: Flow, catalogue: Catalogue) -> None:
        self.flow = flow
        self.nodes = {node.id: node for node in flow.nodes}
        if len(self.nodes) < len(flow.nodes):
            ids = [node.id for node in flow.nodes]
            refuse(next(id_ for id_ in ids if ids.count(id_) > 1), "id", "another node has the same id; give one of them a new id")
        self.types = {node.id: _type(node, catalogue) for node in flow.nodes if node.type != PYTHON_FUNCTION}
        self._check_parents()
        self.scopes = Scopes(self.nodes)
        self.inputs: dict[str, list[Edge]] = {id_: [] for id_ in self.nodes}
        self.results: dict[str, Edge] = {}
        """By loop: what its body returns."""
        for edge in flow.edges:
            self._sort(edge)
        self.inside = self._ordered()
        """Ids by loop (None: the top), each after what it needs, otherwise as in the document."""

    def is_inner(self, edge: Edge) -> bool:
        """Whether it begins at an item or index of a loop around its target."""
        return edge.source in self.scopes.enclosing(edge.target)

    def _check_parents(self) -> None:
        for node in self.flow.nodes:
            parent, depth = node.parent, 0
            while parent is not None:
                depth += 1
                if parent not in self.nodes:
                    refuse(node.id, "parent", f"the loop '{parent}' does not exist")
                if parent not in self.types or not self.types[parent].container:
                    refuse(node.id, "parent", f"'{parent}' is no loop, so nothing can be inside it")
                if depth > DEEPEST:
                    refuse(node.id, "parent", f"it is inside itself, or inside more than {DEEPEST} loops")
                parent = self.nodes[parent].parent

    def _sort(self, edge: Edge) -> None:
        for id_, other, field in ((edge.source, edge.target, edge.target_port), (edge.target, edge.source, edge.source_port)):
            if id_ not in self.nodes:
                refuse(other, field, f"an edge leads to the node '{id_}', which does not exist")
        if self.scopes.parent(edge.source) == edge.target:
            if edge.target_port != RESULT:
                refuse(edge.target, edge.target_port, f"'{edge.source}' is inside this loop and can only go to its port '{RESULT}'")
            if edge.target in self.results:
                refuse(edge.target, RESULT, "two edges end here, and a function returns once; remove one")
            self.results[edge.target] = edge
            return
        if self.is_inner(edge):
            if edge.source_port not in INNER:
                refuse(edge.source, edge.source_port, f"inside of this loop there are only its ports {' and '.join(INNER)}")
        elif not self.scopes.sees(edge.target, edge.source):
            refuse(
                edge.target, edge.target_port, f"'{edge.source}' is inside a loop and cannot be seen from here; go through the loop's port '{RESULT}'"
            )
        self.inputs[edge.target].append(edge)

    def _ordered(self) -> dict[str | None, list[str]]:
        inside: defaultdict[str | None, list[str]] = defaultdict(list)
        for node in self.flow.nodes:
            inside[node.parent].append(node.id)
        hard: defaultdict[str, set[str]] = defaultdict(set)  # node -> those that come before, in the same scope
        soft: defaultdict[str, set[str]] = defaultdict(set)
        for target, edges in self.inputs.items():
            for edge in edges:
                if edge.source not in self.scopes.enclosing(target):
                    hard[self.scopes.lifted(target, self.scopes.parent(edge.source))].add(edge.source)
        for id_, node in self.nodes.items():
            for source in node_references(node, self.types.get(id_)):
                if source in self.nodes and source != id_ and self.scopes.sees(id_, source):
                    soft[self.scopes.lifted(id_, self.scopes.parent(source))].add(source)
        found = {}
        for loop, ids in inside.items():
            plain = _sorted(ids, hard, {}) or _circular(ids)
            found[loop] = plain if plain == ids else _sorted(ids, hard, soft) or plain  # expressions can name what is drawn later, variables cannot
        return found


def _sorted(ids: list[str], hard: Mapping[str, set[str]], soft: Mapping[str, set[str]]) -> list[str]:
    """Empty when there is a circle."""
    place = {id_: number for number, id_ in enumerate(ids)}
    waits = {id_: (hard.get(id_, set()) | soft.get(id_, set())) & place.keys() for id_ in ids}
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for id_, before in waits.items():
        for source in before:
            followers[source].append(id_)
    count = {id_: len(before) for id_, before in waits.items()}
    ready = [place[id_] for id_ in ids if not count[id_]]
    done: list[str] = []
    while ready:
        id_ = ids[heapq.heappop(ready)]
        done.append(id_)
        for follower in followers[id_]:
            count[follower] -= 1
            if not count[follower]:
                heapq.heappush(ready, place[follower])
    return done if len(done) == len(ids) else []


def _circular(ids: list[str]) -> NoReturn:
    refuse(ids[0], "input", "some of the nodes beside it wait for each other; remove an edge of the circle")


def _type(node: Node, catalogue: Catalogue) -> NodeType:
    try:
        return catalogue.resolve(node)
    except UnknownNodeTypeError as error:
        refuse(node.id, "type", str(error))
