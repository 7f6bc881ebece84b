"""Interrupting a cell, killing its kernel."""

from __future__ import annotations

import os
import signal
import time

import pytest

import nbflow as nf

from .conftest import eventually

BURN = {
    "a thread": "@node(where='thread')\ndef burn():\n    open(MARK, 'w').close()\n    while True: pass",
    "a process": "@node(where='process')\ndef burn(mark: str):\n    open(mark, 'w').close()\n    while True: pass",
    "the engine's own thread": "@node(where='inline')\ndef burn():\n    open(MARK, 'w').close()\n    while True: pass",
    "a coroutine that never waits": "@node\nasync def burn():\n    open(MARK, 'w').close()\n    while True: pass",
    "a thread that swallows exceptions": """@node(where='thread')
def burn():
    open(MARK, 'w').close()
    while True:
        try:
            sum(range(1000))
        except Exception:
            pass""",
    "a loop": """@node(where='inline')
def item(n: int):
    open(MARK, 'w').close()
    while True: pass
@node(where='inline')
def items(): return [1, 2, 3]""",
}


@pytest.mark.parametrize("place", BURN)
def test_interrupting_a_cell_cancels_its_flow_within_two_seconds_while_a_node_burns_cpu_in(place, kernel, tmp_path):
    mark = tmp_path / "burning"
    call = "burn(mark=MARK)" if place == "a process" else "nf.foreach(items(), lambda one: item(one))" if place == "a loop" else "burn()"
    kernel.run(f"MARK = {str(mark)!r}\n{BURN[place]}\n@flow\ndef hot():\n    return {call}")
    asked = kernel.begin("await hot()")
    kernel.until(mark)

    interrupted = time.monotonic()
    kernel.interrupt()
    cell = kernel.end(asked, 10)
    took_s = time.monotonic() - interrupted

    assert took_s < 2, f"{took_s:.1f} s"
    assert cell.ename in {"KeyboardInterrupt", "CancelledError"}
    assert "cancelled" in (cell.updates or cell.displays)[-1]["text/plain"]
    assert kernel.run("print(1 + 1)").stdout == "2\n"
    eventually(lambda: list(nf.executions().status) == ["cancelled"], 5)


def test_after_an_interrupt_the_same_kernel_runs_flows_as_before(kernel, tmp_path):
    mark = tmp_path / "burning"
    kernel.run(f"MARK = {str(mark)!r}\n" + BURN["the engine's own thread"] + "\n@flow\ndef hot(): return burn()")
    asked = kernel.begin("await hot()")
    kernel.until(mark)
    kernel.interrupt()
    kernel.end(asked, 10)

    kernel.run("@node\ndef one(): return 1\n@flow\ndef small(): return one()")
    for _ in range(3):
        assert kernel.run("run = await small(); print(run.output)").stdout == "1\n"
    assert sorted(nf.executions().status) == ["cancelled", "completed", "completed", "completed"]


def test_an_execution_whose_kernel_is_killed_reads_as_failed_by_the_interruption(kernel, tmp_path):
    mark = tmp_path / "sleeping"
    kernel.run(f"@node\ndef wait():\n    open({str(mark)!r}, 'w').close()\n    time.sleep(600)\n@flow\ndef long(): return wait()")
    kernel.begin("await long()")
    kernel.until(mark)
    eventually(lambda: list(nf.executions().status) == ["running"])

    os.kill(kernel.pid, signal.SIGKILL)
    killed = time.monotonic()
    eventually(lambda: list(nf.executions().status) == ["failed"], 30)

    assert time.monotonic() - killed < 30
    found = nf.execution(nf.executions().id[0])
    assert found.status == "failed"
    assert "interrupted" in f"{found.error.type}: {found.error.message}".lower()
    assert found.nodes["wait"].status in {"failed", "cancelled"}
    assert "interrupted" in nf.executions().error[0]


def test_a_kernel_restart_keeps_the_executions_before_it(kernel, another_kernel):
    kernel.run("@node\ndef one(): return 1\n@flow\ndef small(): return one()")
    id_ = kernel.run("run = await small(); print(run.id)").stdout.strip()
    kernel.close()

    assert id_ in another_kernel().run("print(nf.executions().id[0])").stdout
