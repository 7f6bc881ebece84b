"""How many nodes of one execution run at the same time, and that a free permit finds whoever has work."""

from __future__ import annotations

import asyncio

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach

from .harness import ran


async def test_no_more_nodes_run_at_once_than_the_flow_allows_and_all_of_them_may():
    running: list[int] = [0]
    most: list[int] = [0]

    @node
    async def works(n):
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.001)
        running[0] -= 1
        return n

    def flow():
        for n in range(40):
            works(n)

    result = await ran(flow, concurrency=3)
    assert most == [3]
    assert set(result.statuses.values()) == {"completed"}


async def test_a_permit_that_a_loop_gives_back_goes_to_nodes_outside_of_it():
    others = asyncio.Event()
    count: list[int] = []

    @node
    async def items():
        return [1]

    @node
    async def brief(item):
        await asyncio.sleep(0.01)
        return item

    @node
    async def holds():
        await asyncio.wait_for(others.wait(), 20)  # holds one of the two permits until all the others have run with the other one

    @node
    async def short(n):
        await asyncio.sleep(0)
        count.append(n)
        if len(count) == 10:
            others.set()

    def flow():
        foreach(items(), lambda item: brief(item))
        holds()
        for n in range(10):
            short(n)

    result = await ran(flow, concurrency=2)
    assert result.outcome.status == "completed"
    assert sorted(count) == list(range(10))
