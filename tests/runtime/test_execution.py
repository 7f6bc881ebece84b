"""The handle that `flow(...)` gives, in scripts and servers."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import Future

import pytest

import nbflow as nf
from nbflow import flow, node
from nbflow.core.errors import ExecutionCancelledError, ExecutionError, StoreError
from nbflow.runtime.execution import Execution
from nbflow.runtime.runtime import Runtime
from nbflow.store.memory import MemoryStore

pytestmark = pytest.mark.usefixtures("in_memory")
HOLD = threading.Event()


@node
def one() -> int:
    return 1


@node
def double(value: int) -> int:
    return value * 2


@node
def explode(value: int) -> int:
    raise ValueError(f"no {value}")


@node(where="thread")
def held() -> str:
    assert HOLD.wait(10)
    return "free"


@node
async def asleep() -> None:
    await asyncio.sleep(60)


@flow
def doubling():
    return double(one())


@flow
def exploding():
    return explode(one())


@flow
def holding():
    return held()


@flow
def sleeping():
    return asleep()


@flow
def two_outputs():
    first = one()
    return {"a": first, "b": double(first)}


@pytest.fixture(autouse=True)
def _closed():
    HOLD.clear()
    yield
    HOLD.set()


def test_result_gives_the_outputs_of_a_script():
    assert dict(doubling().result(10)) == {"double": 2}


def test_a_result_that_does_not_come_in_time_raises_and_the_execution_goes_on():
    execution = holding()

    with pytest.raises(TimeoutError, match=r"has not ended within 0.05 s; it goes on"):
        execution.result(0.05)
    HOLD.set()

    assert dict(execution.result(10)) == {"held": "free"}


def test_awaiting_in_a_script_of_its_own_loop_gives_the_handle():
    async def main():
        return await doubling()

    execution = asyncio.run(main())

    assert (execution.status, execution.output, execution.done) == ("completed", 2, True)


def test_awaiting_a_failing_flow_raises_what_waiting_for_it_does_not():
    async def main():
        execution = exploding()
        waited = await execution.wait()
        with pytest.raises(ExecutionError, match=r"flow 'exploding', node 'explode': ValueError: no 1") as caught:
            await execution
        return waited, caught.value

    execution, error = asyncio.run(main())

    assert error is execution.error
    assert (error.node, error.execution_id, error.execution) == ("explode", execution.id, execution)
    assert isinstance(error.__cause__, ValueError)


def test_the_nodes_of_an_execution_tell_status_output_and_logs():
    execution = exploding()
    with pytest.raises(ExecutionError):
        execution.result(10)

    assert execution.nodes["one"].output == 1
    assert execution.nodes["explode"].status == "failed"
    with pytest.raises(LookupError, match="node 'explode' is failed"):
        _ = execution.nodes["explode"].output


def test_output_asks_for_outputs_where_there_are_more_than_one():
    execution = two_outputs()
    assert dict(execution.result(10)) == {"a": 1, "b": 2}

    with pytest.raises(LookupError, match=r"2 outputs \(a, b\); read .outputs"):
        _ = execution.output


def test_cancelling_twice_and_after_the_end_is_harmless():
    execution = sleeping()
    execution.cancel()
    execution.cancel()
    with pytest.raises(ExecutionCancelledError, match="flow 'sleeping' was cancelled"):
        execution.result(5)
    execution.cancel()

    assert (execution.status, dict(execution.outputs)) == ("cancelled", {})
    assert list(nf.executions().status) == ["cancelled"]


def test_cancelling_the_task_that_awaits_an_execution_cancels_it():
    async def main():
        execution = sleeping()
        task = asyncio.ensure_future(execution.wait())
        await asyncio.sleep(0.1)
        task.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return execution, time.monotonic() - began

    execution, took_s = asyncio.run(main())

    assert execution.status == "cancelled"
    assert took_s < 1


def test_two_executions_run_at_once():
    waiting, quick = holding(), doubling()

    assert quick.result(10)["double"] == 2
    assert waiting.done is False
    HOLD.set()
    assert waiting.result(10)["held"] == "free"


class Refusing(MemoryStore):
    """Writes down the first batches; then the disk is full."""

    def __init__(self, accepted: int) -> None:
        super().__init__()
        self.left = accepted

    def submit(self, records):
        if self.left > 0:
            self.left -= 1
            return super().submit(records)
        refused: Future[None] = Future()
        refused.set_exception(StoreError("the disk is full"))
        return refused


@pytest.mark.filterwarnings("ignore:execution .* ended, but could not be recorded:RuntimeWarning")
def test_a_store_that_fails_at_the_end_does_not_lose_the_result():
    lent = Runtime(store=Refusing(0))

    execution = lent.start(doubling.prepare())

    assert execution.result(10)["double"] == 2
    assert "disk is full" in str(execution.record_error)
    lent.close()


@pytest.mark.filterwarnings("ignore:execution .* ended, but could not be recorded:RuntimeWarning")
def test_a_store_that_fails_in_the_middle_is_told_even_when_the_last_write_works():
    class Hiccup(Refusing):
        def submit(self, records):
            self.left = 1 if records[-1]["k"] == "finished" else 0
            return super().submit(records)

    lent = Runtime(store=Hiccup(0))
    execution = lent.start(holding.prepare())
    time.sleep(0.4)
    HOLD.set()

    assert execution.result(10)["held"] == "free"
    assert "disk is full" in str(execution.record_error)
    lent.close()


SCRIPT = """
import time, sys
from nbflow import flow, node
@node(where="thread")
def burn():
    print("burning", file=sys.__stdout__, flush=True)
    while True: pass
