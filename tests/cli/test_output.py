"""Values as JSON and as text."""

import decimal
import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

from nbflow.cli.output import dumps, duration, print_value, size


class Opaque:
    def __repr__(self):
        return "<opaque>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [None, "x"]}), [{"a": 1, "b": None}, {"a": 2, "b": "x"}]),
        (pd.DataFrame({"t": [pd.Timestamp("2026-01-02"), pd.NaT]}), [{"t": "2026-01-02T00:00:00"}, {"t": None}]),
        (pa.table({"a": [1]}), [{"a": 1}]),
        (pd.Series([1, 2]), [1, 2]),
        (np.arange(3), [0, 1, 2]),
        (np.float32(0.5), 0.5),
        ({1: {2}}, {"1": [2]}),
        (math.nan, None),
        (decimal.Decimal("1.50"), "1.50"),
        (Path("a/b"), "a/b"),
        (date(2026, 1, 2), "2026-01-02"),
        (Opaque(), "<opaque>"),
        ({"t": pd.NaT, "n": pd.NA}, {"t": None, "n": None}),
        (b"abc", "b'abc'"),
    ],
)
def test_every_value_has_a_json_form(value, expected):
    assert json.loads(dumps(value)) == expected


def printed(value):
    screen = Console(width=200, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 -- closed below
    print_value(screen, "x", value)
    screen.file.close()
    return screen.export_text()


def test_a_long_table_is_cut():
    text = printed(pd.DataFrame({"a": range(1000)}))
    assert "x (1,000 rows, 1 columns)" in text
    assert "first 20 rows" in text


def test_records_are_a_table():
    assert "x (2 rows, 2 columns)" in printed([{"a": 1}, {"b": 2}])


def test_a_long_text_is_cut():
    assert "96,000 more characters" in printed("x" * 100_000)


def test_brackets_are_no_markup():
    assert "[bold]x[/nothing]" in printed("[bold]x[/nothing]")


def test_durations_and_sizes():
    assert [duration(value) for value in (None, 0.5, 12, 1234, 200_000, 7_500_000)] == ["", "0.5 ms", "12 ms", "1.2 s", "3 min 20 s", "2 h 5 min"]
    assert [size(value) for value in (12, 3400, 5e9)] == ["12 B", "3.4 kB", "5.0 GB"]
