"""Cancelling an execution, wherever its nodes are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach, while_
from nbflow.core.errors import ExecutionCancelledError, FlowTimeoutError
from nbflow.core.events import ExecutionFinished, NodeRetried
from nbflow.core.flow import Retry
from nbflow.engine.guard import threads
from nbflow.engine.services import Services
from nbflow.testing import FakeClock

from .harness import nodes, ran, start, until


@node(where="inline")
def given(n=1):
    return n


@node
async def sleeps(x=None):
    await asyncio.sleep(600)


def assert_cancelled(result, *ids):
    assert result.outcome.status == "cancelled"
    assert isinstance(result.outcome.error, ExecutionCancelledError)
    assert isinstance(result.events[-1], ExecutionFinished)
    assert result.events[-1].status == "cancelled"
    for id_ in ids:
        assert result.statuses[id_] == "cancelled"


async def test_a_sleeping_async_node():
    def flow():
        given.options(id="after")(sleeps(given()))

    started = start(flow)
    await until(lambda: len(started.events) >= 3)
    result = await started.cancel()
    assert_cancelled(result, "sleeps")
    assert result.statuses == {"given": "completed", "sleeps": "cancelled"}  # what never began has no record


async def test_a_thousand_sleeping_nodes():
    def flow():
        for _ in range(1000):
            sleeps()

    started = start(flow, concurrency=1000)
    await until(lambda: len(started.events) > 1000)
    result = await started.cancel()
    assert_cancelled(result)
    assert Counter(result.statuses.values()) == {"cancelled": 1000}


async def test_nodes_that_wait_for_their_turn():
    def flow():
        for _ in range(20):
            sleeps()

    started = start(flow, concurrency=2)
    await until(lambda: len(started.events) > 2)
    await asyncio.sleep(0.01)
    result = await started.cancel()
    assert Counter(result.statuses.values()) == {"cancelled": 20}
    assert len([event for event in result.events if type(event).__name__ == "NodeStarted"]) == 2


async def test_a_thread_that_burns_cpu():
    begun, ended = threading.Event(), threading.Event()

    @node(where="thread")
    def burns():
        begun.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    def flow():
        burns()

    started = start(flow)
    await until(begun.is_set)
    assert_cancelled(await started.cancel(), "burns")
    assert ended.wait(20)


async def test_a_thread_that_does_not_listen_is_left_behind(monkeypatch):
    monkeypatch.setattr("nbflow.engine.threads.GRACE_S", 0.05)
    begun, release = threading.Event(), threading.Event()

    @node(where="thread")
    def deaf():
        begun.set()
        release.wait(60)  # a call into C: not interrupted before it returns

    def flow():
        deaf()

    started = start(flow)
    await until(begun.is_set)
    assert_cancelled(await started.cancel(), "deaf")
    idle = len(threads._idle)
    release.set()
    await until(lambda: len(threads._idle) > idle)  # its thread is used again


async def test_a_thread_in_a_retry_wait():
    class Clock(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(600)

    @node(where="thread", retry=Retry(max_tries=5, wait=timedelta(seconds=600)))
    def fails():
        raise ValueError

    def flow():
        fails()

    started = start(flow, services=Services(clock=Clock()))
    await until(lambda: any(isinstance(event, NodeRetried) for event in started.events))
    result = await started.cancel()
    assert_cancelled(result, "fails")
    assert len(result.of(NodeRetried)) == 1


async def test_a_process_that_burns_cpu(tmp_path: Path):
    note = str(tmp_path / "pid")

    @node(where="process")
    def burns():
        with open(note, "w") as file:
            file.write(str(os.getpid()))
        while True:
            pass

    def flow():
        burns()

    started = start(flow)
    await until(lambda: os.path.exists(note) and os.path.getsize(note))
    assert_cancelled(await started.cancel(), "burns")
    pid = int(Path(note).read_text())

    def gone():
        with contextlib.suppress(OSError):
            return "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1]
        return True

    await until(gone)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_items_of_a_mapped_node(concurrency):
    begun = 0

    @node(each=True, concurrency=concurrency)
    async def work(x):
        nonlocal begun
        begun += 1
        await asyncio.sleep(600)

    def flow():
        work(given([1, 2, 3, 4]))

    started = start(flow)
    await until(lambda: begun == concurrency)
    assert_cancelled(await started.cancel(), "work")
    assert begun == concurrency


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_a_loop(concurrency):
    def flow():
        foreach(given([1, 2, 3, 4]), lambda x: given.options(id="after")(sleeps(x)), concurrency=concurrency, id="loop")

    started = start(flow)
    await until(lambda: len([event for event in started.events if getattr(event, "node", "") == "sleeps"]) == concurrency)
    result = await started.cancel()
    assert_cancelled(result, "loop")
    assert {event.path: event.status for event in result.finished("sleeps")} == {(x,): "cancelled" for x in range(concurrency)}
    assert result.finished("after") == []


async def test_nested_loops_with_threads():
    begun = threading.Event()

    @node(where="thread")
    def burns(x):
        begun.set()
        while True:
            pass

    def flow():
        items = given([1, 2])
        foreach(items, lambda x: foreach(given.options(id="more")([1, 2]), lambda y: burns(y), concurrency=2, id="inner"), concurrency=2, id="outer")

    started = start(flow, concurrency=8)
    await until(begun.is_set)
    assert_cancelled(await started.cancel(), "outer")


async def test_a_loop_of_inline_nodes():
    @node(where="inline")
    def busy(x):
        return sum(range(1000))

    def flow():
        while_(given(), "{{ true }}", lambda x: busy(x), max_iterations=10**9, id="loop")

    started = start(flow)
    await asyncio.sleep(0.05)
    assert_cancelled(await started.cancel(), "loop")


@pytest.mark.parametrize("where", ["inline", "async", "each", "retry"])
async def test_a_node_that_holds_the_loop_is_interrupted_from_outside(where):
    begun = threading.Event()

    def burn(x=None):
        begun.set()
        while True:
            pass

    @node
    async def burns_on_the_loop():
        await asyncio.sleep(0)
        burn()

    def flow():
        sleeps.options(id="other")()
        if where == "async":
            burns_on_the_loop.options(id="burns")()
        elif where == "each":
            node(each=True, where="inline")(burn).options(id="burns")(given([1, 2]))
        elif where == "retry":
            node(retry=3, where="inline")(burn).options(id="burns")()
        else:
            node(where="inline")(burn).options(id="burns")()
        given.options(id="after")("{{ nodes.burns }}")

    started = start(flow)

    def interrupt():
        begun.wait(20)
        assert started.run.inline is not None
        assert started.run.interrupt()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    outcome = await asyncio.wait_for(started.task, 30)
    interrupter.join()
    assert outcome.status == "cancelled"
    statuses = {event.node: event.status for event in started.events if hasattr(event, "status") and hasattr(event, "node")}
    assert statuses["burns"] == statuses["other"] == "cancelled"
    assert "after" not in statuses
    assert started.run.interrupt() is False


async def test_a_node_that_keeps_the_cancellation_to_itself():
    begun = asyncio.Event()

    @node
    async def stubborn():
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(600)
        return "kept"

    def flow():
        sleeps(stubborn())

    started = start(flow)
    await begun.wait()
    started.run.cancel()
    outcome = await asyncio.wait_for(started.task, 20)
    assert outcome.status == "cancelled"
    assert outcome.values == {"stubborn": "kept"}


async def test_an_execution_cancelled_before_it_begins():
    def flow():
        sleeps(given())

    started = start(flow)
    started.run.cancel()
    assert (await asyncio.wait_for(started.task, 20)).status == "cancelled"


async def test_a_failed_task_group_inside_a_node_cancels_nothing():
    """Python 3.11 leaves the task's count of cancellations raised."""

    @node
    async def careful():
        async def fails():
            raise ValueError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(asyncio.sleep(600))
        except* ValueError:
            pass
        return 1

    @node
    async def fails_later(x):
        await asyncio.sleep(0.01)
        raise KeyError(x)

    def flow():
        sleeps.options(id="other")()
        return given(careful.options(id="second")() and careful())

    def failing():
        return sleeps(careful()), fails_later(careful.options(id="second")())

    def simple():
        return given.options(id="end")(careful())

    assert (await ran(simple)).output == 1
    result = await ran(failing)
    assert result.outcome.status == "failed"
    assert result.outcome.error.node == "fails_later"
    assert result.statuses["sleeps"] == "cancelled"


async def test_a_flow_out_of_time_fails():
    def flow():
        given.options(id="after")(sleeps())

    result = await ran(flow, timeout=timedelta(seconds=0.03))
    assert result.outcome.status == "failed"
    assert isinstance(result.outcome.error, FlowTimeoutError)
    assert result.statuses == {"sleeps": "cancelled"}
    assert result.events[-1].status == "failed"


async def test_a_catalogue_node_that_waits():
    def flow():
        nodes.logic.wait(given(), duration=600)

    started = start(flow)
    await until(lambda: len(started.events) >= 3)
    assert_cancelled(await started.cancel(), "wait")