@flow
def hot(): return burn()
execution = hot()
try:
    execution.result()
except KeyboardInterrupt:
    print("ended as", execution.status, flush=True)
"""


def test_interrupting_a_script_that_waits_for_a_result_cancels_the_execution(project, monkeypatch):
    monkeypatch.delenv("NBFLOW_STORE")
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "burning\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    finally:
        process.kill()

    assert out == "ended as cancelled\n"


FORK = """
import os, sys
from nbflow import flow, node
import nbflow as nf
@node(where="thread")
def who():
    print("hello")
    return os.getpid()
@flow
def whose(): return who()
assert whose().result(20)["who"] == os.getpid()
child = os.fork()
if child == 0:
    execution = whose()
    right = execution.result(10)["who"] == os.getpid() and execution.record_error is None
    os._exit(0 if right else 3)
assert os.waitpid(child, 0)[1] == 0
assert whose().result(20)["who"] == os.getpid()
found = nf.sql("select pid, status from workflow_executions")
assert sorted(found.pid) == sorted([os.getpid(), os.getpid(), child]), found
assert set(found.status) == {"completed"}, found
"""


def test_a_forked_child_runs_flows_with_a_journal_of_its_own(monkeypatch):
    monkeypatch.delenv("NBFLOW_STORE")

    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


def test_a_child_of_multiprocessing_runs_flows_too():
    import multiprocessing

    assert doubling().result(10)["double"] == 2
    process = multiprocessing.get_context("fork").Process(target=_in_child)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, from Python 3.12 on
        process.start()
    process.join(20)

    assert process.exitcode == 0


def _in_child():
    assert doubling().result(10)["double"] == 2


GIGABYTE = """
import resource, sys
import numpy as np, pandas as pd
import nbflow as nf
from nbflow import flow, node
@node
def make(rows: int): return pd.DataFrame(np.ones((rows, 10)), columns=list("abcdefghij"))
@node
def same(frame): return frame
@flow
def passing(rows: int):
    value = make(rows)
    for _ in range(5):
        value = same(value)
    return value
if sys.argv[1] == "flow":
    passing(rows=1000).result(60)
    value = passing(rows=12_500_000).result(60)
else:
    passing(rows=1000).result(60)
    value = make(12_500_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_a_gigabyte_frame_through_five_nodes_adds_little_memory_and_only_previews_to_the_store(project, monkeypatch):
    monkeypatch.delenv("NBFLOW_STORE")
    peak = {}
    for how in ("plain", "flow"):
        done = subprocess.run([sys.executable, "-c", GIGABYTE, how], capture_output=True, text=True, timeout=100, check=True)
        peak[how] = float(done.stdout)
    added = sum(path.stat().st_size for path in (project / ".nbflow").rglob("*") if path.is_file() and path.parent.name in {"journal", "artifacts"})

    assert peak["plain"] > 900
    assert peak["flow"] < peak["plain"] * 1.1, peak
    assert added < 1_000_000


def test_a_cancel_right_after_the_start_is_not_lost() -> None:
    @node
    async def rest() -> None:
        await asyncio.sleep(600)

    @flow
    def resting():
        return rest()

    for _ in range(200):
        execution = resting()
        execution.cancel()
        with pytest.raises(ExecutionCancelledError):
            execution.result(10)


async def test_an_execution_on_a_loop_of_the_callers_own_can_be_cancelled_from_another_thread() -> None:
    started = threading.Event()

    @node
    async def rest() -> None:
        started.set()
        await asyncio.sleep(600)

    @flow
    def resting():
        return rest()

    runtime = Runtime(store=MemoryStore())
    seen: list[object] = []
    begin = Execution.begin

    def noted(execution: Execution, *given: object) -> None:
        seen.append(execution)
        begin(execution, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Execution, "begin", noted)
        running = asyncio.create_task(runtime.run(resting.prepare()))
        await asyncio.to_thread(started.wait, 10)
    await asyncio.to_thread(seen[0].cancel)
    execution = await asyncio.wait_for(running, 10)
    assert execution.status == "cancelled"
    runtime.close()
