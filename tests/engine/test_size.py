"""Big flows: linear, without recursion."""

from __future__ import annotations

from collections import Counter

import pytest

from nbflow.authoring.function import node
from nbflow.core.flow import Edge, Flow, FlowSettings, Node
from nbflow.engine.plan import compile_flow
from nbflow.engine.run import Run

from .harness import Catalogue

MANY = 100_000


@node(where="inline")
def one():
    return 1


@node(where="inline")
def inc(x):
    return x + 1


@node
async def later(x):
    return x + 1


def chain(first: list[Node], edges: list[Edge], function: str) -> Flow:
    links = [Node(id=f"n{i}", type="python.function", config={"function": function}) for i in range(MANY)]
    ways = [Edge(source=f"n{i}", target=f"n{i + 1}", target_port="x") for i in range(MANY - 1)]
    return Flow(name="long", nodes=(*first, *links), edges=(*edges, *ways), settings=FlowSettings(keep_outputs=False))


CATALOGUE = Catalogue({"one": one.node_type, "inc": inc.node_type, "later": later.node_type})


@pytest.mark.parametrize("function", ["inc", "later"])
async def test_a_long_chain_runs(function):
    source = Node(id="one", type="python.function", config={"function": "one"})
    flow = chain([source], [Edge(source="one", target="n0", target_port="x")], function)
    outcome = await Run("x", compile_flow(flow, CATALOGUE), sink=lambda _event: None).execute()
    assert outcome.outputs == {f"n{MANY - 1}": MANY + 1}


async def test_a_long_chain_is_skipped():
    source = Node(id="one", type="python.function", config={"function": "one"})
    check = Node(id="check", type="logic.if", config={"condition": "{{ input > 1 }}"})
    ways = [Edge(source="one", target="check"), Edge(source="check", source_port="true", target="n0", target_port="x")]
    statuses: Counter[str] = Counter()

    def sink(event):
        statuses[getattr(event, "status", "")] += 1

    outcome = await Run("x", compile_flow(chain([source, check], ways, "inc"), CATALOGUE), sink=sink).execute()
    assert outcome.status == "completed"
    assert statuses["skipped"] == MANY
