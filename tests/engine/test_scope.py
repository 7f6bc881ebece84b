"""One activation of a plan: order, branches, joins, failures, where output goes."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach
from nbflow.core.current import current_node
from nbflow.core.errors import InputError, NodeError
from nbflow.core.events import ExecutionFinished, NodeFinished, NodeProgressed, NodeStarted
from nbflow.core.node import Context, Emit, Failure, Inputs

from .harness import nodes, ran


@node(where="inline")
def one() -> int:
    return 1


@node(where="inline")
def inc(x):
    return x + 1


@node
async def later(x):
    await asyncio.sleep(0)
    return x


@node(where="thread")
def threaded(x):
    return x


@node(where="inline")
def bad(x=None):
    message = "no"
    raise ValueError(message)


@node(where="inline")
def together(xs: Inputs):
    return list(xs)


def test_sync_async_and_threaded_nodes_pass_values_by_reference():
    value = object()

    @node(where="inline")
    def make():
        return value

    def flow():
        return later(threaded(later(make())))

    assert asyncio.run(ran(flow)).output is value


async def test_independent_async_nodes_overlap():
    met = asyncio.Barrier(3)

    @node
    async def meet():
        await asyncio.wait_for(met.wait(), 20)
        return 1

    def flow():
        return together([meet(), meet(), meet()])

    assert (await ran(flow)).output == [1, 1, 1]


async def test_independent_threaded_nodes_overlap():
    met = threading.Barrier(3)

    @node(where="thread")
    def meet():
        met.wait(20)
        return 1

    def flow():
        return together([meet(), meet(), meet()])

    assert (await ran(flow)).output == [1, 1, 1]


async def test_an_async_node_overlaps_with_a_chain_of_inline_nodes():
    gate = asyncio.Event()

    @node
    async def waits():
        await gate.wait()
        return "waited"

    @node
    async def opens(x):
        gate.set()
        return x

    def flow():
        return together([waits(), opens(inc(inc(one())))])

    assert (await ran(flow)).output == ["waited", 3]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_no_more_nodes_run_at_once_than_the_flow_allows(limit):
    running = most = 0

    @node
    async def work(x=0):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return x

    def flow():
        items = one_to_eight()
        return together([*[work() for _ in range(8)], foreach(items, lambda item: work(item), concurrency=8)])

    @node(where="inline")
    def one_to_eight():
        return list(range(8))

    result = await ran(flow, concurrency=limit)
    assert result.output == [*[0] * 8, list(range(8))]
    assert most == limit


async def test_waiting_for_a_permit_is_no_running_time():
    @node
    async def holds():
        await asyncio.sleep(0.05)

    @node
    async def quick():
        await asyncio.sleep(0)

    def flow():
        holds()
        quick()

    result = await ran(flow, concurrency=1)
    (first,), (second,) = result.finished("holds"), result.finished("quick")
    assert second.started_ns >= first.started_ns + first.duration_ns
    assert len(result.started("quick")) == 1
    assert result.started("quick")[0].at_ns == second.started_ns


# Branches ------------------------------------------------------------------------------------------------------


def branches(wait: str = "live"):
    def flow(n):
        value = given(n)
        check = nodes.logic.if_(value, condition="{{ input > 10 }}")
        high = inc.options(id="high")(check.true)
        low = later.options(id="low")(check.false)
        after = inc.options(id="after")(low)
        return nodes.logic.merge(high, after, wait=wait)

    return flow


@node(where="inline")
def given(n):
    return n


async def test_the_other_way_is_skipped_down_to_the_merge():
    result = await ran(branches(), {"n": 20})
    assert result.output == [21]
    assert result.statuses == {
        "given": "completed",
        "check": "completed",
        "high": "completed",
        "low": "skipped",
        "after": "skipped",
        "merge": "completed",
    }
    result = await ran(branches(), {"n": 2})
    assert result.output == [3]
    assert result.statuses["high"] == "skipped"


async def test_a_merge_that_waits_for_all_is_skipped_when_a_branch_is():
    result = await ran(branches("all"), {"n": 20})
    assert result.statuses["merge"] == "skipped"
    assert result.outcome.outputs == {}
    assert result.outcome.status == "completed"


async def test_a_merge_is_skipped_when_every_branch_is():
    def flow():
        check = nodes.logic.if_(one(), condition="{{ input > 10 }}")
        left, right = inc(check.true), inc(check.true)
        return inc.options(id="end")(nodes.logic.merge(left, right))

    result = await ran(flow)
    assert [result.statuses[id_] for id_ in ("inc", "inc_2", "merge", "end")] == ["skipped"] * 4


async def test_a_node_that_takes_any_input_runs_once_with_the_first():
    gate = asyncio.Event()
    calls = []

    @node
    async def slow():
        await gate.wait()
        return "slow"

    @node(where="inline")
    def fast():
        return "fast"

    @node(join="any", where="inline")
    def first(xs: Inputs):
        calls.append(list(xs))
        gate.set()
        return xs[0]

    def flow():
        return first([slow(), fast()])

    result = await ran(flow)
    assert result.output == "fast"
    assert calls == [["fast"]]
    assert result.statuses["slow"] == "completed"


async def test_a_second_input_that_arrives_before_the_first_one_is_used_is_ignored():
    @node(join="any")
    async def first(xs: Inputs):
        return list(xs)

    def flow():
        return first([one(), one()])

    assert (await ran(flow)).output == [1]


async def test_a_node_that_takes_any_input_waits_for_those_its_expressions_name():
    gate = asyncio.Event()

    @node
    async def named():
        await gate.wait()
        return 5

    @node
    async def opens():
        gate.set()

    @node(join="any", where="inline")
    def first(xs: Inputs, extra=None):
        return [*xs, extra]

    def flow():
        number = named()
        opens()
        return first([one()], extra=f"{number}")

    assert (await ran(flow)).output == [1, 5]


async def test_functions_may_join_live_branches():
    @node(join="live", where="inline")
    def either(a=None, b=None):
        return (a, b)

    def flow():
        check = nodes.logic.if_(one(), condition="{{ input == 1 }}")
        return either(check.true, check.false)

    assert (await ran(flow)).output == (1, None)


async def test_a_switch_sends_its_input_one_of_several_ways():
    def flow(n):
        way = nodes.logic.switch(given(n), rules=[{"output": "small", "condition": "input < 10"}, {"output": "large", "condition": "input >= 10"}])
        return {"small": inc(way.small), "large": inc(way.large)}

    assert (await ran(flow, {"n": 3})).outcome.outputs == {"small": 4}
    assert (await ran(flow, {"n": 30})).outcome.outputs == {"large": 31}


async def test_merged_values_come_in_the_order_of_the_edges_not_of_time():
    gate = asyncio.Event()

    @node
    async def last():
        await gate.wait()
        return "a"

    @node
    async def first():
        gate.set()
        return "b"

    def flow():
        return together([last(), first()])

    assert (await ran(flow)).output == ["a", "b"]


# Ports, paths, expressions -------------------------------------------------------------------------------------


async def test_a_function_with_several_ports_leaves_by_those_it_names():
    @node(outputs=("even", "odd"), where="inline")
    def sort(x):
        return Emit(even=x) if x % 2 == 0 else Emit(odd=x)

    def flow(n):
        way = sort(given(n))
        return {"even": inc(way.even), "odd": inc(way.odd)}

    assert (await ran(flow, {"n": 4})).outcome.outputs == {"even": 5}


@pytest.mark.parametrize(("value", "said"), [(Emit(evne=1), "no output evne"), (5, "return nf.Emit(even=value)")])
@pytest.mark.parametrize("where", ["inline", "thread"])
async def test_a_value_with_no_way_out_is_an_error(value, said, where):
    @node(outputs=("even", "odd"), where=where)
    def sort():
        return value

    def flow():
        return inc(sort().even)

    result = await ran(flow)
    assert said in str(result.outcome.error)
    assert isinstance(result.outcome.error.__cause__, NodeError)


async def test_an_edge_picks_a_part_of_the_value():
    @node(where="inline")
    def answer():
        return {"rows": [1, 2, {"deep": "x"}]}

    def flow():
        return together([answer.options(id="a")()["rows"][2]["deep"], inc(answer.options(id="b")()["rows"][0])])

    assert (await ran(flow)).output == ["x", 2]


async def test_a_part_that_is_not_there_fails_the_node_that_asks_for_it():
    def flow():
        value = one()
        inc.options(id="fine")(value)
        return inc.options(id="asks")(value["rows"])

    result = await ran(flow)
    assert result.statuses == {"one": "completed", "fine": "completed", "asks": "failed"}
    assert result.outcome.error.node == "asks"
    assert "['rows']" in str(result.outcome.error)
    assert isinstance(result.outcome.error.__cause__, InputError)


async def test_a_part_that_is_not_there_can_be_absorbed():
    def flow():
        return together([inc.options(on_error="continue")(one()["rows"])])

    (failure,) = (await ran(flow)).output
    assert isinstance(failure, Failure)


async def test_a_missing_part_of_a_flows_output_fails_the_flow():
    def flow():
        return one()["rows"]

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert result.outcome.error.node == "one"


async def test_an_expression_makes_its_node_wait_for_the_one_it_names():
    gate = asyncio.Event()

    @node
    async def slow():
        await gate.wait()
        return {"total": 7}

    @node
    async def opens():
        gate.set()

    def flow():
        value = slow()
        opens()
        return inc(f"{value['total']}")

    assert (await ran(flow)).output == 8


async def test_a_node_that_names_a_skipped_one_still_runs():
    def flow():
        check = nodes.logic.if_(one(), condition="{{ input > 10 }}")
        inc.options(id="gone")(check.true)
        return given.options(id="end")("{{ nodes.gone | default('nothing') }}")

    assert (await ran(flow)).output == "nothing"


async def test_a_function_may_change_a_literal_it_was_given():
    @node(where="inline")
    def grow(items):
        items.append(1)
        return items

    def flow():
        return together([grow([0]), grow([0])])

    for _ in range(2):
        assert (await ran(flow)).output == [[0, 1], [0, 1]]


async def test_the_context_is_lent_to_functions_that_ask_for_it():
    @node
    def asks(x, ctx):
        ctx.log("seen")
        return x, ctx.node, ctx.flow, ctx.execution_id, ctx.path, ctx.attempt, dict(ctx.params)

    @node
    async def asks_by_type(x, lent: Context):
        lent.progress(0.4, "loading")
        return lent.node

    def flow(n):
        return together([asks(one()), asks_by_type(one())])

    result = await ran(flow, {"n": 1})
    assert result.output == [(1, "asks", "flow", "the-id", (), 1, {"n": 1}), "asks_by_type"]
    assert result.printed("asks") == "seen"
    (progress,) = result.of(NodeProgressed)
    assert (progress.node, progress.fraction, progress.message) == ("asks_by_type", 0.4, "loading")


@pytest.mark.parametrize("where", ["inline", "thread", None])
async def test_a_sync_function_may_give_an_awaitable(where):
    async def work(x):
        await asyncio.sleep(0)
        return x + 1

    @node(where=where)
    def wrapper(x):
        return work(x)

    def flow():
        return wrapper(wrapper.options(id="second")(one()))

    for _ in range(3):
        assert (await ran(flow)).output == 3


@pytest.mark.parametrize("where", ["inline", "thread"])
async def test_an_awaitable_from_a_sync_function_may_fail(where):
    async def work():
        await asyncio.sleep(0)
        message = "no"
        raise KeyError(message)

    @node(where=where)
    def wrapper():
        return work()

    def flow():
        return wrapper()

    result = await ran(flow)
    assert isinstance(result.outcome.error.__cause__, KeyError)


async def test_a_fast_function_moves_from_its_thread_to_the_loop():
    where = []

    @node
    def quick(x):
        where.append(threading.current_thread() is threading.main_thread())
        return x

    def flow():
        return quick(quick(quick(one())))

    await ran(flow)
    await ran(flow)
    assert where[0] is False
    assert where[-1] is True


# Failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["inline", "thread"])
async def test_a_failing_node_stops_the_flow(where):
    @node(where=where)
    def fails(x):
        message = "no"
        raise ValueError(message)

    def flow():
        return inc(fails(one()))

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert result.statuses == {"one": "completed", "fails": "failed"}
    assert isinstance(result.outcome.error.__cause__, ValueError)
    assert str(result.outcome.error) == "flow 'flow', node 'fails': ValueError: no"
    assert result.outcome.values == {"one": 1}
    assert result.events[-1].error_node == "fails"


async def test_a_failure_cancels_what_runs_and_starts_nothing_more():
    started = threading.Event()

    @node
    async def sleeps():
        started.set()
        await asyncio.sleep(600)

    @node
    async def sleeps_in_a_loop(x):
        await asyncio.sleep(600)

    @node
    async def fails():
        await asyncio.sleep(0.01)
        message = "no"
        raise ValueError(message)

    @node(where="inline")
    def items():
        return [1, 2, 3]

    def flow():
        inc(sleeps())
        foreach(items(), lambda x: sleeps_in_a_loop(x), concurrency=2, id="loop")
        inc.options(id="never")(fails())

    result = await ran(flow)
    assert result.statuses == {"sleeps": "cancelled", "items": "completed", "loop": "cancelled", "fails": "failed"}
    assert {event.status for event in result.finished("sleeps_in_a_loop")} == {"cancelled"}
    assert isinstance(result.events[-1], ExecutionFinished)


async def test_the_first_of_several_failures_is_the_flows():
    @node
    async def fails(name):
        raise ValueError(name)

    def flow():
        fails.options(id="a")("a")
        fails.options(id="b")("b")

    result = await ran(flow)
    assert result.outcome.error.node == "a"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration(), GeneratorExit(), asyncio.CancelledError()])
@pytest.mark.parametrize("where", ["inline", "thread"])
async def test_errors_that_mean_something_to_python_are_failures_of_their_node(error, where):
    @node(where=where)
    def raises():
        raise error

    def flow():
        return inc(raises())

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert result.outcome.error.node == "raises"
    assert isinstance(result.outcome.error.__cause__, NodeError)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("settings", [{}, {"timeout": 20}, {"retry": 1}])
async def test_the_same_errors_are_failures_of_async_nodes(error, wait, settings):
    @node
    async def raises():
        if wait:
            await asyncio.sleep(0)
        raise error

    def flow():
        one()
        return inc(raises.options(**settings)())

    result = await ran(flow)
    assert result.outcome.status == "failed"
    assert result.outcome.error.node == "raises"
    assert isinstance(result.outcome.error.__cause__, NodeError)


async def test_waiting_for_something_that_was_cancelled_is_no_cancelled_execution():
    @node
    async def waits():
        task = asyncio.ensure_future(asyncio.sleep(600))
        task.cancel()
        await task

    def flow():
        waits.options(id="a", on_error="continue")()
        return inc(one())

    result = await ran(flow)
    assert result.outcome.status == "completed"
    assert result.statuses["a"] == "failed"
    assert "CancelledError" in result.finished("a")[0].error.message


async def test_a_node_that_cancels_its_own_task_ends_the_execution():
    @node
    async def cancels():
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(600)

    @node
    async def sleeps():
        await asyncio.sleep(600)

    def flow():
        sleeps()
        return inc(cancels())

    result = await ran(flow)
    assert result.outcome.status in {"failed", "cancelled"}
    assert result.statuses["sleeps"] == "cancelled"


async def test_an_async_node_may_start_tasks_of_its_own():
    @node
    async def spreads(n):
        async def part(i):
            await asyncio.sleep(0)
            print_to_node(f"{i} ")
            return i

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part(i)) for i in range(n)]
        return [task.result() for task in tasks]

    def flow():
        return spreads(3)

    result = await ran(flow)
    assert result.output == [0, 1, 2]
    assert sorted(result.printed("spreads").split()) == ["0", "1", "2"]


async def test_on_error_continue_gives_a_failure_as_the_value():
    def flow():
        return together([bad.options(on_error="continue")(one()), one()])

    result = await ran(flow)
    failure, number = result.output
    assert (failure.node, failure.type, failure.message, number) == ("bad", "ValueError", "no", 1)
    assert not failure
    assert result.statuses["bad"] == "failed"


async def test_on_error_output_sends_the_failure_its_own_way():
    def flow():
        risky = bad.options(on_error="output")(one())
        inc.options(id="good")(risky)
        return {"handled": together.options(id="handler")([risky.error]), "risky": risky.error}

    result = await ran(flow)
    assert result.statuses["good"] == "skipped"
    assert result.outcome.outputs["handled"][0].message == "no"
    assert result.outcome.outputs["risky"].message == "no"


async def test_on_error_output_leaves_the_error_port_dead_when_all_went_well():
    def flow():
        fine = inc.options(on_error="output")(one())
        together.options(id="handler")([fine.error])
        return fine

    result = await ran(flow)
    assert result.output == 2
    assert result.statuses["handler"] == "skipped"


# Events and the node that is running ---------------------------------------------------------------------------


def print_to_node(text: str) -> None:
    """What the display layer makes of print()."""
    node_output = current_node.get()
    assert node_output is not None
    node_output.write("stdout", text)


async def test_events_come_in_order_and_say_what_was_seen_running():
    def flow():
        return threaded(later(inc(one())))

    result = await ran(flow)
    order = [(type(event).__name__, getattr(event, "node", "")) for event in result.events]
    assert order == [
        ("ExecutionStarted", ""),
        ("NodeFinished", "one"),
        ("NodeFinished", "inc"),
        ("NodeStarted", "later"),
        ("NodeFinished", "later"),
        ("NodeStarted", "threaded"),
        ("NodeFinished", "threaded"),
        ("ExecutionFinished", ""),
    ]
    assert [event.preview for event in result.of(NodeFinished)] == [1, 2, 2, 2]
    assert all(event.duration_ns >= 0 and event.started_ns > 0 for event in result.of(NodeFinished))


async def test_output_lands_in_the_node_that_makes_it():
    order = asyncio.Lock()

    @node
    async def talks(name):
        for _ in range(3):
            async with order:
                await asyncio.sleep(0)
            print_to_node(name)
            await asyncio.to_thread(print_to_node, name.upper())
            await asyncio.create_task(in_a_task(name))
        return name

    async def in_a_task(name):
        await asyncio.sleep(0)
        print_to_node(f"{name}!")

    @node(where="thread")
    def in_a_thread(name):
        print_to_node(name)
        return name

    @node(where="inline")
    def inline(name):
        print_to_node(name)
        return name

    def flow():
        return together([*[talks.options(id=f"t{i}")(f"t{i}") for i in range(3)], in_a_thread("thread"), inline("inline")])

    result = await ran(flow)
    for i in range(3):
        assert result.printed(f"t{i}") == f"t{i}T{i}t{i}!" * 3
    assert result.printed("in_a_thread") == "thread"
    assert result.printed("inline") == "inline"
    assert current_node.get() is None


async def test_output_inside_loops_lands_in_its_iteration():
    @node
    async def talks(x):
        print_to_node(f"{x}")
        await asyncio.sleep(0)
        print_to_node(f"{x}")
        return x

    @node(where="inline")
    def items():
        return [7, 8]

    def flow():
        return foreach(items(), lambda x: talks(x), concurrency=2, id="loop")

    result = await ran(flow)
    texts: dict[Any, str] = {}
    for event in result.events:
        if hasattr(event, "text"):
            texts[event.path] = texts.get(event.path, "") + event.text
    assert texts == {(0,): "77", (1,): "88"}


async def test_output_of_iterations_that_are_not_recorded_lands_in_the_loop():
    @node(where="inline")
    def talks(x):
        print_to_node(f"{x} ")
        return x

    @node(where="inline")
    def items():
        return list(range(23))

    def flow():
        return foreach(items(), lambda x: talks(x), id="loop")

    result = await ran(flow)
    assert [event.path for event in result.finished("talks")] == [*[(i,) for i in range(20)], (22,)]
    assert result.printed("loop") == "20 21 "
    assert len([event for event in result.of(NodeStarted) if event.node == "loop"]) <= 1


async def test_what_is_left_behind_in_a_thread_says_nothing_after_the_end():
    go = threading.Event()
    done = threading.Event()

    @node(where="thread")
    def talks():
        output = current_node.get()

        def later_on():
            go.wait(20)
            output.write("stdout", "too late")
            done.set()

        threading.Thread(target=later_on, daemon=True).start()

    def flow():
        talks()

    result = await ran(flow)
    go.set()
    done.wait(20)
    assert isinstance(result.events[-1], ExecutionFinished)
