"""A flow document compiled for running: parallel lists, in-degree counts, values in flat slots. Immutable while it runs.

A loop's body is a plan of its own. An edge from outside into a body becomes a capture: a hidden input of the loop,
handed to each iteration.
"""

from __future__ import annotations

import inspect
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from nbflow.core.errors import NodeError
from nbflow.core.node import PYTHON_FUNCTION, Emit
from nbflow.core.scopes import node_references
from nbflow.core.template import compile_template

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping

    from nbflow.core.flow import Edge, Flow, Node
    from nbflow.core.node import Catalogue, NodeType
    from nbflow.core.template import Template

ALL, LIVE, ANY = 0, 1, 2
_JOINS = {"all": ALL, "live": LIVE, "any": ANY}
OUTPUT = "output"
ERROR = "error"
ORDER_ONLY = -1  # slot of a dependency that carries no value: an expression names the node

FAST_S = 0.001  # a sync function measured faster than this runs inline
SLOW_S = 0.005  # an inline one measured slower than this goes back to a thread
_WEIGHT = 0.3  # of the newest measurement in the moving average


class Missing:
    """Stands in a slot to which nothing was delivered."""

    def __repr__(self) -> str:
        return "<missing>"


MISSING = Missing()


class Delivery(NamedTuple):
    """Where a value goes: a node of the same plan and a slot."""

    target: int
    slot: int
    port: str
    path: tuple[str | int, ...]
    plain: bool  # the whole value, to a node that waits for all its inputs: nothing to think about


class Capture(NamedTuple):
    """A value from outside that a body needs: what it is, by source, port and path."""

    source: str
    port: str
    path: tuple[str | int, ...]


class Pace:
    """The moving average of a sync function's time, shared by all its nodes; decides thread or inline."""

    __slots__ = ("average_s", "inline")

    def __init__(self) -> None:
        self.average_s: float | None = None
        self.inline = False

    def measured(self, seconds: float) -> None:
        """Takes one call's time into account."""
        average = self.average_s
        average = seconds if average is None else average + _WEIGHT * (seconds - average)
        self.average_s = average
        if self.inline:
            self.inline = average < SLOW_S
        else:
            self.inline = average < FAST_S


_paces: WeakKeyDictionary[Callable[..., Any], Pace] = WeakKeyDictionary()


def pace_of(function: Callable[..., Any]) -> Pace:
    """The shared pace of a function."""
    try:
        return _paces.setdefault(function, Pace())
    except TypeError:  # not weakly referable: a builtin, a bound method
        return Pace()


@dataclass(slots=True, eq=False)
class PlanNode:
    """One node, ready to be called."""

    id: str
    node: Node
    type: NodeType
    function: Callable[..., Any]
    inputs: list[tuple[str, bool, list[int]]]  # port, many, slots
    ports: frozenset[str] = frozenset()  # where values can leave
    config: Any = None  # validated, when nothing in it is an expression
    template: Template | None = None
    literals: Mapping[str, Any] = field(default_factory=dict)  # config or args that hold no expression the engine evaluates
    positional: slice | None = None  # the slots are exactly the function's first positional arguments
    is_async: bool = False
    join: int = ALL
    guarded: bool = False  # retry, timeout, limit, each: takes the slow path
    where: str | None = None
    pace: Pace = field(default_factory=Pace)
    body: Plan | None = None
    captures: list[tuple[Capture, int]] = field(default_factory=list)  # and their slots in the plan around the loop
    held: list[int] = field(default_factory=list)  # all its slots: they are emptied when it has ended, unless everything is kept
    reads: list[int] = field(default_factory=list)  # nodes of the same plan that its expressions name
    retained: bool = False  # its value is needed after delivery: an output, an expression, or everything is kept
    copied: bool = False  # literals that a function could change: each call gets its own
    limits: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = field(default_factory=WeakKeyDictionary)

    @property
    def direct(self) -> bool:
        """Nothing but a function and its values: no config, context, settings or body."""
        simple = self.type.config is None and self.template is None and self.type.takes_context is None
        return simple and self.join == ALL and not self.guarded and not self.copied and self.positional is not None

    def check(self, value: Any) -> None:
        """Raises NodeError for a value that has no way out of the node: it would be lost, and what follows skipped, without a word."""
        if type(value) is not Emit:
            if OUTPUT not in self.ports:
                ways = ", ".join(sorted(self.ports - {ERROR}))
                message = f"its outputs are {ways}: return nf.Emit({ways.partition(',')[0]}=value) to say which one a value leaves by"
                raise NodeError(message)
        elif unknown := value.ports.keys() - self.ports:
            message = f"it has no output {', '.join(sorted(unknown))} (outputs: {', '.join(sorted(self.ports - {ERROR}))})"
            raise NodeError(message)


