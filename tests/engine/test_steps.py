"""Interrupting what holds the loop's thread, and nothing else there."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from nbflow.engine.steps import Hold, resume, step, stepped
from nbflow.engine.threads import NodeInterrupted


def test_nothing_is_interrupted_when_no_node_holds_the_loop():
    assert Hold().interrupt() is False


def test_an_interruption_hits_the_call_that_holds_the_loop_or_nobody():
    hold = Hold()
    stop = threading.Event()
    hits = 0

    def interrupter():
        while not stop.is_set():
            hold.interrupt()
            time.sleep(0)

    def work(_argument=None):
        for number in range(20):
            number + number

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.000_01)
    thread = threading.Thread(target=interrupter)
    thread.start()
    try:
        for _ in range(1_000_000):
            try:
                step(hold, "call", work, None)  # type: ignore[arg-type]
            except NodeInterrupted:
                hits += 1
            work()  # the engine's own: an interruption here would end this test
            if hits > 100:
                break
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert hits > 0
    assert hold.call is None


async def test_a_coroutine_gives_its_value_step_by_step():
    async def work():
        for _ in range(3):
            await asyncio.sleep(0)
        return 5

    assert await stepped(Hold(), None, work()) == 5


async def test_a_coroutine_sees_what_is_thrown_into_it():
    seen = []

    async def work():
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(stepped(Hold(), None, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_the_first_step_may_be_done_elsewhere():
    async def work():
        await asyncio.sleep(0)
        return 7

    hold = Hold()
    steps = work()
    first = step(hold, None, steps.send, None)
    assert await resume(hold, None, steps, first) == 7
