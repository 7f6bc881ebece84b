"""Nodes that are mapped over the items of their input."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pandas as pd
import pytest

from nbflow.authoring.function import node
from nbflow.core.current import current_node
from nbflow.core.errors import InputError
from nbflow.core.events import NodeProgressed, NodeRetried
from nbflow.core.flow import Retry
from nbflow.core.node import Failure, Inputs
from nbflow.engine.services import Services
from nbflow.testing import FakeClock

from .harness import nodes, ran


@node(where="inline")
def given(n):
    return n


@node(where="inline")
def together(xs: Inputs):
    return list(xs)


@pytest.mark.parametrize("where", ["inline", "thread", None])
@pytest.mark.parametrize("concurrency", [None, 4])
async def test_a_node_runs_once_per_item_in_order(where, concurrency):
    @node(each=True, where=where, concurrency=concurrency)
    def double(x, y=1):
        return 2 * x * y

    def flow():
        return double(given(list(range(30))), y=given.options(id="y")(3))

    result = await ran(flow)
    assert result.output == [6 * x for x in range(30)]
    (end,) = result.finished("double")
    assert end.iterations == 30


async def test_async_items_overlap_as_far_as_the_node_allows():
    running = most = 0

    @node(each=True, concurrency=3)
    async def work(x):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return x

    def flow():
        return work(given(list(range(10))))

    assert (await ran(flow)).output == list(range(10))
    assert most == 3


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, range(1, 3)])
async def test_anything_that_can_be_gone_through_is_a_list(value):
    @node(where="inline")
    def make():
        return value

    @node(each=True, where="inline")
    def double(x):
        return 2 * x

    def flow():
        return double(make())

    assert (await ran(flow)).output == [2, 4]


async def test_the_items_of_a_frame_are_its_rows():
    @node(where="inline")
    def make():
        return pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})

    @node(each=True, where="inline")
    def show(row):
        return f"{row['a']}{row['b']}"

    def flow():
        return show(make())

    assert (await ran(flow)).output == ["1x", "2y"]


@pytest.mark.parametrize("value", ["text", 5, {"a": 1}, None])
async def test_a_single_value_is_refused(value):
    @node(each=True, where="inline")
    def double(x):
        return 2 * x

    def flow():
        return double(given(value))

    result = await ran(flow)
    assert isinstance(result.outcome.error.__cause__, InputError)
    assert "'x'" in str(result.outcome.error)


async def test_nothing_to_do_gives_an_empty_list():
    @node(each=True)
    async def work(x):
        return x

    def flow():
        return work(given([]))

    assert (await ran(flow)).output == []


async def test_an_if_splits_a_list_over_its_ports():
    def flow():
        check = nodes.logic.if_.options(each=True)(given([1, 20, 3, 40]), condition="{{ input > 10 }}")
        return {"high": given.options(id="high")(check.true), "low": given.options(id="low")(check.false)}

    assert (await ran(flow)).outcome.outputs == {"high": [20, 40], "low": [1, 3]}


async def test_a_way_that_no_item_goes_gets_an_empty_list():
    def flow():
        check = nodes.logic.if_.options(each=True)(given([1]), condition="{{ item > 10 }}")
        return {"high": check.true, "low": check.false}

    assert (await ran(flow)).outcome.outputs == {"high": [], "low": [1]}


async def test_a_switch_splits_a_list_too():
    def flow():
        rules = [{"output": "a", "condition": "input == 1"}, {"output": "b", "condition": "input == 2"}]
        way = nodes.logic.switch.options(each=True)(given([1, 2, 1, 3]), rules=rules)
        return {"a": way.a, "b": way.b}

    assert (await ran(flow)).outcome.outputs == {"a": [1, 1], "b": [2]}


@node(where="inline")
def picky(x):
    if x < 0:
        raise ValueError(x)
    return x


async def test_a_failed_item_stops_the_node():
    def flow():
        return picky.options(each=True)(given([1, -2, 3]))

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert result.outcome.error.__cause__.__notes__ == ["item 1 of node 'picky'"]
    assert [(event.path, event.status) for event in result.finished("picky")] == [((1,), "failed"), ((), "failed")]


async def test_an_errors_own_cause_survives():
    @node(each=True, where="inline")
    def fails(x):
        try:
            raise KeyError(x)
        except KeyError as error:
            message = "no"
            raise ValueError(message) from error

    def flow():
        return fails(given([1]))

    assert isinstance((await ran(flow)).outcome.error.__cause__.__cause__, KeyError)


async def test_failed_items_keep_their_places_with_continue():
    def flow():
        return picky.options(each=True, on_error="continue", concurrency=2)(given([1, -2, 3]))

    one, failure, three = (await ran(flow)).output
    assert (one, three) == (1, 3)
    assert isinstance(failure, Failure)
    assert (failure.index, failure.type, failure.message) == (1, "ValueError", "-2")


async def test_failed_items_leave_by_the_error_port_with_output():
    def flow():
        some = picky.options(each=True, on_error="output")(given([1, -2, 3]))
        return {"good": some, "bad": given.options(id="bad")(some.error)}

    outputs = (await ran(flow)).outcome.outputs
    assert outputs["good"] == [1, 3]
    assert [failure.index for failure in outputs["bad"]] == [1]


async def test_without_failed_items_the_error_port_is_dead():
    def flow():
        some = picky.options(each=True, on_error="output")(given([1, 3]))
        given.options(id="bad")(some.error)
        return some

    result = await ran(flow)
    assert result.output == [1, 3]
    assert result.statuses["bad"] == "skipped"


async def test_each_item_is_retried_by_itself():
    calls: dict[int, int] = {}

    @node(each=True, where="inline", retry=Retry(max_tries=3, wait=timedelta(seconds=1), jitter=0), concurrency=2)
    def shaky(x):
        calls[x] = calls.get(x, 0) + 1
        if calls[x] <= x:
            raise ValueError(x)
        return x

    def flow():
        return shaky(given([0, 1, 2]))

    clock = FakeClock()
    result = await ran(flow, services=Services(clock=clock))
    assert result.output == [0, 1, 2]
    assert calls == {0: 1, 1: 2, 2: 3}
    assert sorted(clock.slept) == [1, 1, 2]
    assert sorted(event.path for event in result.of(NodeRetried)) == [(1,), (2,), (2,)]


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
@pytest.mark.parametrize("where", ["inline", "thread", "async"])
async def test_errors_that_mean_something_to_python_are_failures_of_their_item(error, where):
    async def coroutine(x):
        await asyncio.sleep(0)
        raise error

    def plain(x):
        raise error

    work = node(each=True, on_error="continue")(coroutine) if where == "async" else node(each=True, on_error="continue", where=where)(plain)

    def flow():
        return work(given([1, 2]))

    result = await ran(flow)
    assert [failure.type for failure in result.output] == ["NodeError", "NodeError"]


async def test_expressions_see_the_item_and_its_place():
    @node(each=True, where="inline")
    def show(x, text=""):
        return text

    def flow():
        return show(given(["a", "b"]), text="{{ index }}:{{ item }}:{{ input }}")

    assert (await ran(flow)).output == ["0:a:a", "1:b:b"]


async def test_output_and_usage_of_items_land_in_the_nodes_record():
    @node(each=True)
    async def talks(x, ctx):
        output = current_node.get()
        assert output is not None
        output.write("stdout", f"{x}{ctx.path}")
        ctx.usage(model="m", tokens_in=2)
        return await asyncio.to_thread(lambda: current_node.get() is output)

    @node(each=True, where="thread")
    def threaded(x):
        output = current_node.get()
        assert output is not None
        output.write("stdout", f"{x}{threading.current_thread() is threading.main_thread()}")

    def flow():
        talks(given([7, 8]))
        threaded(given.options(id="more")([9]))

    result = await ran(flow)
    assert result.outcome.values["talks"] == [True, True]
    assert result.printed("talks") == "7(0,)8(1,)"
    assert result.printed("threaded") == "9False"
    assert {event.path for event in result.events if hasattr(event, "text")} == {()}
    assert result.finished("talks")[0].usage.tokens_in == 4


async def test_progress_counts_items():
    @node(each=True)
    async def work(x, ctx):
        ctx.progress(0.5)  # of one item: not the node's
        await asyncio.sleep(0.06)

    def flow():
        work(given([1, 2, 3, 4]))

    told = (await ran(flow)).of(NodeProgressed)
    assert told
    assert all(event.total == 4 and event.fraction == event.done / 4 for event in told)


async def test_an_item_that_cancels_its_task_is_an_error():
    @node(each=True)
    async def cancels(x):
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(600)

    def flow():
        return cancels(given([1, 2]))

    result = await ran(flow)
    assert result.outcome.status == "failed"


async def test_many_fast_items_leave_the_loop_to_others():
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    @node(each=True, where="inline")
    def busy(x):
        return sum(range(20_000))

    def flow():
        return busy(given(list(range(200))))

    task = asyncio.ensure_future(other())
    await ran(flow)
    task.cancel()
    assert turns > 5
