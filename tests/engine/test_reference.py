"""Random flows give what a plain interpreter gives that knows nothing of concurrency: the same values, the same status of every node."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.authoring.function import function_type
from nbflow.core.check import check
from nbflow.core.events import NodeFinished
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings
from nbflow.core.node import Emit, Failure, Inputs
from nbflow.engine.plan import compile_flow
from nbflow.engine.run import Run

from .harness import Catalogue

DEAD, BLOCKED = object(), object()  # nothing comes; nobody knows, because the flow stops before


@dataclass
class Spec:
    id: str
    kind: str  # plain, if, fail, loop
    where: str
    join: str
    on_error: str
    sources: list[tuple[str, str]]
    items: list[int] = field(default_factory=list)
    concurrency: int = 1
    collect: bool = False
    body: list[Spec] = field(default_factory=list)


def number(value: Any) -> int:
    if isinstance(value, Failure):
        return -1
    if isinstance(value, list):
        return sum((place + 1) * number(item) for place, item in enumerate(value))
    return value if isinstance(value, int) else 0


# What the nodes do, for the engine ------------------------------------------------------------------------------


def work(kind: str, xs: list[Any]) -> Any:
    total = 1 + number(list(xs))
    if kind == "if":
        return Emit.of({"true" if total % 2 else "false": total})
    if kind == "fail" and total % 3 == 0:
        raise ValueError(total)
    return total


def function(kind: str, where: str, join: str):
    def plain(xs: Inputs):
        return work(kind, xs)

    async def waits(xs: Inputs):
        await asyncio.sleep(0)
        return work(kind, xs)

    outputs = ("true", "false") if kind == "if" else ("output",)
    return function_type(waits if where == "async" else plain, outputs=outputs, join=join, where=None if where == "async" else where)


FUNCTIONS = {
    f"{kind}-{where}-{join}": function(kind, where, join)
    for kind in ("plain", "if", "fail")
    for where in ("inline", "thread", "async")
    for join in ("all", "live")
}
CATALOGUE = Catalogue(FUNCTIONS)


def document(specs: list[Spec], concurrency: int) -> Flow:
    nodes: list[Node] = []
    edges: list[Edge] = []

    def add(specs: list[Spec], parent: str | None) -> None:
        for spec in specs:
            loop = spec.kind == "loop"
            config: dict[str, Any] = {"function": f"{spec.kind}-{spec.where}-{spec.join}"}
            if loop:
                config = {"items": spec.items, "concurrency": spec.concurrency, "on_item_error": "collect" if spec.collect else "stop"}
            kind = "logic.loop.foreach" if loop else "python.function"
            nodes.append(Node(id=spec.id, type=kind, config=config, parent=parent, settings=NodeSettings(on_error=spec.on_error)))
            edges.extend(Edge(source=id_, source_port=port, target=spec.id, target_port="input" if loop else "xs") for id_, port in spec.sources)
            if loop:
                add(spec.body, spec.id)
                edges.append(Edge(source=spec.body[-1].id, source_port=ports_of(spec.body[-1])[0], target=spec.id, target_port="result"))

    add(specs, None)
    return Flow(name="random", nodes=tuple(nodes), edges=tuple(edges), settings=FlowSettings(concurrency=concurrency))


# The same, plainly ----------------------------------------------------------------------------------------------


class Reference:
    def __init__(self) -> None:
        self.statuses: dict[tuple[str, tuple[int, ...]], str] = {}
        self.torn: set[tuple[int, ...]] = set()  # iterations that a failure ended: which of their nodes ran is chance

    def scope(self, specs: list[Spec], around: dict[tuple[str, str], Any], path: tuple[int, ...]) -> tuple[dict[tuple[str, str], Any], set[str]]:
        """Values by node and port, and the ids of the nodes that stop the scope."""
        values = dict(around)
        stopping: set[str] = set()
        for spec in specs:
            found, stops = self.node(spec, values, path)
            stopping |= stops
            for port in {*ports_of(spec), "output", "error"}:
                values[spec.id, port] = found if found in (BLOCKED, DEAD) else found.get(port, DEAD)
        return values, stopping

    def node(self, spec: Spec, values: dict[tuple[str, str], Any], path: tuple[int, ...]) -> tuple[Any, set[str]]:
        given = [values[source] for source in [*spec.sources, *captures(spec)]]
        if any(value is BLOCKED for value in given):
            return BLOCKED, set()
        live = [value for value in given if value is not DEAD]
        if given and (not live or (len(live) < len(given) and (spec.join == "all" or spec.kind == "loop"))):
            self.statuses[spec.id, path] = "skipped"
            return DEAD, set()
        if spec.kind == "loop":
            return self.loop(spec, values, path)
        self.statuses[spec.id, path] = "completed"
        try:
            value = work(spec.kind, live)
        except ValueError as error:
            self.statuses[spec.id, path] = "failed"
            if spec.on_error == "stop":
                return BLOCKED, {spec.id}
            failure = Failure(node=spec.id, type="ValueError", message=str(error), index=path[-1] if path else None)
            return {"output" if spec.on_error == "continue" else "error": failure}, set()
        return (value.ports if isinstance(value, Emit) else {"output": value}), set()

    def loop(self, spec: Spec, values: dict[tuple[str, str], Any], path: tuple[int, ...]) -> tuple[Any, set[str]]:
        results: list[Any] = []
        stopping: set[str] = set()
        for index, item in enumerate(spec.items):
            inner = {**values, (spec.id, "item"): item, (spec.id, "index"): index}
            inside, stops = self.scope(spec.body, inner, (*path, index))
            if stops:
                self.torn.add((*path, index))
                stopping |= stops
                results.append(Failure(node="", type="", message=""))
                continue
            last = inside[spec.body[-1].id, ports_of(spec.body[-1])[0]]
            results.append(None if last is DEAD else last)
        if stopping and not spec.collect:
            self.torn |= {(*path, index) for index in range(len(spec.items))}
            self.statuses[spec.id, path] = "failed"
            return BLOCKED, stopping
        self.statuses[spec.id, path] = "completed"
        return {"output": results}, set()


def ports_of(spec: Spec) -> tuple[str, ...]:
    ports = ("true", "false") if spec.kind == "if" else ("output",)
    return (*ports, "error") if spec.on_error == "output" else ports


def captures(spec: Spec) -> list[tuple[str, str]]:
    """What a loop's body takes from outside."""
    inside = {spec.id}

    def gather(specs: list[Spec]) -> list[tuple[str, str]]:
        for one in specs:
            inside.add(one.id)
        return [source for one in specs for source in [*one.sources, *gather(one.body)]]

    return [source for source in gather(spec.body) if source[0] not in inside]


