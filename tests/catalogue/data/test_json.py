import copy
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nbflow.catalogue.json_shapes import flatten, unflatten
from nbflow.core.errors import ConfigError, ExpressionError, InputError
from nbflow.testing import FakeContext, run_node


async def run(operation: str, *inputs: object, ctx: FakeContext | None = None, **config: object) -> object:
    return await run_node("data.json", {"operation": operation, **config}, *inputs, ctx=ctx)


ORDERS = {"orders": [{"id": 1, "total": 5}, {"id": 2, "total": 15}]}


async def test_transform_by_query_or_expression() -> None:
    assert await run("transform", ORDERS, query="orders[?total > `10`].id") == [2]
    assert await run("transform", ORDERS, expression="input.orders | length") == 2
    assert await run("transform", pd.DataFrame(ORDERS["orders"]), query="[].id") == [1, 2]
    with pytest.raises(ConfigError, match="field 'query'"):
        await run("transform", ORDERS, query="orders[")
    with pytest.raises(InputError, match="does not work"):
        await run("transform", ORDERS, query="length(`3`)")
    with pytest.raises(ExpressionError):
        await run("transform", ORDERS, expression="input.nothing")


async def test_filter_and_map() -> None:
    rows = ORDERS["orders"]
    assert await run("filter", rows, expression="item.total > 10") == [rows[1]]
    assert await run("filter", {"a": 1, "b": 2}, expression="item.value > 1") == {"b": 2}
    assert await run("filter", pd.DataFrame(rows), expression="index == 0") == [rows[0]]
    assert await run("map", rows, expression="{{ item.id * 10 + index }}") == [10, 21]
    assert await run("map", [], expression="item.id") == []
    with pytest.raises(InputError, match="str"):
        await run("map", "text", expression="item")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"a": {"x": 1, "y": 3}, "l": [2], "n": None}),
        ({"depth": "shallow"}, {"a": {"y": 3}, "l": [2], "n": None}),
        ({"lists": "concat"}, {"a": {"x": 1, "y": 3}, "l": [1, 2], "n": None}),
    ],
)
async def test_merge(config: dict, expected: dict) -> None:
    first, second = {"a": {"x": 1, "y": 2}, "l": [1], "n": 1}, {"a": {"y": 3}, "l": [2], "n": None}
    before = copy.deepcopy(first)
    assert await run("merge", first, second, **config) == expected
    assert first == before


async def test_lists_merge_by_key() -> None:
    first, second = [{"id": 1, "a": 1}, {"id": 2}], [{"id": 3}, {"id": 1, "b": 2}]
    assert await run("merge", first, second, lists="by_key") == [{"id": 1, "a": 1, "b": 2}, {"id": 2}, {"id": 3}]
    with pytest.raises(InputError, match="field 'id'"):
        await run("merge", first, [3], lists="by_key")
    assert await run("merge", first) is first


NESTED = {"a": {"b": [1, {"c": 2}], "e": {}, "l": []}, "d": None}


async def test_flatten_and_unflatten() -> None:
    flat = {"a.b.0": 1, "a.b.1.c": 2, "a.e": {}, "a.l": [], "d": None}
    assert await run("flatten", NESTED) == flat
    assert list(await run("flatten", NESTED)) == list(flat)
    assert await run("unflatten", flat) == NESTED
    assert await run("flatten", NESTED, separator="__", max_depth=2) == {"a__b": [1, {"c": 2}], "a__e": {}, "a__l": [], "d": None}
    assert await run("flatten", NESTED, keep_lists=True) == {"a.b": [1, {"c": 2}], "a.e": {}, "a.l": [], "d": None}
    assert await run("flatten", [{"a": {"b": 1}}]) == [{"a.b": 1}]


@pytest.mark.parametrize("record", [{"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}, {"a": {"b": 1}, "a.b": 2}])
async def test_a_key_that_is_value_and_container_is_an_error(record: dict) -> None:
    with pytest.raises(InputError, match="a"):
        await run("unflatten", record)
    with pytest.raises(InputError, match="item 1"):
        await run("unflatten", [{"a": 1}, record])


def test_a_deep_value_is_flattened_without_recursion() -> None:
    value: dict = {}
    for _ in range(5_000):
        value = {"a": value}
    (key,) = flatten(value)
    assert key.count(".") == 4_999


NAMES = st.text(st.sampled_from("ab.\\01\n"), max_size=4)
VALUES = st.recursive(
    st.none() | st.integers() | NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.sampled_from([".", "__", "a", "aba", "//"]))
def test_unflatten_undoes_flatten(record: dict, separator: str) -> None:
    assert unflatten(flatten(record, separator=separator), separator=separator) == record


async def test_pick_omit_rename() -> None:
    row = {"a": 1, "b": 2}
    assert await run("pick", row, fields=["b", "x"]) == {"b": 2}
    assert await run("omit", [row], fields=["b"]) == [{"a": 1}]
    assert await run("rename", row, names={"a": "c"}) == {"c": 1, "b": 2}
    with pytest.raises(InputError, match="same name"):
        await run("rename", row, names={"a": "b"})
    with pytest.raises(InputError, match="int"):
        await run("pick", 3, fields=["a"])


async def test_parse_and_stringify(ctx: FakeContext) -> None:
    value = {"b": "\u00fc", "a": [1], "t": datetime(2026, 1, 1, tzinfo=UTC), "n": np.int64(3), "s": {1}}
    text = await run("stringify", value, sort_keys=True)
    assert text == '{"a": [1], "b": "\u00fc", "n": 3, "s": [1], "t": "2026-01-01T00:00:00+00:00"}'
    assert (await run("parse", "\ufeff" + text))["a"] == [1]
    assert await run("parse", b"[1]") == [1]
    assert await run("stringify", pd.DataFrame({"a": [1]})) == '[{"a": 1}]'
    facts = await run("stringify", {"a": 1}, path="a.json", indent=2, ctx=ctx)
    assert facts["size_bytes"] == 12
    assert await run("parse", path="a.json", ctx=ctx) == {"a": 1}
    for wrong in ("{", 3, None):
        with pytest.raises(InputError):
            await run("parse", wrong)
    for wrong in (object(), float("nan")):
        with pytest.raises(InputError, match="cannot be written"):
            await run("stringify", wrong)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"operation": "transform"}, "either expression or query"),
        ({"operation": "pick"}, "needs the field 'fields'"),
        ({"operation": "filter"}, "needs the field 'expression'"),
        ({"operation": "flatten", "fields": ["a"]}, "belongs to: pick, omit"),
    ],
)
async def test_fields_belong_to_operations(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await run_node("data.json", config, {})
