"""Edges: their ends, ports and types, and the borders of loops.

Codes dangling-edge, unknown-port, missing-input, port-taken, type-mismatch, edge-crosses-container.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbflow.core.compatible import accepts, item_of, name_of
from nbflow.core.problem import Problem
from nbflow.core.suggest import advice, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbflow.core.flow import Edge, Flow, Node
    from nbflow.core.node import NodeType, Port
    from nbflow.core.scopes import Scopes

OUTPUT = "output"
RESULT = "result"
"""The inner port of a loop where an edge from its body ends."""
INNER = ("item", "index")
"""The inner ports of a loop where edges into its body begin."""


def output_ports(node: Node, node_type: NodeType) -> tuple[str, ...] | None:
    """With `error` where the settings ask for it. None when they depend on a config that is wrong."""
    try:
        ports = node_type.outputs_of(node.config)
    except Exception:  # noqa: BLE001 -- what is wrong with the config is told by check_config
        return None
    return (*ports, "error") if node.settings.on_error == OUTPUT else tuple(ports)


class EdgeCheck:
    """One pass over the edges. `types` lacks nodes whose type is unknown."""

    def __init__(self, flow: Flow, nodes: Mapping[str, Node], types: Mapping[str, NodeType], scopes: Scopes) -> None:
        self._flow = flow
        self._nodes = nodes
        self._types = types
        self._scopes = scopes
        self._ports = {id_: {port.name: port for port in node_type.inputs} for id_, node_type in types.items()}
        self._taken: dict[tuple[str, str], Edge] = {}
        self.followers: dict[str, list[str]] = {id_: [] for id_ in nodes}
        """What waits for a node, among those in its own scope; filled by `problems`."""

    def problems(self) -> Iterator[Problem]:
        """Of every edge, then of the ports that have none."""
        for edge in self._flow.edges:
            yield from self._edge_problems(edge)
        for id_, node_type in self._types.items():
            yield from self._missing_inputs(self._nodes[id_], node_type)

    def depend(self, before: str, after: str) -> None:
        """Notes that a node, or the loop around it that stands beside `before`, waits for `before`."""
        self.followers[before].append(self._scopes.lifted(after, self._scopes.parent(before)))

    def _edge_problems(self, edge: Edge) -> Iterator[Problem]:
        for id_, other in ((edge.source, edge.target), (edge.target, edge.source)):
            if id_ not in self._nodes:
                way = "comes from" if id_ is edge.source else "goes to"
                near = advice(id_, self._nodes)
                yield Problem("dangling-edge", f"an edge {way} '{id_}', which does not exist{near}", other if other in self._nodes else None)
                self._taken.setdefault((edge.target, edge.target_port), edge)
                return
        scopes = self._scopes
        into_result = scopes.parent(edge.source) == edge.target
        from_inside = edge.source in scopes.enclosing(edge.target)
        crossing = self._crossing(edge, into_result=into_result, from_inside=from_inside)
        if crossing:
            yield Problem("edge-crosses-container", crossing, edge.target, edge.target_port)
        source_problem = self._source_problem(edge, INNER if from_inside else None)
        if source_problem:
            yield source_problem
        yield from self._target_problems(edge, into_result=into_result)
        if not crossing and not into_result and not from_inside:
            self.depend(edge.source, edge.target)
            if source_problem is None:
                yield from self._type_problems(edge)

    def _crossing(self, edge: Edge, *, into_result: bool, from_inside: bool) -> str | None:
        source, target = edge.source, edge.target
        if into_result:
            return None if edge.target_port == RESULT else f"'{source}' is inside this loop; leave the loop through its port '{RESULT}'"
        if from_inside:
            return None  # also from an outer loop's item into an inner loop
        scope = self._scopes.parent(source)
        if self._scopes.sees(target, source):
            return None
        return f"'{source}' is inside the loop '{scope}'; leave the loop through its port '{RESULT}', and connect the output of '{scope}'"

    def _source_problem(self, edge: Edge, inner: tuple[str, ...] | None) -> Problem | None:
        node_type = self._types.get(edge.source)
        ports = inner if inner or node_type is None else output_ports(self._nodes[edge.source], node_type)
        if ports is None or edge.source_port in ports:
            return None
        if edge.source_port == "error" and inner is None:
            message = f"'{edge.source}' has an error port only with the setting on_error: output"
        else:
            kind = "inner ports" if inner else "output ports"
            message = (
                f"'{edge.source}' has no port '{edge.source_port}'; its {kind} are {listed(ports)}" if ports else f"'{edge.source}' gives no output"
            )
        return Problem("unknown-port", message, edge.source, edge.source_port)

    def _target_problems(self, edge: Edge, *, into_result: bool) -> Iterator[Problem]:
        target, name = edge.target, edge.target_port
        ports = self._ports.get(target)
        port: Port | None = None
        if not into_result and ports is not None:
            port = ports.get(name)
            if port is None:
                there = f"its input ports are {listed(ports)}" if ports else "it takes no input"
                yield Problem("unknown-port", f"'{target}' has no port '{name}'; {there}", target, name)
                return
        if port is not None and port.many:
            return
        first = self._taken.setdefault((target, name), edge)
        if first is not edge:
            message = f"'{first.source}' and '{edge.source}' both go into port '{name}', which takes one; join them with logic.merge"
            yield Problem("port-taken", message, target, name)
        elif port is not None and name in _literals(self._nodes[target], self._types[target]):
            yield Problem("port-taken", f"port '{name}' has an edge from '{edge.source}' and a value in `args`; remove one", target, name)

    def _type_problems(self, edge: Edge) -> Iterator[Problem]:
        source, target = self._types.get(edge.source), self._types.get(edge.target)
        if source is None or target is None or edge.path or edge.source_port != OUTPUT:
            return
        port = self._ports[edge.target].get(edge.target_port)
        settings = self._nodes[edge.source].settings
        if port is None or port.many or port.annotation is None or source.returns is None or settings.each or settings.disabled:
            return
        produced = item_of(source.returns) if self._nodes[edge.target].settings.each else source.returns
        if produced is not None and not accepts(port.annotation, produced):
            message = f"port '{port.name}' takes {name_of(port.annotation)}, but '{edge.source}' gives {name_of(produced)}"
            yield Problem("type-mismatch", message, edge.target, port.name)

    def _missing_inputs(self, node: Node, node_type: NodeType) -> Iterator[Problem]:
        literals = _literals(node, node_type)
        for port in node_type.inputs:
            if port.required and (node.id, port.name) not in self._taken and port.name not in literals:
                fix = " or give it a value in `args`" if node_type.config is None else ""
                yield Problem("missing-input", f"nothing goes into port '{port.name}'; connect something{fix}", node.id, port.name)


def _literals(node: Node, node_type: NodeType) -> Mapping[str, object]:
    """Values that a function's node has for its ports without an edge."""
    args: Any = node.config.get("args", {}) if node_type.config is None else {}
    return args if isinstance(args, Mapping) else {}
