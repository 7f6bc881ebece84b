"""Executions through the runtime with a real shared store in a project of their own: what recording costs, and how fast it is durable."""

from __future__ import annotations

import gc
import os
import tempfile
import time
import uuid
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from nbflow.core.events import NodeFinished
from nbflow.runtime.recorder import Recorder
from nbflow.store.client import SharedStore
from nbflow.store.journal import Journal, encode
from nbflow.store.owner import Owner
from nbflow.store.project import ProjectFolder

from . import baseline, flows
from .pairs import paired
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbflow.runtime.runtime import Prepared, Runtime

IN_FLIGHT = 64


@contextmanager
def project() -> Iterator[Path]:
    """A folder whose owner goes with it."""
    os.environ["NBFLOW_OWNER_IDLE_S"] = "5"
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running() -> Iterator[Runtime]:
    """A runtime with its store, the owner started as a notebook has it."""
    from nbflow.runtime.runtime import Runtime

    with project() as folder:
        store = SharedStore(folder)
        runtime = Runtime(folder, store=store)
        store.query("select 1")
        try:
            yield runtime
        finally:
            runtime.close()


def prepared(drawing: Callable[[], Any], **settings: Any) -> Prepared:
    """As `flow.prepare()` gives it."""
    from nbflow.runtime.runtime import prepare

    return prepare(flows.definition_of(drawing, **settings))


def runs(scale: float) -> list[Row]:
    """Five-node executions a second, rows durable: many in flight share a commit, one at a time has its own."""
    flow = prepared(flows.diamond())
    many, single = max(IN_FLIGHT, int(4000 * scale)), max(5, int(600 * scale))
    with running() as runtime:

        def batched(count: int) -> None:
            flying: deque[Any] = deque()
            for _ in range(count):
                flying.append(runtime.start(flow))
                if len(flying) >= IN_FLIGHT:
                    flying.popleft().result(60)
            while flying:
                flying.popleft().result(60)

        batched(IN_FLIGHT)
        began, cpu = time.perf_counter(), time.process_time()
        batched(many)
        batched_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        began = time.perf_counter()
        for _ in range(single):
            runtime.start(flow).result(60)
        single_s = time.perf_counter() - began
        began = time.perf_counter()
        found = runtime.store.query("select count(*) from execution_logs", timeout_s=120).rows[0][0]
        caught_up_s = time.perf_counter() - began
    expected = 5 * (many + single + IN_FLIGHT)
    note = f"all {found:,} rows found, {caught_up_s * 1e3:.0f} ms after the last" if found == expected else f"ROWS MISSING: {found:,} of {expected:,}"
    note = f"{cpu_s / many * 1e6:.0f} us cpu a run; {note}"
    return [
        Row(name=f"5-node runs, durable, {IN_FLIGHT} in flight", value=many / batched_s, unit="runs/s", goal=5000, better="more", note=note),
        Row(name="5-node runs, durable, commit per run", value=single / single_s, unit="runs/s", goal=200, better="more"),
    ]


def end_to_end(scale: float) -> list[Row]:
    """W1, W4 and W9 as a user runs them: started, recorded, previewed, in the journal. CPU of this process."""
    length, items, small = max(3, int(1000 * scale)), max(3, int(10_000 * scale)), max(3, int(300 * scale))
    return [
        _through(
            f"W1 chain of {length:,}, runtime + store",
            flows.chain(length),
            lambda: baseline.chain(flows.one, flows.step, length),
            length,
            scale=scale,
        ),
        _through(
            f"W4 foreach {items:,} x 3, runtime + store",
            flows.loop(items),
            lambda: baseline.foreach(list(range(items)), flows.step, 3),
            3 * items,
            scale=scale,
        ),
        _through(
            f"W9 {small:,} runs of 5, runtime + store",
            flows.diamond(),
            lambda: baseline.small_runs(flows.one, flows.step, flows.both, small),
            5 * small,
            count=small,
            scale=scale,
        ),
    ]


def _through(name: str, drawing: Callable[[], Any], bare: Callable[[], Any], nodes: int, *, count: int = 1, scale: float) -> Row:
    flow = prepared(drawing)
    with running() as runtime:

        async def ours() -> None:
            for _ in range(count):
                await runtime.start(flow).wait()

        result = paired(ours, bare, repetitions=5 if scale >= 1 else 1)
    per_node = 1e6 / nodes
    return Row(name=name, value=result.first_s * per_node, unit="us cpu/node", baseline=result.second_s * per_node, ratio=result.ratio)


