import pytest
from pydantic import ValidationError

from nbflow.core.errors import LimitError
from nbflow.core.node import Failure
from nbflow.testing import FakeBody, FakeContext, run_node


async def numbers(config: dict) -> list[int]:
    return await run_node("logic.loop.for", config, ctx=FakeContext(loop_body=FakeBody(lambda item, _: item)))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"end": 3}, [0, 1, 2]),
        ({"start": 1, "end": 3, "inclusive": True}, [1, 2, 3]),
        ({"start": 3, "end": 0, "step": -1}, [3, 2, 1]),
        ({"start": 3, "end": 0, "step": -1, "inclusive": True}, [3, 2, 1, 0]),
        ({"start": 0, "end": 10, "step": 4, "inclusive": True}, [0, 4, 8]),
        ({"start": 5, "end": 3}, []),
    ],
)
async def test_it_counts_as_range_does(config: dict, expected: list[int]) -> None:
    assert await numbers(config) == expected


async def test_too_many_rounds_are_an_error_before_the_first() -> None:
    with pytest.raises(LimitError, match="11 rounds are more than max_iterations"):
        await numbers({"end": 11, "max_iterations": 10})


async def test_failures_are_collected_on_request() -> None:
    ctx = FakeContext(loop_body=FakeBody(lambda item, _: 1 // item))
    results = await run_node("logic.loop.for", {"end": 2, "on_item_error": "collect"}, ctx=ctx)
    assert isinstance(results[0], Failure)
    assert (results[0].type, results[0].index, results[1]) == ("ZeroDivisionError", 0, 1)
    with pytest.raises(ZeroDivisionError):
        await run_node("logic.loop.for", {"end": 2}, ctx=ctx)


@pytest.mark.parametrize("config", [{}, {"end": 3, "step": 0}])
async def test_a_range_without_an_end_is_refused(config: dict) -> None:
    with pytest.raises(ValidationError):
        await numbers(config)
