import asyncio

import numpy as np
import pandas as pd
import pytest

from nbflow.core.errors import InputError
from nbflow.core.node import Failure
from nbflow.testing import FakeBody, FakeContext, run_node


async def foreach(config: dict, value: object = None, body: object = lambda item, _: item) -> list:
    return await run_node("logic.loop.foreach", config, value, ctx=FakeContext(loop_body=FakeBody(body)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        (range(2), [0, 1]),
        (np.array([1, 2]), [1, 2]),
        (pd.Series([1, 2]), [1, 2]),
        (pd.DataFrame({"a": [1, 2]}), [{"a": 1}, {"a": 2}]),
        ({"x": 1}, [{"key": "x", "value": 1}]),
        ([], []),
        (pd.DataFrame({"a": []}), []),
    ],
)
async def test_it_goes_through_whatever_can_be(value: object, expected: list) -> None:
    assert await foreach({}, value) == expected


@pytest.mark.parametrize("value", [None, 3, "text", b"bytes"])
async def test_single_values_are_refused(value: object) -> None:
    with pytest.raises(InputError, match=type(value).__name__):
        await foreach({}, value)


async def test_the_items_may_be_a_field_or_an_expression() -> None:
    value = {"answer": {"rows": [1, 2]}}
    assert await foreach({"field": "answer.rows"}, value) == [1, 2]
    assert await foreach({"items": "{{ input.answer.rows }}"}, value) == [1, 2]
    with pytest.raises(InputError, match=r"no 'answer.row'.*rows"):
        await foreach({"field": "answer.row"}, value)


async def test_batches_are_lists_or_pieces_of_the_frame() -> None:
    assert await foreach({"batch_size": 2}, [1, 2, 3]) == [[1, 2], [3]]
    pieces = await foreach({"batch_size": 2}, pd.DataFrame({"a": [1, 2, 3]}))
    assert [list(piece["a"]) for piece in pieces] == [[1, 2], [3]]


async def test_order_is_kept_and_concurrency_honoured() -> None:
    async def body(item: int, _: int) -> int:
        await asyncio.sleep((10 - item) / 1000)
        return item * 10

    double = FakeBody(body)
    result = await run_node("logic.loop.foreach", {"concurrency": 3}, list(range(10)), ctx=FakeContext(loop_body=double))
    assert result == [item * 10 for item in range(10)]
    assert double.most_at_once == 3


async def test_errors_stop_or_are_collected() -> None:
    with pytest.raises(ZeroDivisionError):
        await foreach({}, [1, 0], lambda item, _: 1 // item)
    results = await foreach({"on_item_error": "collect"}, [1, 0], lambda item, _: 1 // item)
    assert results[0] == 1
    assert results[1] == Failure(node="body", type="ZeroDivisionError", message=results[1].message, index=1)
