"""What a node's settings put around its call: retry, timeout, limits, disabled."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nbflow.authoring.function import node
from nbflow.core.errors import NodeError, NodeTimeoutError, RateLimitedError, RemoteError
from nbflow.core.events import NodeRetried
from nbflow.core.flow import Retry
from nbflow.engine.services import Services
from nbflow.testing import FakeClock

from .harness import nodes, ran, start, until

if TYPE_CHECKING:
    from nbflow.core.node import Inputs


@node(where="inline")
def given(n=1):
    return n


@node(where="inline")
def together(xs: Inputs):
    return list(xs)


def failing(times: int, error: Exception, where: str):
    """A node that fails so many times, and a list of its calls."""
    calls: list[int] = []

    def body() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return len(calls)

    if where == "async":

        @node(id="shaky")
        async def shaky():
            await asyncio.sleep(0)
            return body()

        return shaky, calls

    @node(id="shaky", where=where)
    def shaky_sync():
        return body()

    return shaky_sync, calls


@pytest.mark.parametrize("where", ["inline", "thread", "async"])
async def test_a_failed_node_is_tried_again_after_growing_waits(where):
    shaky, _ = failing(3, ValueError("no"), where)
    clock = FakeClock()

    def flow():
        return shaky.options(retry=Retry(max_tries=4, wait=timedelta(seconds=2), backoff=3, max_wait=timedelta(seconds=10), jitter=0))()

    result = await ran(flow, services=Services(clock=clock))
    assert result.output == 4
    assert clock.slept == [2, 6, 10]
    assert [(event.attempt, event.wait_s, event.error.type) for event in result.of(NodeRetried)] == [
        (1, 2, "ValueError"),
        (2, 6, "ValueError"),
        (3, 10, "ValueError"),
    ]
    (end,) = result.finished("shaky")
    assert (end.status, end.attempt) == ("completed", 4)


async def test_the_last_tries_error_is_the_nodes():
    shaky, calls = failing(9, ValueError("no"), "inline")

    def flow():
        return shaky.options(retry=2)()

    result = await ran(flow, services=Services(clock=FakeClock()))
    assert result.outcome.status == "failed"
    assert len(calls) == 2
    assert result.finished("shaky")[0].attempt == 2


async def test_waits_are_spread_by_the_jitter():
    shaky, _ = failing(50, ValueError("no"), "inline")
    clock = FakeClock()

    def flow():
        return shaky.options(retry=Retry(max_tries=51, wait=timedelta(seconds=10), backoff=1, jitter=0.5))()

    await ran(flow, services=Services(clock=clock))
    assert all(5 <= wait <= 15 for wait in clock.slept)
    assert len(set(clock.slept)) > 40


async def test_a_service_says_itself_when_to_come_back():
    shaky, _ = failing(1, RateLimitedError("slow down", retry_after=33), "inline")
    clock = FakeClock()

    def flow():
        return shaky.options(retry=2)()

    await ran(flow, services=Services(clock=clock))
    assert clock.slept == [33]


@pytest.mark.parametrize(("error", "tries"), [(NodeError("no"), 1), (NodeError("no", retryable=True), 3), (RemoteError("no", status=404), 1)])
async def test_errors_that_will_not_go_away_are_not_tried_again(error, tries):
    shaky, calls = failing(9, error, "inline")

    def flow():
        return shaky.options(retry=3)()

    await ran(flow, services=Services(clock=FakeClock()))
    assert len(calls) == tries


async def test_a_node_that_waits_for_its_next_try_holds_no_permit():
    gate = asyncio.Event()
    shaky, _ = failing(1, ValueError("no"), "async")

    class Clock(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await gate.wait()

    @node
    async def opens():
        gate.set()

    def flow():
        shaky.options(retry=2)()
        opens()

    assert (await ran(flow, services=Services(clock=Clock()), concurrency=1)).outcome.status == "completed"


async def test_a_node_out_of_time_fails_and_may_be_tried_again():
    calls = 0

    @node
    async def slow():
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.sleep(600)
        return calls

    def flow():
        return slow.options(timeout=0.02, retry=2)()

    result = await ran(flow, services=Services(clock=FakeClock()))
    assert result.output == 2
    assert result.of(NodeRetried)[0].error.type == "NodeTimeoutError"


async def test_a_thread_out_of_time_is_interrupted():
    interrupted = threading.Event()

    @node(where="thread", timeout=0.05)
    def burns():
        try:
            while True:
                pass
        finally:
            interrupted.set()

    def flow():
        burns()

    result = await ran(flow)
    assert isinstance(result.outcome.error.__cause__, NodeTimeoutError)
    assert interrupted.wait(20)


async def test_a_process_out_of_time_is_killed():
    @node(where="process", timeout=0.5)
    def burns():
        while True:
            pass

    def flow():
        burns()

    assert isinstance((await ran(flow)).outcome.error.__cause__, NodeTimeoutError)


async def test_a_functions_own_timeout_error_is_its_own():
    @node(timeout=600)
    async def raises():
        raise TimeoutError("mine")

    def flow():
        raises()

    error = (await ran(flow)).outcome.error.__cause__
    assert type(error) is TimeoutError
    assert str(error) == "mine"


async def test_waiting_for_a_turn_does_not_use_up_a_nodes_time():
    @node
    async def holds():
        await asyncio.sleep(0.2)

    @node(timeout=0.1)
    async def quick():
        await asyncio.sleep(0)
        return 1

    def flow():
        holds()
        return quick()

    assert (await ran(flow, concurrency=1)).output == 1


async def test_a_fast_function_with_a_timeout_stays_in_its_thread():
    seen = []

    @node
    def quick(x):
        seen.append(threading.current_thread() is threading.main_thread())
        return x

    def flow():
        value = given()
        for _ in range(5):
            value = quick.options(timeout=20)(value)
        return value

    await ran(flow)
    assert not any(seen)


async def test_a_nodes_limit_holds_across_executions():
    running = most = 0

    @node(concurrency=2)
    async def work():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    def flow():
        work()

    first = start(flow)
    executions = [first.task]
    for _ in range(5):
        run = type(first.run)("x", first.run.plan, sink=lambda _event: None)
        executions.append(asyncio.ensure_future(run.execute()))
    await asyncio.gather(*executions)
    assert most == 2


async def test_a_disabled_node_passes_its_first_input_on():
    calls = []

    @node(where="inline")
    def work(x, y=0):
        calls.append(x)
        return -1

    def flow():
        return work.options(disabled=True)(given(5), y=given.options(id="y")(6))

    assert (await ran(flow)).output == 5
    assert calls == []


async def test_a_disabled_branch_passes_its_input_out_of_its_first_port():
    def flow():
        check = nodes.logic.if_.options(disabled=True)(given(5), condition="{{ input > 10 }}")
        return nodes.logic.merge(given.options(id="yes")(check.true), given.options(id="no")(check.false))

    result = await ran(flow)
    assert result.output == [5]
    assert result.statuses["no"] == "skipped"


async def test_a_disabled_node_without_inputs_passes_on_what_started_the_flow():
    def flow(n):
        return given.options(disabled=True)()

    assert (await ran(flow, {"n": 5})).output == {"n": 5}


async def test_inline_functions_with_settings_stay_on_the_loop():
    seen = []

    @node(where="inline", retry=2, timeout=20, concurrency=1)
    def here():
        seen.append(threading.current_thread() is threading.main_thread())

    def flow():
        here()

    await ran(flow)
    assert seen == [True]


async def test_cancelling_a_node_that_waits_for_its_limit_leaves_the_limit_usable():
    release = asyncio.Event()

    @node(concurrency=1)
    async def work():
        await release.wait()
        return 1

    def flow():
        work.options(id="a")()

    started = start(flow)
    await until(lambda: started.events and len(started.events) > 1)
    waiting = type(started.run)("x", started.run.plan, sink=lambda _event: None)
    task = asyncio.ensure_future(waiting.execute())
    await asyncio.sleep(0.01)
    task.cancel()
    assert (await task).status == "cancelled"
    release.set()
    assert (await started.task).status == "completed"
    again = type(started.run)("x", started.run.plan, sink=lambda _event: None)
    assert (await again.execute()).status == "completed"


async def test_after_each_call_open_figures_are_gathered():
    gathered = []

    def after_call(call, value):
        gathered.append((call.node, call.figures, value))
        call.figures = None

    @node
    async def plots(ctx):
        ctx.figures = {1: "figure"}
        return 5

    @node(where="thread")
    def plots_in_a_thread(ctx):
        ctx.figures = {1: "figure"}
        return 6

    @node(where="inline", on_error="continue")
    def plots_and_fails(ctx):
        ctx.figures = {1: "figure"}
        raise ValueError

    def flow():
        plots()
        plots_in_a_thread()
        plots_and_fails()

    await ran(flow, services=Services(after_call=after_call))
    assert sorted(gathered, key=str) == [
        ("plots", {1: "figure"}, 5),
        ("plots_and_fails", {1: "figure"}, None),
        ("plots_in_a_thread", {1: "figure"}, 6),
    ]


async def test_time_in_the_thread_decides_where_a_function_runs_next():
    seen = []

    @node
    def slow():
        seen.append(threading.current_thread() is threading.main_thread())
        time.sleep(0.01)

    def flow():
        slow()

    for _ in range(3):
        await ran(flow)
    assert seen == [False] * 3