# Random flows ---------------------------------------------------------------------------------------------------


@st.composite
def scopes(draw: st.DrawFn, prefix: str = "n", visible: tuple[tuple[str, str], ...] = (), depth: int = 0) -> list[Spec]:
    specs: list[Spec] = []
    sources = list(visible)
    for place in range(draw(st.integers(1, 6 - 2 * depth))):
        kind = draw(st.sampled_from(["plain", "plain", "if", "fail", *(["loop"] if depth < 2 else [])]))
        spec = Spec(
            id=f"{prefix}{place}",
            kind=kind,
            where=draw(st.sampled_from(["inline", "inline", "thread", "async"])),
            join=draw(st.sampled_from(["all", "live"])),
            on_error="stop" if kind == "loop" else draw(st.sampled_from(["stop", "continue", "output"])),
            sources=draw(st.lists(st.sampled_from(sources), unique=True, max_size=1 if kind == "loop" else 3)) if sources else [],
        )
        if kind == "loop":
            spec.items = draw(st.lists(st.integers(0, 5), max_size=3))
            spec.concurrency = draw(st.integers(1, 3))
            spec.collect = draw(st.booleans())
            inner = (*sources, (spec.id, "item"), (spec.id, "index"))
            spec.body = draw(scopes(f"{spec.id}_", inner, depth + 1))
        specs.append(spec)
        sources += [(spec.id, port) for port in ports_of(spec)]
    return specs


@settings(max_examples=250, deadline=None)
@given(specs=scopes(), concurrency=st.sampled_from([1, 2, 16]))
def test_random_flows_run_as_a_plain_interpreter_runs_them(specs, concurrency):
    flow = document(specs, concurrency)
    assert [problem for problem in check(flow, CATALOGUE) if "is not the innermost loop" not in problem.message] == []
    events: list[Any] = []
    outcome = asyncio.run(asyncio.wait_for(Run("x", compile_flow(flow, CATALOGUE), sink=events.append).execute(), 20))
    reference = Reference()
    values, stopping = reference.scope(specs, {}, ())

    def whole(path: tuple[int, ...]) -> bool:
        return not any(path[: len(torn)] == torn for torn in reference.torn)

    statuses = {(event.node, event.path): event.status for event in events if isinstance(event, NodeFinished) and whole(event.path)}
    if stopping:
        assert outcome.status == "failed"
        assert outcome.error is not None
        assert outcome.error.node in stopping
        assert {key: status for key, status in statuses.items() if status != "cancelled"}.items() <= reference.statuses.items()
        return
    assert outcome.status == "completed"
    assert statuses == {key: status for key, status in reference.statuses.items() if whole(key[1])}
    for spec in specs:
        expected = next((values[spec.id, port] for port in ports_of(spec) if values[spec.id, port] is not DEAD), DEAD)
        assert (spec.id in outcome.values) == (expected is not DEAD)
        if expected is not DEAD:
            assert number(outcome.values[spec.id]) == number(expected)