def start(scale: float) -> list[Row]:
    """What comes before the first node: noticing that nothing changed, then the start itself."""
    from nbflow.define import flow

    count = max(3, int(300 * scale))
    defined = flow(flows.diamond())
    defined.prepare()
    began = time.process_time()
    for _ in range(count):
        defined.prepare()
    again_s = (time.process_time() - began) / count
    with running() as runtime:
        ready = defined.prepare()
        starts, executions = [], []
        for _ in range(count):
            began = time.perf_counter()
            executions.append(runtime.start(ready))
            starts.append(time.perf_counter() - began)
            executions[-1].result(60)
    return [
        Row(name="prepare() again, 5 nodes, unchanged", value=again_s * 1e6, unit="us cpu"),
        Row(name="Runtime.start until the handle, p50", value=median(starts) * 1e6, unit="us"),
    ]


def accepted(scale: float) -> list[Row]:
    """One durable record, against write + fdatasync of the same bytes, in turns."""
    count = max(100, int(2000 * scale))
    with project() as folder:
        store = SharedStore(folder)
        fd = os.open(folder / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        sync = getattr(os, "fdatasync", os.fsync)
        record = _accepted()
        line = encode([record])
        ours, bare, queued = [], [], []
        try:
            for turn in range(count + 10):
                began = time.perf_counter()
                store.append([record])
                middle = time.perf_counter()
                os.write(fd, line)
                sync(fd)
                ended = time.perf_counter()
                store.submit([record]).result()
                last = time.perf_counter()
                if turn >= 10:
                    ours.append(middle - began)
                    bare.append(ended - middle)
                    queued.append(last - ended)
        finally:
            os.close(fd)
            store.close()
    rows = [_percentile("append", ours, bare, 50, 1.5), _percentile("append", ours, bare, 99, None)]
    return [*rows, _percentile("submit + result", queued, bare, 50, None), _percentile("submit + result", queued, bare, 99, None)]


def _percentile(name: str, ours: list[float], bare: list[float], percent: int, goal: float | None) -> Row:
    value, beside = (quantiles(times, n=100)[percent - 1] * 1e6 for times in (ours, bare))
    return Row(name=f"accepted, {name}, p{percent} (write + fdatasync)", value=value, unit="us", baseline=beside, goal=goal)


def ingest(scale: float) -> list[Row]:
    """Journal to DuckDB, sustained, by an owner in this process: runs of 100 nodes as the recorder writes them."""
    count = max(2, int(2000 * scale))
    with project() as root:
        folder = ProjectFolder(root=root).make()
        journal = Journal(folder.journals)
        for _ in range(count):
            journal.append(encode(_records(100)), durable=False)
        owner = Owner(folder)
        rows = 100 * count
        try:
            gc.collect()
            began, cpu = time.perf_counter(), time.process_time()
            owner.poll()
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
            size = folder.database.stat().st_size + sum(path.stat().st_size for path in folder.home.glob("store.duckdb.wal"))
        finally:
            journal.close()
            owner.close()
    note = f"{cpu_s / rows * 1e6:.1f} us cpu a row; {size / rows:.0f} bytes a row in DuckDB"
    return [Row(name=f"journal to DuckDB, {rows:,} node rows", value=rows / wall_s, unit="rows/s", goal=60_000, better="more", note=note)]


def _accepted() -> dict[str, Any]:
    return {
        "k": "accepted", "execution_id": str(uuid.uuid4()), "flow": "bench", "flow_hash": "0" * 64, "workflow_id": None, "version_id": None,
        "trigger": "manual", "mode": "wait", "source": "", "user": "bench", "host": "bench", "pid": os.getpid(), "parent_execution_id": None,
        "input": {"day": "2026-11-23"}, "ts": time.time_ns(),
    }  # fmt: skip


class _Kept:
    """Takes what the recorder submits."""

    def __init__(self) -> None:
        self.records: list[Mapping[str, Any]] = []

    def submit(self, records: list[Mapping[str, Any]]) -> Any:
        self.records += records


def _records(nodes: int) -> list[Mapping[str, Any]]:
    accepted_ = _accepted()
    kept, now = _Kept(), time.time_ns()
    recorder = Recorder(str(accepted_["execution_id"]), kept, [accepted_])
    for place in range(nodes):
        preview = {"rows": place, "name": f"order {place}"}
        recorder(NodeFinished(recorder.execution_id, f"n{place}", "python.function", (), "completed", 1, now + place * 1000, 900, preview))
    recorder.flush()
    ended = {"k": "finished", "execution_id": recorder.execution_id, "status": "completed", "ts": now, "duration": 100_000, "outputs": {"n": 1}}
    begun = {"k": "started", "execution_id": recorder.execution_id, "ts": now}
    return [kept.records[0], begun, *kept.records[1:], ended]


CASES: dict[str, Callable[[float], list[Row]]] = {case.__name__: case for case in (runs, end_to_end, start, accepted, ingest)}
