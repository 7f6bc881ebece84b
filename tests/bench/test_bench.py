"""The benchmarks keep working: every case once, tiny. What they measure is not looked at."""

from __future__ import annotations

from importlib import import_module

import pytest

from . import __main__ as command
from .table import Row, text

CASES = [(part, name) for part in command.PARTS for name in import_module(f".{part}", __package__).CASES]


@pytest.mark.parametrize(("part", "name"), CASES, ids=[f"{part}.{name}" for part, name in CASES])
def test_a_case_measures_something(part, name, monkeypatch):
    monkeypatch.setenv("NBFLOW_BENCH_ROWS", "8000")
    rows = import_module(f".{part}", __package__).CASES[name](0.01)
    assert rows
    assert all(row.name and row.value >= 0 for row in rows)
    assert text(rows)


def test_a_missed_goal_says_by_how_much():
    assert Row(name="a", value=3, unit="us", baseline=1, goal=1.5).verdict == "missed: 2 times it"
    assert Row(name="a", value=1, unit="us", baseline=1, goal=1.5).verdict == "met"
    assert Row(name="a", value=50, unit="runs/s", goal=100, better="more").verdict == "missed: 50% of it"
    assert not Row(name="a", value=1, unit="us").verdict


def test_every_workload_gives_what_the_bare_one_gives():
    import asyncio

    from . import baseline, flows

    async def ours(drawing):
        return (await flows.run(flows.plan_of(drawing)))[-1].outputs

    assert list(asyncio.run(ours(flows.chain(5))).values()) == [asyncio.run(baseline.chain(flows.one, flows.step, 5))]
    assert list(asyncio.run(ours(flows.fan(5))).values()) == [asyncio.run(baseline.fan(flows.one, flows.step, flows.total, 5))]
    assert list(asyncio.run(ours(flows.loop(4))).values()) == [asyncio.run(baseline.foreach([0, 1, 2, 3], flows.step, 3))]
    assert list(asyncio.run(ours(flows.lattice(3, 4))).values()) == asyncio.run(baseline.lattice(flows.one, flows.both, 3, 4))
