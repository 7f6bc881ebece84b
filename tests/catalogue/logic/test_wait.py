import pytest
from pydantic import ValidationError

from nbflow.testing import FakeContext, run_node


async def test_it_waits_and_passes_the_input_on(ctx: FakeContext) -> None:
    value = object()
    assert await run_node("logic.wait", {"duration": "PT5M"}, value, ctx=ctx) is value
    assert ctx.clock.slept == [300]


@pytest.mark.parametrize("until", ["2026-01-01T00:01:00Z", "2026-01-01T01:01:00+01:00", "2026-01-01T00:01:00"])
async def test_it_waits_until_a_moment(until: str, ctx: FakeContext) -> None:
    await run_node("logic.wait", {"until": until}, ctx=ctx)
    assert ctx.clock.slept == [60]


async def test_a_moment_that_is_over_does_not_wait(ctx: FakeContext) -> None:
    await run_node("logic.wait", {"until": "2025-01-01T00:00:00Z"}, ctx=ctx)
    await run_node("logic.wait", {"duration": 0}, ctx=ctx)
    assert ctx.clock.slept == []


@pytest.mark.parametrize("config", [{}, {"duration": 1, "until": "2026-01-01T00:00:00Z"}, {"duration": -1}])
async def test_it_needs_one_of_the_two(config: dict) -> None:
    with pytest.raises(ValidationError):
        await run_node("logic.wait", config)
