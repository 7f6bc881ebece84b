"""What expressions can do."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest

from nbflow.core.errors import ExpressionError
from nbflow.core.expression import expression


@dataclass
class Order:
    total: float
    items: list


FRAME = pd.DataFrame({"a": [1, 2], "count": [3, 4], "_id": [5, 6]})
SCOPE = {
    "input": {"items": [{"x": 2}, {"x": 1}], "name": "Ann", "_id": 7, "none": None},
    "df": FRAME,
    "order": Order(total=3.5, items=[1]),
    "now": datetime(2026, 3, 1, 12, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("input.items[0].x", 2),
        ("input._id", 7),
        ("input['name']", "Ann"),
        ("input.items | length", 2),
        ("input.items | map(attribute='x')", [2, 1]),
        ("input.items | selectattr('x', 'gt', 1)", [{"x": 2}]),
        ("input.items | sum(attribute='x')", 3),
        ("input.items | sort(attribute='x') | first", {"x": 1}),
        ("input.items | groupby('x') | map('first')", [1, 2]),
        ("[input.name, input.items | reverse]", ["Ann", [{"x": 1}, {"x": 2}]]),
        ("input.items[1:]", [{"x": 1}]),
        ("input.keys()", ["items", "name", "_id", "none"]),
        ("input.get('zz', 3)", 3),
        ("input.zz | default(3)", 3),
        ("input.zz is defined", False),
        ("input.name.upper().split('N')", ["A", "", ""]),
        ("'yes' if input.name == 'Ann' else 'no'", "yes"),
        ("'%05.1f' % 3.14159", "003.1"),
        ("2 ** 10", 1024),
        ("'ab' * 2 ~ 1", "abab1"),
        ("order.total * 2", 7.0),
        ("order.items", [1]),
        ("now.year", 2026),
        ("now.isoformat()", "2026-03-01T12:00:00+00:00"),
        ("df | length > 0", True),
        ("df.shape[0]", 2),
        ("df.empty", False),
        ("df['a'] | sum", 3),
        ("df.count | list", [3, 4]),
        ("df._id | max", 6),
        ("df.iloc[0]['a']", 1),
        ("df.columns | list", ["a", "count", "_id"]),
    ],
)
def test_an_expression_reads_data(source, value):
    assert expression(source).evaluate(SCOPE) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("inptu", "nothing is called 'inptu' here; did you mean 'input'?"),
        ("input.nmae", "there is no 'nmae'; did you mean 'name'?"),
        ("input.none.x", "there is no 'x' because the value before it is None"),
        ("input.items.x", "a list has no 'x'; take one of its items, as in [0].x, or map(attribute='x')"),
        ("input.items[5]", "there is no item 5; the list has 2"),
        ("df.b", "the DataFrame has no column 'b'; its columns are 'a', 'count', '_id'"),
        ("order.totl", "Order has no 'totl'; did you mean 'total'?"),
        ("input.zz.y", "there is no 'zz'"),
        ("[input.zz]", "there is no 'zz'"),
        ("{'a': {'b': input.zz}}", "there is no 'zz'"),
        ("input.items | map(attribute='zz')", "there is no 'zz'"),
        ("1 if false", "evaluated to false"),
        ("input.name.upper", "this gives the method upper, not a value; call it with ()"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("input.name + 1", "TypeError"),
        ("df or 1", "ValueError"),
    ],
)
def test_a_failing_expression_says_what_there_is(source, message):
    with pytest.raises(ExpressionError) as caught:
        expression(source).evaluate(SCOPE)
    assert message in str(caught.value)
    assert caught.value.expression == source


def test_an_expression_is_parsed_once():
    assert expression("a + 1") is expression("a + 1")


def test_a_default_key_is_not_made_by_reading():
    from collections import defaultdict

    counts = defaultdict(int)
    assert expression("input.a | default(0)").evaluate({"input": counts}) == 0
    assert not counts
