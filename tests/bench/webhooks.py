"""Webhooks to a three-node flow, durable before the answer, beside bare Starlette that does the same durable append, in turns."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import httpx

from nbflow.store.client import SharedStore

from . import fresh
from .durable import project
from .load import Load, put_on
from .open_pages import open_pages
from .table import Row
from .webhook_child import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONNECTIONS = (1, 16, 64)
SECONDS = 1.0  # of one round
ROUNDS = 5
PAGE, PAGES = "/executions", 20
_START_S = 60.0
_END_S = 60.0  # for what was accepted to run


@contextmanager
def server(what: str, folder: Path) -> Iterator[int]:
    """The port of a server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.webhook_child", what, str(folder), str(port)]
    environment = fresh.environment() | {"NBFLOW_OWNER_IDLE_S": "5"}
    with (folder / f"{what}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=fresh.REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        wait_for(process, port, folder / f"{what}.log", PAGE if what == "nbflow" else "/webhooks/bare")
        yield port
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path, path: str) -> None:
    """Until something else than "not found" or "not yet" is served there. Raises RuntimeError with the end of the log.

    For nbflow that is a page: the libraries of pages are imported after the start, which must not be measured along.
    """
    deadline = time.monotonic() + _START_S
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.post(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=_START_S).status_code not in {404, 503}:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    message = f"the server did not start: {log.read_text()[-2000:]}"
    raise RuntimeError(message)


def webhooks(scale: float) -> list[Row]:
    """Both servers live all the time, one is asked. `at once` counts until all that was accepted has run as well."""
    seconds, rounds = max(0.2, SECONDS * scale), ROUNDS if scale >= 1 else 1
    with project() as ours, project() as theirs, server("nbflow", ours) as our_port, server("starlette", theirs) as their_port:
        rows = []
        for connections in CONNECTIONS:
            for mode in ("last_node", "at_once"):
                put_on(our_port, f"/webhooks/{mode}", connections, seconds / 4)
                put_on(their_port, "/webhooks/bare", connections, seconds / 4)
                _settled(ours)
                pairs = []
                for turn in range(rounds):
                    order = [partial(_ours, ours, our_port, mode, connections, seconds), partial(_bare, their_port, connections, seconds)]
                    found = [order[0](), order[1]()] if turn % 2 else [order[1](), order[0]()][::-1]
                    pairs.append(found)
                rows.append(_row(f"webhook, {mode.replace('_', ' ')}, {connections} connections", pairs))
        return rows


def pages(scale: float) -> list[Row]:
    """With 20 open pages that show the executions live, and without."""
    seconds, rounds = max(0.2, SECONDS * scale), ROUNDS if scale >= 1 else 1
    with project() as folder, server("nbflow", folder) as port:
        put_on(port, "/webhooks/last_node", 16, seconds / 4)
        pairs, told = [], 0
        for _ in range(rounds):
            without = put_on(port, "/webhooks/last_node", 16, seconds)
            with open_pages(port, PAGE, TOKEN, PAGES) as received:
                told -= received[0]
                beside = put_on(port, "/webhooks/last_node", 16, seconds)
                told += received[0]
            pairs.append((beside, without))
    beside_all, without_all = zip(*pairs, strict=True)
    p50, p50_without = (median(load.p50_ms for load in loads) for loads in (beside_all, without_all))
    note = f"p50 {p50:.1f} ms, without {p50_without:.1f}; {told} messages to pages"
    return [
        Row(
            name=f"webhook, last node, 16 connections, beside {PAGES} open pages (baseline: no page)",
            value=median(load.rate for load in beside_all),
            unit="req/s",
            baseline=median(load.rate for load in without_all),
            ratio=median(first.rate / second.rate for first, second in pairs),
            goal=0.7,
            better="more",
            note=note,
        )
    ]


def _ours(folder: Path, port: int, mode: str, connections: int, seconds: float) -> tuple[float, Load]:
    """The rate counts executions that have ended: a queue that only grows would be no speed."""
    began = time.perf_counter()
    load = put_on(port, f"/webhooks/{mode}", connections, seconds)
    asked_s = load.answers / load.rate
    overhead_s = time.perf_counter() - began - asked_s  # of starting the generator
    behind_s = _settled(folder, since=began + overhead_s + asked_s) if mode == "at_once" else 0.0
    return load.answers / (asked_s + behind_s), load


def _bare(port: int, connections: int, seconds: float) -> tuple[float, Load]:
    load = put_on(port, "/webhooks/bare", connections, seconds)
    return load.rate, load


def _settled(folder: Path, *, since: float | None = None) -> float:
    """Waits until no execution is open; how many seconds after `since` the last one ended, by the server's own clock."""
    store = SharedStore(folder)
    waited_from = time.time()
    try:
        deadline = time.monotonic() + _END_S
        while store.query("select count(*) from workflow_executions where finished_at is null", timeout_s=_END_S).rows[0][0]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        last = store.query("select epoch(max(finished_at)) from workflow_executions", timeout_s=_END_S).rows[0][0]
    finally:
        store.close()
    return max(0.0, float(last) - waited_from) if since is not None and last is not None else 0.0


def _row(name: str, pairs: list[list[tuple[float, Load]]]) -> Row:
    our, bare = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    wrong = {status: count for _, load in our for status, count in load.statuses.items() if not status.startswith("2")}
    note = f"p50 {_mid(our, 'p50_ms')} ms, p99 {_mid(our, 'p99_ms')} ms; Starlette {_mid(bare, 'p50_ms')} and {_mid(bare, 'p99_ms')}"
    return Row(
        name=name,
        value=median(rate for rate, _ in our),
        unit="req/s",
        baseline=median(rate for rate, _ in bare),
        ratio=median(first[0] / second[0] for first, second in pairs),
        goal=0.5,
        better="more",
        note=note + (f"; REFUSED {wrong}" if wrong else ""),
    )


def _mid(rounds: list[tuple[float, Load]], what: str) -> str:
    return f"{median(getattr(load, what) for _, load in rounds):.1f}"


CASES: dict[str, Callable[[float], list[Row]]] = {"webhooks": webhooks, "pages": pages}
