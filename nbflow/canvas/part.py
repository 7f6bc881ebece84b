"""A part of a flow, to be run alone: up to one node, or only that node, with values that are known already in place of other nodes.

Inside a loop, "up to here" runs the loop with as much of its body as the node needs; a node of a body is never run alone, since what it
gets differs from round to round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbflow.authoring.trace import Definition
from nbflow.core.errors import DefinitionError, ExpressionError
from nbflow.core.flow import Node
from nbflow.core.node import PYTHON_FUNCTION, Emit, NodeType
from nbflow.core.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.core.flow import Flow

_KEPT = "nbflow.canvas:kept"  # module and name of the functions that stand for known values


def up_to(definition: Definition, target: str, known: Mapping[str, Any]) -> Definition:
    """The node with everything it needs. `known`: pinned results by node id (an `Emit` where there are several ports).

    Raises DefinitionError for a node that is not there.
    """
    flow = definition.flow
    _node(flow, target)
    known = {id_: value for id_, value in known.items() if id_ != target}
    wanted: set[str] = set()
    asked = [(target, True)]
    whole: set[str] = set()
    while asked:
        id_, is_whole = asked.pop()
        if (id_ in wanted and (not is_whole or id_ in whole)) or not _has(flow, id_):
            continue
        wanted.add(id_)
        if is_whole:
            whole.add(id_)
        node = flow.node(id_)
        if node.parent is not None:
            asked.append((node.parent, False))
        if id_ in known:
            continue
        asked += [(need, True) for need in needs(flow, node) if need != node.parent]
        if is_whole:
            asked += [(child.id, True) for child in flow.nodes if child.parent == id_]
    return _cut(definition, wanted, known)


def alone(definition: Definition, target: str, known: Mapping[str, Any]) -> Definition:
    """Only this node, with known values as its inputs. Raises DefinitionError naming an input whose value is not known."""
    flow = definition.flow
    node = _node(flow, target)
    if node.parent is not None:
        message = f"node '{target}' is inside the loop '{node.parent}' and cannot run alone: run up to it, or run the loop"
        raise DefinitionError(message)
    wanted = {target}
    while inside := {child.id for child in flow.nodes if child.parent in wanted} - wanted:
        wanted |= inside
    outside = {need for id_ in wanted for need in needs(flow, flow.node(id_)) if _has(flow, need)} - wanted
    if missing := sorted(outside - set(known)):
        message = f"node '{target}' needs what '{missing[0]}' gives, which is not in memory: run up to '{target}' first, or pin '{missing[0]}'"
        raise DefinitionError(message)
    return _cut(definition, wanted | outside, {id_: known[id_] for id_ in outside})


def with_known(definition: Definition, known: Mapping[str, Any]) -> Definition:
    """The whole flow, with known values in place of these nodes."""
    flow = definition.flow
    known = {id_: value for id_, value in known.items() if _has(flow, id_)}
    if not known:
        return definition
    dropped: set[str] = set()
    while inside := {node.id for node in flow.nodes if node.parent is not None and (node.parent in known or node.parent in dropped)} - dropped:
        dropped |= inside
    cut = _cut(definition, {node.id for node in flow.nodes} - dropped, known)
    return replace(cut, flow=replace(cut.flow, outputs=flow.outputs))


def needs(flow: Flow, node: Node) -> set[str]:
    """Ids of the nodes whose values it takes, by edges and in expressions."""
    found = {edge.source for edge in flow.edges if edge.target == node.id}
    try:
        template = compile_template(node.config)
    except ExpressionError:  # the check says so
        template = None
    return found | (set(template.node_refs) if template is not None else set())


def _cut(definition: Definition, wanted: set[str], known: Mapping[str, Any]) -> Definition:
    flow, functions = definition.flow, dict(definition.functions)
    nodes = []
    for node in flow.nodes:
        if node.id not in wanted:
            continue
        if node.id in known:
            name = f"{_KEPT}.{node.id}"
            functions[name] = _constant(known[node.id], {edge.source_port for edge in flow.edges if edge.source == node.id})
            nodes.append(Node(id=node.id, type=PYTHON_FUNCTION, config={"function": name}, parent=node.parent))
        else:
            nodes.append(node)
    edges = tuple(edge for edge in flow.edges if edge.source in wanted and edge.target in wanted and edge.target not in known)
    return Definition(flow=replace(flow, nodes=tuple(nodes), edges=edges, outputs={}, layout={}, notes={}), functions=functions)


def _constant(value: Any, ports: set[str]) -> NodeType:
    named = ports | (set(value.ports) if isinstance(value, Emit) else {"output"})
    result = Emit(output=value) if len(named) > 1 and not isinstance(value, Emit) else value
    given: Callable[[], Any] = lambda: result  # noqa: E731 -- a function of its own for each value
    return NodeType(type=PYTHON_FUNCTION, function=given, inputs=(), outputs=tuple(sorted(named)), where="inline")


def _node(flow: Flow, id_: str) -> Node:
    try:
        return flow.node(id_)
    except KeyError:
        message = f"flow '{flow.name}' has no node '{id_}' any more"
        raise DefinitionError(message) from None


def _has(flow: Flow, id_: str) -> bool:
    return any(node.id == id_ for node in flow.nodes)
