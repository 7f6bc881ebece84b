import copy

import pandas as pd
import pytest
from pydantic import ValidationError

from nbflow.core.errors import ExpressionError, InputError
from nbflow.testing import FakeContext, run_node


async def transform(config: dict, value: object = None) -> object:
    return await run_node("action.transform", config, value)


def assign(*triples: tuple, **more: object) -> dict:
    return {"assignments": [{"name": name, "value": value, "type": kind} for name, value, kind in triples], **more}


TOTAL = assign(("total", "{{ item.price * item.count }}", "any"))


async def test_a_record_a_list_and_a_frame_stay_what_they_are() -> None:
    row = {"price": 2, "count": 3}
    assert await transform(TOTAL, row) == {**row, "total": 6}
    assert await transform(TOTAL, [row, {"price": 1, "count": 1}]) == [{**row, "total": 6}, {"price": 1, "count": 1, "total": 1}]
    frame = pd.DataFrame([row, {"price": 1, "count": 1}], index=[10, 20])
    result = await transform(TOTAL, frame)
    assert list(result["total"]) == [6, 1]
    assert list(result.index) == [10, 20]
    assert list(frame.columns) == ["price", "count"]
    assert await transform(assign(("a", 1, "any"))) == {"a": 1}


@pytest.mark.parametrize(
    ("include", "left"),
    [
        ({}, {"a", "b", "c"}),
        ({"include": "none"}, {"c"}),
        ({"include": "selected", "fields": ["a"]}, {"a", "c"}),
        ({"include": "except", "fields": ["a"]}, {"b", "c"}),
    ],
)
async def test_other_fields_stay_as_asked(include: dict, left: set) -> None:
    row = {"a": 1, "b": 2}
    assert set(await transform(assign(("c", 3, "any"), **include), row)) == left
    assert set(await transform(assign(("c", 3, "any"), **include), pd.DataFrame([row]))) == left


async def test_a_dot_reaches_into_a_field_and_the_input_is_not_changed() -> None:
    row = {"customer": {"name": "Ada"}}
    before = copy.deepcopy(row)
    assert await transform(assign(("customer.city", "London", "any")), row) == {"customer": {"name": "Ada", "city": "London"}}
    assert await transform(assign(("x.y.z", 1, "any")), {}) == {"x": {"y": {"z": 1}}}
    assert await transform(assign(("x.y", 1, "any"), dot_notation=False), {}) == {"x.y": 1}
    assert row == before
    with pytest.raises(InputError, match=r"item 0: assignment 'a.b': 'a' is a int"):
        await transform(assign(("a.b", 1, "any")), [{"a": 3}])


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (5, "string", "5"),
        ({"a": 1}, "string", '{"a": 1}'),
        ("12", "number", 12),
        (" -1.5 ", "number", -1.5),
        (True, "number", 1),
        ("TRUE", "boolean", True),
        (0, "boolean", False),
        ("[1, 2]", "array", [1, 2]),
        ('{"a": 1}', "object", {"a": 1}),
        (None, "number", None),
    ],
)
async def test_conversions(value: object, kind: str, expected: object) -> None:
    result = await transform(assign(("x", value, kind)), {})
    assert result == {"x": expected}
    assert type(result["x"]) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"), [("abc", "number"), ("maybe", "boolean"), (2, "boolean"), ("{}", "array"), ("[", "object"), ([1], "number")]
)
async def test_a_failed_conversion_names_field_and_item(value: object, kind: str) -> None:
    with pytest.raises(InputError, match=rf"item 1: assignment 'x': .* is no {kind}"):
        await transform(assign(("x", "{{ item.v }}", kind)), [{"v": None}, {"v": value}])
    assert await transform(assign(("x", value, kind), ignore_conversion_errors=True), {}) == {"x": value}


async def test_an_expression_makes_the_result() -> None:
    value = {"orders": [{"total": 1}, {"total": 2}]}
    assert await transform({"mode": "expression", "expression": "input | jmespath('orders[].total')"}, value) == [1, 2]
    config = {"mode": "expression", "expression": "item * 2 + index", "per_item": True}
    assert await transform(config, [1, 2]) == [2, 5]
    assert await transform({**config, "expression": "item.a"}, pd.DataFrame({"a": [1, 2]})) == [1, 2]
    with pytest.raises(ExpressionError):
        await transform({"mode": "expression", "expression": "input.missing.deeper"}, {})


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "expression"},
        {"expression": "1"},
        {"mode": "expression", "expression": "1", "assignments": []},
        {"fields": ["a"]},
        {"assignments": [{"name": ""}]},
    ],
)
async def test_fields_belong_to_modes(config: dict) -> None:
    with pytest.raises(ValidationError):
        await transform(config, {})


async def test_params_are_in_reach() -> None:
    ctx = FakeContext(params={"rate": 2})
    assert await run_node("action.transform", assign(("x", "{{ params.rate }}", "any")), {}, ctx=ctx) == {"x": 2}