@dataclass(slots=True, eq=False)
class Plan:
    """One scope: the top of a flow or the inside of a loop."""

    flow: Flow
    container: str | None
    index: dict[str, int]
    nodes: list[PlanNode] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)  # deliveries to wait for
    outgoing: list[list[Delivery]] = field(default_factory=list)  # from the port `output`, and order-only ones
    branches: list[list[Delivery]] = field(default_factory=list)  # from every other port
    direct: list[bool] = field(default_factory=list)
    slots: int = 0
    roots: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    presets: list[tuple[Capture, int]] = field(default_factory=list)  # values from outside and their slots
    items: list[Delivery] = field(default_factory=list)  # of the loop's own `item` and `index`
    orders: dict[int, int] = field(default_factory=dict)  # of nodes that start with any input: how many nodes their expressions name
    readers: dict[int, int] = field(default_factory=dict)  # of values kept only for expressions: how many nodes name them
    result: tuple[int, str, tuple[str | int, ...]] | None = None  # of an iteration: node, port, path

    def take_slot(self) -> int:
        """A new slot's number."""
        self.slots += 1
        return self.slots - 1


def compile_flow(flow: Flow, catalogue: Catalogue) -> Plan:
    """The plan of a flow that `core.check` finds no problem in."""
    return _Compiler(flow, catalogue).plan(None)


