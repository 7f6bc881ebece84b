"""Everything that is wrong with a flow document, at once. Every door calls this; nothing invalid is stored or run.

Linear in nodes and edges, without recursion. Each problem's code is stable: see the modules check_*.py, scopes.py, and
here empty-flow, duplicate-id, bad-id, unknown-type, unknown-function, expression-node-unknown, expression-node-unreachable, cycle, output-unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbflow.core.check_config import config_problems
from nbflow.core.check_edges import EdgeCheck, output_ports
from nbflow.core.check_settings import flow_settings_problems, node_settings_problems
from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.order import cycles
from nbflow.core.problem import Problem
from nbflow.core.scopes import Scopes, node_references
from nbflow.core.suggest import advice, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbflow.core.flow import Flow, Node
    from nbflow.core.node import Catalogue, NodeType

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMED = 8  # nodes of a cycle that its message names


def check(flow: Flow, catalogue: Catalogue) -> list[Problem]:
    """All problems; empty when the flow can run. Disabled nodes are checked like others."""
    return list(_problems(flow, catalogue))


def _problems(flow: Flow, catalogue: Catalogue) -> Iterator[Problem]:
    yield from flow_settings_problems(flow.settings)
    if not flow.nodes:
        yield Problem("empty-flow", "there is no node yet; add one, for example trigger.manual")
        return
    nodes: dict[str, Node] = {}
    types: dict[str, NodeType] = {}
    for node in flow.nodes:
        if node.id in nodes:
            yield Problem("duplicate-id", "another node has the same id; give one of them a new id, and its edges too", node.id, "id")
            continue
        nodes[node.id] = node
        if not _ID.fullmatch(node.id):
            message = "an id begins with a letter and goes on with letters, digits and _, so that expressions can say nodes.<id>"
            yield Problem("bad-id", message, node.id, "id")
        try:
            types[node.id] = catalogue.resolve(node)
        except UnknownNodeTypeError as error:
            yield Problem("unknown-type", str(error), node.id, "type")
        except DefinitionError as error:
            yield Problem("unknown-function", str(error), node.id, "config.function")
        yield from config_problems(node, types.get(node.id))
        yield from node_settings_problems(node, types.get(node.id))
    scopes = Scopes(nodes)
    yield from scopes.problems(types)
    edges = EdgeCheck(flow, nodes, types, scopes)
    yield from edges.problems()
    for node in nodes.values():
        yield from _reference_problems(node, types.get(node.id), nodes, scopes, edges)
    for way in cycles(edges.followers):
        shown = way if len(way) <= _NAMED else [*way[: _NAMED - 2], "...", *way[-2:]]
        message = f"these nodes wait for each other: {' -> '.join(shown)}; remove one edge or expression, or repeat nodes with a loop"
        yield Problem("cycle", message, way[0])
    yield from _output_problems(flow, nodes, types, scopes)


def _reference_problems(node: Node, node_type: NodeType | None, nodes: Mapping[str, Node], scopes: Scopes, edges: EdgeCheck) -> Iterator[Problem]:
    for id_ in sorted(node_references(node, node_type)):
        if id_ not in nodes:
            yield Problem("expression-node-unknown", f"an expression names nodes.{id_}, which does not exist{advice(id_, nodes)}", node.id)
        elif id_ in scopes.enclosing(node.id):
            message = f"an expression names nodes.{id_}, the loop around this node, which has no value before it ends; use item or index"
            yield Problem("expression-node-unreachable", message, node.id)
        elif not scopes.sees(node.id, id_):
            scope = scopes.parent(id_)
            message = (
                f"an expression names nodes.{id_}, which is inside the loop '{scope}'; connect it to the loop's port 'result' and use nodes.{scope}"
            )
            yield Problem("expression-node-unreachable", message, node.id)
        else:
            edges.depend(id_, node.id)


def _output_problems(flow: Flow, nodes: Mapping[str, Node], types: Mapping[str, NodeType], scopes: Scopes) -> Iterator[Problem]:
    for name, output in flow.outputs.items():
        field = f"outputs.{name}"
        if output.node not in nodes:
            yield Problem("output-unknown", f"node '{output.node}' does not exist{advice(output.node, nodes)}", field=field)
            continue
        scope = scopes.parent(output.node)
        ports = output_ports(nodes[output.node], types[output.node]) if output.node in types else None
        if scope is not None:
            message = (
                f"'{output.node}' is inside the loop '{scope}' and has no single value; connect it to the loop's port 'result' and take '{scope}'"
            )
            yield Problem("output-unknown", message, field=field)
        elif ports is not None and output.port not in ports:
            yield Problem("output-unknown", f"'{output.node}' has no port '{output.port}'; it has {listed(ports) or 'none'}", field=field)
