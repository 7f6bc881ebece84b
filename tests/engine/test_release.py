"""With keep_outputs=False a value lives until its last consumer has ended."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach

from .harness import nodes, ran

if TYPE_CHECKING:
    from nbflow.core.node import Inputs


class Frame:
    """Something big."""


class Watch:
    def __init__(self):
        self.made: list[weakref.ref[Frame]] = []

    def make(self):
        frame = Frame()
        self.made.append(weakref.ref(frame))
        return frame

    @property
    def alive(self):
        gc.collect()
        return sum(ref() is not None for ref in self.made)


def makers(watch: Watch, where: str):
    """A source, a step that gives a new value, and a count of the values that live."""
    if where == "async":

        @node(id="source")
        async def source():
            await asyncio.sleep(0)
            return watch.make()

        @node(id="step")
        async def step(x):
            await asyncio.sleep(0)
            return watch.make()

    else:

        @node(id="source", where=where)
        def source():
            return watch.make()

        @node(id="step", where=where)
        def step(x):
            return watch.make()

    @node(id="count", where="inline")
    def count(x):
        return watch.alive

    return source, step, count


@pytest.mark.parametrize("where", ["inline", "thread", "async"])
async def test_a_value_dies_after_its_last_consumer(where):
    watch = Watch()
    source, step, count = makers(watch, where)

    def flow():
        return count(step(step.options(id="b")(step.options(id="a")(source()))))

    assert (await ran(flow, keep_outputs=False)).output == 1  # only the one it is given itself
    assert watch.alive == 0
    result = await ran(flow, keep_outputs=True)
    assert result.output == 1 + 3
    assert watch.alive == 4


async def test_a_value_lives_as_long_as_another_consumer_is_to_come():
    watch = Watch()
    source, step, count = makers(watch, "inline")

    @node(where="inline")
    def last(x, n):
        return x is not None, n, watch.alive

    def flow():
        first = source()
        return last(first, count(step(step.options(id="more")(first))))

    assert (await ran(flow, keep_outputs=False)).output == (True, 2, 1)


@pytest.mark.parametrize("where", ["inline", "thread", "async"])
async def test_values_in_loops_die_with_their_iteration(where):
    watch = Watch()
    source, step, count = makers(watch, where)

    @node(where="inline")
    def items():
        return [1, 2, 3]

    def flow():
        return foreach(items(), lambda x: count(step(source.options(id="inside")())), id="loop")

    assert (await ran(flow, keep_outputs=False)).output == [1, 1, 1]


async def test_what_a_loop_captured_and_gave_dies_with_its_consumers():
    watch = Watch()
    source, step, count = makers(watch, "inline")

    @node(where="inline")
    def items():
        return [1, 2]

    def flow():
        outer = source()
        loop = foreach(items(), lambda x: step(outer), id="loop")
        return count.options(id="end")(count(loop))

    assert (await ran(flow, keep_outputs=False)).output == 0
    assert watch.alive == 0


async def test_a_value_named_by_expressions_lives_until_the_last_of_those_nodes_has_ended():
    watch = Watch()
    source, _, count = makers(watch, "inline")

    @node(where="inline")
    def reads(x, text=""):
        return watch.alive

    @node(where="inline")
    def items():
        return [1, 2]

    def flow():
        value = source()
        first = reads.options(id="first")(count.options(id="c1")(1), text="{{ nodes.source }}")
        looped = foreach(items(), lambda x: reads.options(id="inner")(first, text="{{ nodes.source }}"), id="loop")
        end = count.options(id="end")(count.options(id="c2")(looped))
        return {"first": first, "looped": looped, "end": end} if value is not None else None

    result = await ran(flow, keep_outputs=False)
    assert result.outcome.outputs == {"first": 1, "looped": [1, 1], "end": 0}


async def test_skipped_and_failed_nodes_let_go_of_their_inputs():
    watch = Watch()
    source, _, count = makers(watch, "inline")

    @node(where="inline", on_error="continue")
    def fails(x):
        raise ValueError

    @node(where="inline")
    def none(x):
        return 1

    @node(where="inline")
    def both(a, b):
        return 2

    def flow():
        failure = fails(source.options(id="first")())
        check = nodes.logic.if_(none(source.options(id="second")()), condition="{{ input > 10 }}")
        skipped = both(source.options(id="third")(), check.true)
        merged = nodes.logic.merge(skipped, none.options(id="other")(failure))
        return count(none.options(id="end")(merged))

    assert (await ran(flow, keep_outputs=False)).output == 0


async def test_the_flows_outputs_are_kept():
    watch = Watch()
    source, step, _ = makers(watch, "inline")

    def flow():
        value = source()
        return {"value": value, "next": step(value)}

    result = await ran(flow, keep_outputs=False)
    assert set(result.outcome.outputs) == {"value", "next"}
    assert watch.alive == 2
    assert set(result.outcome.values) == {"source", "step"}


async def test_ignored_inputs_are_not_kept():
    watch = Watch()
    gate = asyncio.Event()

    @node
    async def slow():
        await gate.wait()
        return watch.make()

    @node(where="inline")
    def fast():
        return 1

    @node(join="any", where="inline")
    def first(xs: Inputs):
        gate.set()
        return xs[0]

    @node
    async def count(x, y):
        return watch.alive

    def flow():
        late = slow()
        return count(first([late, fast()]), "{{ nodes.after }}"), after(late)

    @node
    async def after(x):
        return 1

    result = await ran(flow, keep_outputs=False)
    assert result.outcome.outputs["count"] == 0, result.outcome.error
