import pandas as pd
import pytest

from nbflow.core.errors import ExpressionError, InputError, LimitError
from nbflow.testing import FakeBody, FakeContext, run_node


def context() -> FakeContext:
    return FakeContext(loop_body=FakeBody(lambda item, index: {"page": item["page"] + 1, "seen": [*item.get("seen", []), index]}))


async def test_each_rounds_result_is_the_next_state() -> None:
    state = await run_node("logic.loop.while", {"condition": "item.page < 3"}, {"page": 0}, ctx=context())
    assert state == {"page": 3, "seen": [0, 1, 2]}


async def test_a_condition_that_is_false_at_once_gives_the_input() -> None:
    start = {"page": 9}
    assert await run_node("logic.loop.while", {"condition": "{{ item.page < 3 }}"}, start, ctx=context()) is start


async def test_hitting_the_limit_is_an_error() -> None:
    with pytest.raises(LimitError, match="after 5 rounds"):
        await run_node("logic.loop.while", {"condition": "true", "max_iterations": 5}, {"page": 0}, ctx=context())
    exact = await run_node("logic.loop.while", {"condition": "item.page < 5", "max_iterations": 5}, {"page": 0}, ctx=context())
    assert exact["page"] == 5


async def test_the_delay_is_between_rounds() -> None:
    ctx = context()
    await run_node("logic.loop.while", {"condition": "item.page < 3", "delay": 2}, {"page": 0}, ctx=ctx)
    assert ctx.clock.slept == [2, 2]


async def test_a_table_is_no_condition() -> None:
    ctx = FakeContext(loop_body=FakeBody(lambda item, _: item))
    with pytest.raises((InputError, ExpressionError), match="neither true nor false"):
        await run_node("logic.loop.while", {"condition": "item"}, pd.DataFrame({"a": [1]}), ctx=ctx)
