"""nbflow's own filters."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from nbflow.core.errors import ExpressionError
from nbflow.core.expression import expression

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


class Client:
    """An object whose `get` would act."""

    def get(self, url):
        raise AssertionError(url)


@pytest.mark.parametrize(
    ("source", "given", "value"),
    [
        ("x | jmespath('[?n > `1`].n')", [{"n": 1}, {"n": 2}], [2]),
        ("x | jmespath('a.b')", {"a": {"b": 3}}, 3),
        ("x | jmespath('[].a')", FRAME, [1, 2]),
        ("x | jmespath('client.url')", {"client": Client()}, None),
        ("x | json", {"a": float("nan"), "when": date(2026, 1, 2)}, '{"a":null,"when":"2026-01-02"}'),
        ("x | tojson", [Decimal("1.5"), {1}, (2,)], "[1.5,[1],[2]]"),
        ("x | json", FRAME, '[{"a":1,"b":"x"},{"a":2,"b":null}]'),
        ("x | json", pa.table({"a": [1]}), '[{"a":1}]'),
        ("x | json(indent=2)", {"a": 1}, '{\n  "a": 1\n}'),
        ("x | fromjson", '{"a": [1]}', {"a": [1]}),
        ("x | b64", "\u00e4", "w6Q="),
        ("x | b64", b"\x00", "AA=="),
        ("x | hash", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("x | hash('md5')", b"abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("x | date", "2026-03-01T12:00:00Z", "2026-03-01"),
        ("x | date('%d.%m.%Y %H:%M', zone='Europe/Berlin')", datetime(2026, 3, 1, 12, tzinfo=UTC), "01.03.2026 13:00"),
        ("x | date(days=-1)", date(2026, 3, 1), "2026-02-28"),
        ("x | date", 0, "1970-01-01"),
        ("x | money('EUR')", 1234.5, "1,234.50 EUR"),
        ("x | money", Decimal("0.005"), "0.01"),
        ("x | escape", "<a & b>", "&lt;a &amp; b&gt;"),
        ("x | join(', ')", [1, 2], "1, 2"),
        ("x | join('-', attribute='n')", [{"n": 1}, {"n": 2}], "1-2"),
        ("x | replace('a', 'b')", "aa", "bb"),
        ("x | round(1)", 1.25, 1.2),
    ],
)
def test_a_filter_gives(source, given, value):
    assert expression(source).evaluate({"x": given}) == value


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        ("x | hash('crc')", "a", "hash knows sha256"),
        ("x | date", [1], "not list"),
        ("x | date(zone='UTC')", date(2026, 1, 1), "no time of day"),
        ("x | fromjson", "{", "JSONDecodeError"),
        ("x | json", object(), "not JSON serializable: object"),
        ("x | jmespath('[')", [], "ParseError|IncompleteExpression|Bad jmespath"),
    ],
)
def test_a_filter_refuses(source, given, message):
    with pytest.raises(ExpressionError, match=message):
        expression(source).evaluate({"x": given})
