"""Runs in a peer's own environment: the workloads in that engine's words, interleaved with bare asyncio. Prints one JSON line."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

Work = Callable[[], object]
REPETITIONS = 3


def one() -> int:
    return 1


def step(x: int) -> int:
    return x + 1


def both(x: int, y: int) -> int:
    return x + y


def langgraph() -> dict[str, tuple[int, int, int, Work]]:
    """Compiled once, no checkpointer. The loop is a cycle, as its users write one."""
    from typing import TypedDict

    from langgraph.graph import END, START, StateGraph

    length, items, runs = 300, 200, 50
    state = TypedDict("state", {"x": int, "y": int, "z": int, "todo": int})  # noqa: UP013 -- the graph needs the type at run time

    def graph(nodes: dict[str, Any], edges: list[tuple[str, str]], until: tuple[str, str] | None = None) -> Any:
        made = StateGraph(state)
        for name, function in nodes.items():
            made.add_node(name, function)
        for source, target in edges:
            made.add_edge(source, target)
        if until is not None:
            last, first = until
            made.add_conditional_edges(last, lambda now: first if now["todo"] > 0 else END)
        return made.compile()

    names = [f"n{place}" for place in range(length)]
    chain = graph({name: lambda now: {"x": step(now["x"])} for name in names}, [(START, names[0]), *pairwise(names), (names[-1], END)])
    cycle = graph(
        {
            "a": lambda now: {"x": step(now["x"])},
            "b": lambda now: {"x": step(now["x"])},
            "c": lambda now: {"x": step(now["x"]), "todo": now["todo"] - 1},
        },
        [(START, "a"), ("a", "b"), ("b", "c")],
        until=("c", "a"),
    )
    diamond = graph(
        {
            "a": lambda _: {"x": one()},
            "b": lambda now: {"y": step(now["x"])},
            "c": lambda now: {"z": step(now["x"])},
            "d": lambda now: {"x": both(now["y"], now["z"])},
            "e": lambda now: {"x": step(now["x"])},
        },
        [(START, "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e"), ("e", END)],
    )
    limit = {"recursion_limit": 10_000}
    given = {"x": 1, "y": 0, "z": 0, "todo": items}
    return {
        "W1": (length, length, 1, lambda: chain.invoke(given, limit)),
        "W4": (3 * items, items, 1, lambda: cycle.invoke(given, limit)),
        "W9": (5 * runs, runs, runs, lambda: [diamond.invoke(given, limit) for _ in range(runs)]),
    }


def dask() -> dict[str, tuple[int, int, int, Work]]:
    """Delayed graphs on its threads; graphs are made anew for each computation, outside of it they cannot be reused."""
    from dask import compute, delayed

    length, items, runs = 1000, 1000, 50
    first, then, join = delayed(one), delayed(step), delayed(both)

    def chain() -> Any:
        value = first()
        for _ in range(length):
            value = then(value)
        return value.compute(scheduler="threads")

    def loop() -> Any:
        return compute(*[then(then(then(item))) for item in range(items)], scheduler="threads")

    def diamond() -> Any:
        a = first()
        return then(join(then(a), then(a))).compute(scheduler="threads")

    return {
        "W1": (length, length, 1, chain),
        "W4": (3 * items, items, 1, loop),
        "W9": (5 * runs, runs, runs, lambda: [diamond() for _ in range(runs)]),
    }


def prefect() -> dict[str, tuple[int, int, int, Work]]:
    """Tasks in flows on its temporary server; caching off, since it hashes inputs."""
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    length, items, runs = 50, 15, 3
    first, then, join = (task(cache_policy=NO_CACHE)(function) for function in (one, step, both))

    @flow
    def chain() -> int:
        value = first()
        for _ in range(length):
            value = then(value)
        return value

    @flow
    def loop() -> list[int]:
        return [then(then(then(item))) for item in range(items)]

    @flow
    def diamond() -> int:
        a = first()
        return then(join(then(a), then(a)))

    return {
        "W1": (length, length, 1, chain),
        "W4": (3 * items, items, 1, loop),
        "W9": (5 * runs, runs, runs, lambda: [diamond() for _ in range(runs)]),
    }


PEERS = {"langgraph": langgraph, "dask": dask, "prefect": prefect}


def _baseline() -> Any:
    """By its path: this folder must not shadow a peer's modules."""
    specification = importlib.util.spec_from_file_location("nbflow_bench_baseline", Path(__file__).with_name("baseline.py"))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main(name: str) -> list[dict[str, Any]]:
    """CPU (this process) and wall of each workload, in turns with the bare one."""
    bare = _baseline()
    found = []
    for workload, (nodes, size, runs, work) in PEERS[name]().items():
        beside: dict[str, Work] = {
            "W1": lambda size=size: asyncio.run(bare.chain(one, step, size)),
            "W4": lambda size=size: asyncio.run(bare.foreach(list(range(size)), step, 3)),
            "W9": lambda runs=runs: asyncio.run(bare.small_runs(one, step, both, runs)),
        }
        work()
        measured = [(*_times(work), _times(beside[workload])[0]) for _ in range(REPETITIONS)]
        cpu, wall, plain = (median(column) / nodes * 1e6 for column in zip(*measured, strict=True))
        found.append({"workload": workload, "size": size, "cpu_us": cpu, "wall_us": wall, "bare_us": plain})
    return found


def _times(work: Work) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    sys.path.pop(0)
    print("\n" + json.dumps(main(sys.argv[1])))
    sys.stdout.flush()