class _Compiler:
    def __init__(self, flow: Flow, catalogue: Catalogue) -> None:
        self.flow = flow
        self.by_id = {node.id: node for node in flow.nodes}
        self.types = {node.id: catalogue.resolve(node) for node in flow.nodes}
        self.children: dict[str | None, list[Node]] = defaultdict(list)
        for node in flow.nodes:
            self.children[node.parent].append(node)
        self.templates = {node.id: compile_template(self._rendered(node)) for node in flow.nodes}
        self.references = {node.id: node_references(node, self.types[node.id]) for node in flow.nodes}
        self.outputs = {output.node for output in flow.outputs.values()}
        self.incoming: dict[str, list[Edge]] = defaultdict(list)
        self.results: dict[str, Edge] = {}
        for edge in flow.edges:
            if self.by_id[edge.source].parent == edge.target and edge.target_port == "result":
                self.results[edge.target] = edge
            else:
                self.incoming[edge.target].append(edge)

    def _rendered(self, node: Node) -> Mapping[str, Any]:
        """The part of a config whose expressions the engine evaluates before the call."""
        if node.type == PYTHON_FUNCTION:
            return dict(node.config.get("args", {}))
        others = self.types[node.id].lazy | self.types[node.id].verbatim
        return {name: value for name, value in node.config.items() if name not in others}

    def _inside(self, container: str) -> list[str]:
        """Ids of all nodes inside a loop, however deep."""
        found, todo = [], [container]
        while todo:
            inner = [node.id for node in self.children.get(todo.pop(), ())]
            found += inner
            todo += inner
        return found

    def plan(self, container: str | None) -> Plan:
        members = self.children[container]
        plan = Plan(flow=self.flow, container=container, index={node.id: position for position, node in enumerate(members)})
        plan.pending = [0] * len(members)
        plan.outgoing = [[] for _ in members]
        plan.branches = [[] for _ in members]
        for position, node in enumerate(members):
            plan.nodes.append(self._node(node, self._connect(plan, position, node)))
            if self.types[node.id].container:
                self._capture(plan, position, node)
            self._order(plan, position, node)
        if result := self.results.get(container or ""):
            plan.result = (plan.index[result.source], result.source_port, result.path)
        plan.roots = [position for position, count in enumerate(plan.pending) if not count]
        plan.leaves = [
            position for position, ways in enumerate(plan.outgoing) if not plan.branches[position] and all(way.slot == ORDER_ONLY for way in ways)
        ]
        self._retain(plan)
        plan.direct = [node.direct for node in plan.nodes]
        for made in plan.nodes:
            if made.type.container:
                made.body = self.plan(made.id)
        return plan

    def _connect(self, plan: Plan, position: int, node: Node) -> list[tuple[str, bool, list[int]]]:
        """Gives each edge into the node a slot. The slots of a node are neighbours, in the order of its ports."""
        by_port: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.incoming.get(node.id, ()):
            by_port[edge.target_port].append(edge)
        inputs = []
        for port in self.types[node.id].inputs:
            edges = by_port.get(port.name, ())
            slots = [self._wire(plan, position, node, Capture(edge.source, edge.source_port, edge.path)) for edge in edges]
            if slots:
                inputs.append((port.name, port.many, slots))
        return inputs

    def _wire(self, plan: Plan, position: int, node: Node, origin: Capture) -> int:
        """A slot of the node for this value: of the plan's own loop, from within the plan, or from outside of it."""
        slot = plan.take_slot()
        source = plan.index.get(origin.source)
        plain = not origin.path and self._join(node) != ANY
        way = Delivery(position, slot, origin.port, origin.path, plain)
        if origin.source == plan.container:
            plan.items.append(way)
        elif source is None:
            plan.presets.append((origin, slot))
        else:
            plan.pending[position] += 1
            (plan.outgoing if origin.port == OUTPUT else plan.branches)[source].append(way)
        return slot

    def _join(self, node: Node) -> int:
        return _JOINS[self.types[node.id].join_of(node.config)]

    def _retain(self, plan: Plan) -> None:
        """Marks the nodes whose values outlive their deliveries, and counts the readers of those that only expressions name."""
        kept: set[int] = {plan.index[id_] for id_ in self.outputs if id_ in plan.index}
        if plan.result:
            kept.add(plan.result[0])
        if plan.container is None:
            if self.flow.settings.keep_outputs:
                kept.update(range(len(plan.nodes)))
            elif not self.flow.outputs:
                kept.update(plan.leaves)
        plan.readers = {read: count for read, count in Counter(read for node in plan.nodes for read in node.reads).items() if read not in kept}
        for position in kept | plan.readers.keys():
            plan.nodes[position].retained = True

    def _capture(self, plan: Plan, position: int, loop: Node) -> None:
        """Gives the loop hidden inputs for what its body (and the loops in it) needs from outside."""
        inside = self._inside(loop.id)
        own = {*inside, loop.id}
        origins = [
            Capture(edge.source, edge.source_port, edge.path) for id_ in inside for edge in self.incoming.get(id_, ()) if edge.source not in own
        ]
        made = plan.nodes[position]
        for origin in dict.fromkeys(origins):
            slot = self._wire(plan, position, loop, origin)
            made.captures.append((origin, slot))
            made.held.append(slot)

    def _order(self, plan: Plan, position: int, node: Node) -> None:
        """Makes the node wait for those of the plan that its expressions (for a loop: its body's too) name."""
        named = self.references[node.id].union(*(self.references[id_] for id_ in self._inside(node.id)))
        for reference in sorted(named):
            read = plan.index.get(reference)
            if read is None or read == position:
                continue
            plan.pending[position] += 1
            plan.outgoing[read].append(Delivery(position, ORDER_ONLY, OUTPUT, (), plain=False))
            plan.nodes[position].reads.append(read)
            if plan.nodes[position].join == ANY:
                plan.orders[position] = plan.orders.get(position, 0) + 1

    def _node(self, node: Node, inputs: list[tuple[str, bool, list[int]]]) -> PlanNode:
        node_type = self.types[node.id]
        settings = node.settings
        template = self.templates[node.id]
        made = PlanNode(
            id=node.id,
            node=node,
            type=node_type,
            function=node_type.function,
            inputs=inputs,
            template=template,
            ports=frozenset((*node_type.outputs_of(node.config), ERROR)),
            literals=node.config.get("args", {}) if node.type == PYTHON_FUNCTION else node.config,
            is_async=inspect.iscoroutinefunction(node_type.function),
            join=self._join(node),
            guarded=bool(settings.retry or settings.timeout or settings.concurrency or settings.each or settings.disabled),
            where=node_type.where,
            pace=pace_of(node_type.function),
            held=[slot for _, _, slots in inputs for slot in slots],
        )
        if node_type.config is None:
            made.copied = _changeable(made.literals.values())
            made.positional = _positional(node_type, inputs, made.literals)
        elif template is None:
            made.config = node_type.config.model_validate(dict(node.config))
        return made


def _changeable(literals: Iterable[Any]) -> bool:
    return any(isinstance(literal, list | dict) for literal in literals)


def _positional(node_type: NodeType, inputs: list[tuple[str, bool, list[int]]], literals: Mapping[str, Any]) -> slice | None:
    """The slots as one slice, when the connected ports are exactly the function's first positional parameters and literals come by name."""
    names = _positional_names(node_type.function)
    connected = [name for name, _, _ in inputs]
    if any(port.many for port in node_type.inputs) or names[: len(connected)] != connected or set(connected) & set(literals):
        return None
    slots = [slot for _, _, some in inputs for slot in some]
    return slice(slots[0], slots[-1] + 1) if slots else slice(0, 0)


@lru_cache(maxsize=4096)
def _positional_names(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
