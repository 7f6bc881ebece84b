"""Threads for sync functions: used again, interrupted only while they run the function they are interrupted for."""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading
import time

import pytest

from nbflow.core.errors import NodeError
from nbflow.engine.threads import NodeInterrupted, ThreadPool, storable

from .harness import until


async def test_a_function_sees_the_callers_context_and_gives_value_and_time():
    name = contextvars.ContextVar("name", default="")
    name.set("here")
    value, seconds = await ThreadPool().call(lambda: (name.get(), threading.current_thread().daemon))
    assert value == ("here", True)
    assert seconds >= 0


async def test_threads_are_used_again():
    pool = ThreadPool()
    seen = set()
    for _ in range(5):
        seen.add((await pool.call(threading.get_ident))[0])
        await until(lambda: pool._idle)
    assert len(seen) == 1


async def test_as_many_run_at_once_as_are_called():
    pool = ThreadPool()
    met = threading.Barrier(30)
    await asyncio.gather(*(pool.call(lambda: met.wait(20)) for _ in range(30)))


@pytest.mark.parametrize("error", [SystemExit(2), StopIteration(), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()])
async def test_errors_that_mean_something_to_python_become_node_errors(error):
    def fails():
        raise error

    with pytest.raises(NodeError):
        await ThreadPool().call(fails)


def test_plain_errors_stay_themselves():
    error = ValueError("no")
    assert storable(error) is error


async def test_a_call_cancelled_before_its_thread_begins_never_runs():
    pool = ThreadPool()
    ran = []
    gate = threading.Event()
    task = asyncio.ensure_future(pool.call(lambda: gate.wait(20)))
    await asyncio.sleep(0.01)
    worker = next(thread for thread in threading.enumerate() if getattr(thread, "pool", None) is pool)
    pool._idle.append(worker)  # gives the busy thread a second job
    late = asyncio.ensure_future(pool.call(lambda: ran.append(1)))
    await asyncio.sleep(0.01)
    late.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    await task
    with pytest.raises(asyncio.CancelledError):
        await late
    assert ran == []


async def test_an_interruption_never_hits_the_next_call():
    """Cancels calls about when they end, many times over, and looks whether the threads go on as if nothing had been."""
    pool = ThreadPool()
    chance = random.Random(1)

    def short():
        end = time.perf_counter() + chance.random() * 0.001
        while time.perf_counter() < end:
            pass
        return "short"

    for _ in range(300):
        task = asyncio.ensure_future(pool.call(short))
        await asyncio.sleep(chance.random() * 0.001)
        task.cancel()
        try:
            value, _ = await task
            assert value == "short"
        except asyncio.CancelledError:
            pass
        assert (await pool.call(lambda: "next"))[0] == "next"
    await until(lambda: len(pool._idle) == len([thread for thread in threading.enumerate() if getattr(thread, "pool", None) is pool]))
    assert len(pool._idle) < 10


async def test_an_interrupted_function_may_clean_up():
    begun, cleaned = threading.Event(), threading.Event()

    def burns():
        begun.set()
        try:
            while True:
                pass
        except NodeInterrupted:
            cleaned.set()
            raise

    task = asyncio.ensure_future(ThreadPool().call(burns))
    await until(begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()
