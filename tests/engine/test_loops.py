"""Loops: order, nesting, what a body sees of the outside, errors of single iterations."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pydantic import Field

from nbflow.authoring.function import node
from nbflow.authoring.loops import for_range, foreach, while_
from nbflow.core.check import check
from nbflow.core.config import NodeConfig
from nbflow.core.current import current_node
from nbflow.core.events import NodeProgressed
from nbflow.core.flow import Edge, Flow, Node
from nbflow.core.node import Context, Failure, Inputs, node_type
from nbflow.engine.plan import compile_flow
from nbflow.engine.run import Run

from .harness import Catalogue, nodes, ran


@node(where="inline")
def items(n=3):
    return list(range(n))


@node(where="inline")
def add(x, y=10):
    return x + y


@node
async def slow_add(x, y=10):
    for _ in range(3 - x % 3):
        await asyncio.sleep(0)
    return x + y


@node(where="thread")
def threaded_add(x, y=10):
    return x + y


@node(where="inline")
def given(n):
    return n


@node(where="inline")
def together(xs: Inputs):
    return list(xs)


@pytest.mark.parametrize("step", [add, slow_add, threaded_add])
@pytest.mark.parametrize("concurrency", [1, 3, 100])
async def test_results_come_in_the_order_of_the_items(step, concurrency):
    def flow():
        return foreach(items(20), lambda x: step(x), concurrency=concurrency)

    assert (await ran(flow)).output == [x + 10 for x in range(20)]


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_a_loop_over_nothing_gives_nothing(concurrency):
    def flow():
        return given(foreach(items(0), lambda x: add(x), concurrency=concurrency))

    assert (await ran(flow)).output == []


async def test_a_loop_without_a_result_gives_none_for_each_item():
    def flow():
        foreach(items(), lambda x: None if add(x) is None else None, id="loop")

    assert (await ran(flow)).outcome.outputs == {"loop": [None, None, None]}


async def test_a_branch_left_out_gives_none():
    def body(x):
        return add(nodes.logic.if_(x, condition="{{ input == 1 }}").true)

    def flow():
        return foreach(items(), body)

    assert (await ran(flow)).output == [None, 11, None]


async def test_a_body_takes_item_and_index():
    def flow():
        return foreach(given(["a", "b"]), lambda item, index: together([item, index, add(index, y=f"{index}")]))

    assert (await ran(flow)).output == [["a", 0, 0], ["b", 1, 2]]


async def test_a_part_of_the_item_can_be_taken():
    def flow():
        return foreach(given([{"n": 1}, {"n": 2}]), lambda row: add(row["n"]))

    assert (await ran(flow)).output == [11, 12]


async def test_an_item_without_the_part_fails_its_iteration_only():
    def flow():
        return foreach(given([{"n": 1}, {}, {"n": 3}]), lambda row: add(row["n"]), on_item_error="collect")

    first, second, third = (await ran(flow)).output
    assert (first, third) == (11, 13)
    assert isinstance(second, Failure)
    assert (second.node, second.index) == ("add", 1)


async def test_a_missing_part_of_a_result_fails_its_iteration_only():
    def flow():
        return foreach(given([{"n": 1}, {}]), lambda row: given.options(id="row")(row)["n"], on_item_error="collect")

    first, second = (await ran(flow)).output
    assert first == 1
    assert (second.node, second.index) == ("row", 1)


async def test_a_body_captures_values_from_outside():
    def flow(n):
        outer = given(n)
        return foreach(items(), lambda x: add(x, y=outer), concurrency=2)

    assert (await ran(flow, {"n": 100})).output == [100, 101, 102]


async def test_a_part_of_an_outer_value_is_captured():
    def flow():
        outer = given.options(id="outer")({"y": 5})
        return foreach(items(), lambda x: add(x, y=outer["y"]))

    assert (await ran(flow)).output == [5, 6, 7]


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_nested_loops_see_items_and_values_of_every_level(concurrency):
    def flow(n):
        far = given(n)

        def outer(x):
            near = add.options(id="near")(x)

            def inner(y):
                return foreach(items.options(id="deepest")(2), lambda z: together([far, near, x, y, z]), concurrency=concurrency, id="innermost")

            return foreach(items.options(id="inner_items")(2), inner, concurrency=concurrency, id="inner")

        return foreach(items(2), outer, concurrency=concurrency, id="outer")

    expected = [[[["far", x + 10, x, y, z] for z in range(2)] for y in range(2)] for x in range(2)]
    result = await ran(flow, {"n": "far"})
    assert result.output == expected
    assert {event.path for event in result.finished("together")} == {(x, y, z) for x in range(2) for y in range(2) for z in range(2)}


async def test_outer_item_and_index_reach_an_inner_loop():
    def flow():
        return foreach(given([[1, 2], [3]]), lambda row, i: foreach(row, lambda x, j: together([row, i, x, j]), id="inner"), id="outer")

    assert (await ran(flow)).output == [[[[1, 2], 0, 1, 0], [[1, 2], 0, 2, 1]], [[[3], 1, 3, 0]]]


async def test_expressions_in_a_body_see_outer_nodes_and_the_item():
    gate = asyncio.Event()

    @node
    async def late():
        await gate.wait()
        return 5

    @node
    async def opens():
        gate.set()

    def flow():
        value = late()
        opens()
        return foreach(items(), lambda x: foreach(items.options(id="more")(2), lambda y: given(f"{value}-{y}"), id="inner"), id="outer")

    assert (await ran(flow)).output == [["5-0", "5-1"]] * 3


async def test_expressions_see_values_of_the_same_iteration():
    def body(x):
        first = add(x)
        return given(f"{first}")

    def flow():
        return foreach(items(), body, concurrency=3)

    assert (await ran(flow)).output == [10, 11, 12]


async def test_a_loop_whose_captured_value_is_skipped_is_skipped():
    def flow():
        check = nodes.logic.if_(given(1), condition="{{ input > 10 }}")
        return foreach(items(), lambda x: add(x, y=check.true), id="loop")

    assert (await ran(flow)).statuses["loop"] == "skipped"


async def test_a_for_loop_counts():
    def flow(n):
        return for_range(1, n, lambda i: add(i), step=2)

    assert (await ran(flow, {"n": 6})).output == [11, 13, 15]


async def test_a_while_loop_hands_on_its_state():
    def flow():
        return while_(given({"page": 0}), "{{ item.page < 3 }}", lambda state: turn(state))

    @node(where="inline")
    def turn(state):
        return {"page": state["page"] + 1}

    result = await ran(flow)
    assert result.output == {"page": 3}
    assert result.finished("while")[0].iterations == 3


async def test_a_while_loop_that_does_not_end_is_an_error():
    def flow():
        return while_(given(0), "{{ item >= 0 }}", lambda x: add(x), max_iterations=50)

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert "50 rounds" in str(result.outcome.error)


async def test_a_while_loop_of_inline_nodes_leaves_the_loop_to_others():
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    @node(where="inline")
    def busy(x):
        time.sleep(0.002)
        return x + 1

    def flow():
        return while_(given(0), "{{ item < 20 }}", lambda x: busy(x))

    task = asyncio.ensure_future(other())
    await ran(flow)
    task.cancel()
    assert turns > 4


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_the_first_failed_iteration_ends_the_flow(concurrency):
    @node
    async def fails_at_one(x):
        await asyncio.sleep(0)
        if x == 1:
            message = "no"
            raise ValueError(message)
        if x > 1:
            await asyncio.sleep(600)
        return x

    def flow():
        return foreach(items(5), lambda x: fails_at_one(x), concurrency=concurrency, id="loop")

    result = await ran(flow)
    assert str(result.outcome.error) == "flow 'flow', node 'fails_at_one', iteration 1: ValueError: no"
    assert result.statuses["loop"] == "failed"
    assert "fails_at_one" in result.finished("loop")[0].error.message
    assert {event.path: event.status for event in result.finished("fails_at_one")}[1,] == "failed"


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_failed_iterations_are_collected_in_their_places(concurrency):
    @node(where="inline")
    def odd(x):
        if x % 2:
            raise ValueError(x)
        return x

    def flow():
        return foreach(items(60), lambda x: odd(x), concurrency=concurrency, on_item_error="collect", id="loop")

    result = await ran(flow)
    assert [value if not isinstance(value, Failure) else -value.index for value in result.output] == [x if x % 2 == 0 else -x for x in range(60)]
    assert result.finished("loop")[0].iterations == 60
    told = {event.path[0]: event.status for event in result.finished("odd")}
    assert all(told[x] == "failed" for x in range(1, 60, 2))
    assert [x for x in told if x % 2 == 0] == list(range(0, 20, 2))


async def test_a_loop_absorbs_the_failure_of_its_body_like_any_node():
    @node(where="inline")
    def fails(x):
        message = "no"
        raise ValueError(message)

    document = Flow(
        name="f",
        nodes=(
            Node(id="items", type="python.function", config={"function": "items"}),
            Node(id="loop", type="logic.loop.foreach", settings=given.options(on_error="continue").settings),
            Node(id="fails", type="python.function", config={"function": "fails"}, parent="loop"),
        ),
        edges=(
            Edge(source="items", target="loop"),
            Edge(source="loop", source_port="item", target="fails", target_port="x"),
            Edge(source="fails", target="loop", target_port="result"),
        ),
    )
    catalogue = Catalogue({"items": items.node_type, "fails": fails.node_type})
    assert check(document, catalogue) == []
    outcome = await Run("x", compile_flow(document, catalogue), sink=lambda _event: None).execute()
    assert outcome.status == "completed"
    assert outcome.outputs["loop"].type == "ValueError"


async def test_a_retried_loop_starts_again_and_counts_anew():
    calls = 0

    @node(where="inline")
    def fails_once(x):
        nonlocal calls
        calls += 1
        if calls == 2:
            message = "no"
            raise ValueError(message)
        return x

    document = Flow(
        name="f",
        nodes=(
            Node(id="items", type="python.function", config={"function": "items"}),
            Node(id="loop", type="logic.loop.foreach", settings=given.options(retry={"max_tries": 2, "wait": 0}).settings),
            Node(id="step", type="python.function", config={"function": "step"}, parent="loop"),
        ),
        edges=(
            Edge(source="items", target="loop"),
            Edge(source="loop", source_port="item", target="step", target_port="x"),
            Edge(source="step", target="loop", target_port="result"),
        ),
    )
    events: list[Any] = []
    plan = compile_flow(document, Catalogue({"items": items.node_type, "step": fails_once.node_type}))
    outcome = await Run("x", plan, sink=events.append).execute()
    assert outcome.outputs == {"loop": [0, 1, 2]}
    (end,) = [event for event in events if getattr(event, "node", "") == "loop" and hasattr(event, "iterations")]
    assert (end.attempt, end.iterations) == (2, 3)
    (retried,) = [event for event in events if hasattr(event, "wait_s")]
    assert retried.error.type == "ValueError"


async def test_a_loop_does_not_hold_a_permit_while_its_nodes_run():
    def flow():
        return foreach(items(), lambda x: foreach(items.options(id="more")(2), lambda y: slow_add(x, y=y), id="inner"), id="outer")

    assert (await ran(flow, concurrency=1)).output == [[x + y for y in range(2)] for x in range(3)]


async def test_a_nodes_own_limit_holds_across_iterations():
    running = most = 0

    @node(concurrency=2)
    async def work(x):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    def flow():
        foreach(items(8), lambda x: work(x), concurrency=8)

    await ran(flow)
    assert most == 2


async def test_a_long_loop_tells_its_progress():
    @node
    async def work(x):
        await asyncio.sleep(0.06)

    def flow():
        foreach(items(5), lambda x: work(x), id="loop")

    told = (await ran(flow)).of(NodeProgressed)
    assert told
    assert all(event.node == "loop" and event.total == 5 and event.fraction == event.done / 5 for event in told)


async def test_what_unrecorded_iterations_consume_is_counted_at_the_loop():
    @node(where="inline")
    def costs(x, ctx):
        ctx.usage(model="m", tokens_in=1, tokens_out=2, cost_usd=0.5)
        return x

    def flow():
        return foreach(items(30), lambda x: costs(x), id="loop")

    result = await ran(flow)
    usages = [event.usage for event in result.finished() if event.usage]
    assert sum(usage.tokens_in for usage in usages) == 30
    assert sum(usage.cost_usd for usage in usages) == 15


class _EchoConfig(NodeConfig):
    times: int = Field(default=2, description="Rounds.")


@node_type("test.echo", container=True)
async def echo(config: _EchoConfig, *, ctx: Context) -> list[Any]:
    """A loop that speaks between its rounds."""
    results = []
    for index in range(config.times):
        results.append(await ctx.body.run(index, index))
        output = current_node.get()
        assert output is not None
        output.write("stdout", f"after {index} ")
    return results


async def test_a_loops_own_output_lands_in_the_loop():
    document = Flow(
        name="f",
        nodes=(
            Node(id="echo", type="test.echo"),
            Node(id="step", type="python.function", config={"function": "step"}, parent="echo"),
        ),
        edges=(Edge(source="echo", source_port="item", target="step", target_port="x"), Edge(source="step", target="echo", target_port="result")),
    )
    events: list[Any] = []
    plan = compile_flow(document, Catalogue({"step": add.node_type}, {"test.echo": echo}))
    outcome = await Run("x", plan, sink=events.append).execute()
    assert outcome.outputs == {"echo": [10, 11]}
    assert [(event.node, event.text) for event in events if hasattr(event, "text")] == [("echo", "after 0 "), ("echo", "after 1 ")]
