from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from nbflow.catalogue.operators import Condition, holds
from nbflow.core.errors import ExpressionError, InputError
from nbflow.testing import FakeContext, run_node


async def port(config: dict, value: object) -> str:
    emitted = await run_node("logic.if", config, value)
    ((name, passed),) = emitted.ports.items()
    assert passed is value
    return name


@pytest.mark.parametrize("condition", ["input.total > 10", "{{ input.total > 10 }}", "  {{input.total>10}} "])
async def test_an_expression_decides_with_or_without_braces(condition: str) -> None:
    assert await port({"condition": condition}, {"total": 11}) == "true"
    assert await port({"condition": condition}, {"total": 10}) == "false"


async def test_conditions_decide_together() -> None:
    conditions = [{"left": "{{ input.a }}", "operator": "gt", "right": 1}, {"left": "{{ input.b }}", "operator": "equals", "right": "X"}]
    assert await port({"conditions": conditions}, {"a": 2, "b": "x"}) == "true"
    assert await port({"conditions": conditions, "ignore_case": False}, {"a": 2, "b": "x"}) == "false"
    assert await port({"conditions": conditions, "combinator": "or"}, {"a": 0, "b": "x"}) == "true"


@pytest.mark.parametrize("value", [pd.Series([1, 2]), pd.DataFrame({"a": [1]}), np.array([1, 2])])
async def test_a_table_is_neither_true_nor_false(value: object) -> None:
    with pytest.raises((InputError, ExpressionError), match="neither true nor false"):
        await run_node("logic.if", {"condition": "input"}, value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "either condition or conditions"),
        ({"condition": "a", "conditions": [{"left": 1, "operator": "true"}]}, "either condition or conditions"),
        ({"condition": "{{ input.a }} > 3"}, "write one expression"),
        ({"condition": "{{ a }}{{ b }}"}, "write one expression"),
        ({"conditions": [{"left": 1, "operator": "like"}]}, "Input should be"),
    ],
)
async def test_a_config_that_decides_nothing_is_refused(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await run_node("logic.if", config, ctx=FakeContext(vars={}, input={"a": 1}) if "conditions" in config else None)


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "operator", "right", "answer"),
    [
        (0, "exists", None, True),
        (None, "exists", None, False),
        (None, "not_exists", None, True),
        ("", "empty", None, True),
        ({}, "empty", None, True),
        (0, "empty", None, False),
        (pd.DataFrame(), "empty", None, True),
        ([1], "not_empty", None, True),
        ("Ada", "equals", "ada", True),
        (1, "equals", 1.0, True),
        (None, "equals", 1, False),
        (np.int64(3), "equals", 3, True),
        ([1], "equals", [1], True),
        (NOON, "equals", "2026-01-01T12:00:00Z", True),
        ("Ada", "not_equals", "Bob", True),
        ("Lovelace", "contains", "LACE", True),
        (["a", "B"], "contains", "b", True),
        ([1, 2], "contains", 2, True),
        ([1, 2], "not_contains", 3, True),
        ("Ada", "starts_with", "a", True),
        ("Ada", "not_starts_with", "b", True),
        ("Ada", "ends_with", "DA", True),
        ("Ada", "not_ends_with", "x", True),
        ("a1", "regex", r"^[A-Z]\d$", True),
        ("\u00df1", "not_regex", r"^\d", True),
        (2, "gt", 1, True),
        (np.float64(2), "gte", 2, True),
        (1, "lt", 1, False),
        (1, "lte", 1, True),
        (NOON, "after", "2026-01-01", True),
        (date(2026, 1, 1), "before", NOON, True),
        ("2026-01-01T12:00:00+00:00", "after_or_equals", NOON, True),
        (NOON, "before_or_equals", NOON, True),
        (True, "true", None, True),
        (np.bool_(False), "false", None, True),
        ([1, 2], "length_equals", 2, True),
        ("abc", "length_gt", 2, True),
        ({}, "length_lte", 0, True),
    ],
)
def test_operators(left: object, operator: str, right: object, answer: bool) -> None:
    assert holds(Condition(left=left, operator=operator, right=right), "condition 1", ignore_case=True, loose=False) is answer


@pytest.mark.parametrize(
    ("left", "operator", "right"),
    [
        ("5", "gt", 3),
        (5, "equals", "5"),
        (5, "contains", "5"),
        (5, "starts_with", "5"),
        ("x", "after", NOON),
        ("yes", "true", None),
        (True, "gt", 0),
        (3, "length_gt", 2),
        (pd.Series([1]), "gt", 2),
    ],
)
def test_sides_of_the_wrong_type_name_the_condition(left: object, operator: str, right: object) -> None:
    with pytest.raises(InputError, match="condition 7: wrong type"):
        holds(Condition(left=left, operator=operator, right=right), "condition 7", ignore_case=True, loose=False)


@pytest.mark.parametrize(
    ("left", "operator", "right", "answer"),
    [
        ("5", "gt", 3, True),
        ("5", "equals", 5, True),
        ("true", "equals", True, True),
        ("x", "equals", 5, False),
        (5, "contains", "5", False),
        (12, "starts_with", "1", True),
        ("yes", "true", None, True),
        (0, "false", None, True),
    ],
)
def test_loose_conditions_convert(left: object, operator: str, right: object, answer: bool) -> None:
    if operator == "contains":
        with pytest.raises(InputError):
            holds(Condition(left=left, operator=operator, right=right), "c", ignore_case=True, loose=True)
        return
    assert holds(Condition(left=left, operator=operator, right=right), "c", ignore_case=True, loose=True) is answer
