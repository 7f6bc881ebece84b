"""Previews: small, honest, and never in the way."""

import dataclasses
import enum
import tracemalloc
import types
from collections import OrderedDict, defaultdict, deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.core.values import MAX_BYTES, preview


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: list


class Model(pydantic.BaseModel):
    name: str
    secret: pydantic.SecretStr


class Broken:
    def __repr__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError


class BrokenList(list):
    def __iter__(self):
        raise RuntimeError


class Shy:
    @property
    def __class__(self):
        raise RuntimeError


Pair = namedtuple("Pair", "left right")  # noqa: PYI024


@pytest.mark.parametrize("value", [None, True, 0, -5, 2**63, 1.5, "", "text", "\u00e4\u20ac", [], {}, [1, {"a": None}]])
def test_plain_values_are_their_own_preview(value):
    assert preview(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a" * 300, {"$type": "str", "length": 300, "text": "a" * 256}),
        ("\ud800", "?"),
        (2**64, {"$type": "int", "bits": 65}),
        (float("nan"), {"$type": "float", "value": "nan"}),
        (b"abc", {"$type": "bytes", "length": 3, "hex": "616263"}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(1, 2), "01:02:00"),
        (timedelta(seconds=90), "0:01:30"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        ((1, 2), [1, 2]),
        ({3}, {"$type": "set", "length": 1, "items": [3]}),
        (deque([1]), {"$type": "deque", "length": 1, "items": [1]}),
        (list(range(25)), [*range(20), {"$more": 5}]),
        ({"$set": 1, 2: 3}, {"$$set": 1, "2": 3}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(int, a=1), {"a": 1}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (Point(1, [2]), {"$type": "tests.Point", "x": 1, "y": [2]}),
        (Pair(1, 2), {"$type": "tests.Pair", "left": 1, "right": 2}),
        (ValueError("no", 1), {"$type": "ValueError", "args": ["no", 1]}),
        (np.float32(0.5), 0.5),
        (np.array([[1, 2], [3, 4]]), {"$type": "ndarray", "shape": [2, 2], "dtype": "int64", "items": [1, 2, 3, 4]}),
        (Fraction(1, 2), {"$type": "fractions.Fraction", "text": "Fraction(1, 2)"}),
        (preview, {"$type": "function", "text": "preview"}),
        (Point, {"$type": "type", "text": "Point"}),
    ],
)
def test_a_value_is_shown_as(value, shown):
    seen = preview(value)
    if isinstance(seen, dict) and "$type" in seen:
        seen["$type"] = seen["$type"].replace("test_values.", "tests.")
    assert seen == shown


def test_a_frame_shows_its_shape_types_and_first_rows():
    frame = pd.DataFrame({"n": range(10), "s": ["x" * 100, None] * 5, "t": pd.to_datetime(["2026-01-01", None] * 5)})
    seen = preview(frame)
    assert seen["$type"] == "DataFrame"
    assert seen["shape"] == [10, 3]
    assert list(seen["dtypes"]) == ["n", "s", "t"]
    assert len(seen["head"]) == 5
    assert seen["head"][1] == {"n": 1, "s": None, "t": None}
    assert seen["head"][0]["s"] == "x" * 80 + "\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize("make", [pa.Table.from_pandas, pa.RecordBatch.from_pandas])
def test_arrow_tables_look_like_frames(make):
    seen = preview(make(pd.DataFrame({"a": [1, 2]})))
    assert seen["shape"] == [2, 1]
    assert seen["dtypes"] == {"a": "int64"}
    assert seen["head"] == [{"a": 1}, {"a": 2}]


def test_series_and_arrow_columns_show_their_first_items():
    assert preview(pd.Series([1, 2], name="a")) == {"$type": "Series", "length": 2, "dtype": "int64", "name": "a", "items": [1, 2]}
    assert preview(pa.chunked_array([[1], [2]])) == {"$type": "ChunkedArray", "length": 2, "dtype": "int64", "items": [1, 2]}


def test_frames_with_odd_columns_are_shown():
    for frame in (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame(),
        pd.DataFrame({("a", 1): [object()]}),
        pd.DataFrame(np.zeros((3, 5000))),
    ):
        seen = preview(frame)
        assert seen["$type"] == "DataFrame"
        assert len(orjson.dumps(seen)) <= MAX_BYTES


def test_a_big_frame_is_not_copied():
    frame = pd.DataFrame({f"c{place}": np.zeros(1_000_000) for place in range(13)})
    preview(frame)
    tracemalloc.start()
    try:
        preview(frame)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_generator_is_not_consumed():
    numbers = (number for number in range(3))
    assert preview(numbers) == {"$type": "generator"}
    assert list(numbers) == [0, 1, 2]


def test_secrets_stay_hidden():
    assert "geheim" not in str(preview(Model(name="a", secret="geheim")))


def test_circles_end():
    circle: list = []
    circle.append(circle)
    around: dict = {}
    around["me"] = around
    assert len(orjson.dumps(preview([circle, around]))) < 300


def test_broken_objects_have_a_preview():
    for value in (Broken(), [Broken()], BrokenList([1]), {"a": Broken()}, Shy(), [Shy()]):
        orjson.dumps(preview(value))


def test_a_wide_and_deep_value_stays_small():
    value = {f"key{i}" * 30: [{"text" * 20: "\x00" * 300}] * 50 for i in range(50)}
    assert len(orjson.dumps(preview(value))) <= MAX_BYTES


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=()), max_size=400),
    st.binary(max_size=50),
    st.decimals(),
    st.datetimes(),
    st.timedeltas(),
    st.uuids(),
    st.complex_numbers(),
    st.fractions(),
    st.just("x" * 100_000),
    st.just("\x01" * 5000),
    st.builds(Broken),
    st.builds(lambda: [Shy()]),
    st.builds(object),
    st.sampled_from(Colour),
    st.builds(lambda: 10**5000),
    st.builds(np.arange, st.integers(0, 50)),
    st.builds(lambda n: pd.DataFrame({"a": range(n), "b": "\u00e4" * 500}), st.integers(0, 9)),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=30),
        st.dictionaries(st.one_of(st.text(max_size=100), st.integers(), st.none(), st.tuples(st.integers())), inner, max_size=30),
        st.tuples(inner, inner),
        st.builds(Point, inner, inner),
        st.builds(deque, st.lists(inner, max_size=3)),
        st.builds(ValueError, inner),
        st.frozensets(st.text(max_size=300), max_size=30),
    ),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_every_value_has_a_small_json_preview(value):
    assert len(orjson.dumps(preview(value))) <= MAX_BYTES


def test_small_plain_values_are_shown_whole_as_a_copy():
    value = {"method": "POST", "headers": {"host": "x"}, "body": [{"id": 1, "ok": True, "none": None, "rate": 0.5}], "empty": [[], {}]}
    shown = preview(value)
    assert shown == value
    value["body"][0]["id"] = 2
    value["headers"].clear()
    assert shown["body"][0]["id"] == 1
    assert shown["headers"] == {"host": "x"}


@pytest.mark.parametrize(
    "value",
    [
        {"$a": 1}, {1: 2}, {"k" * 65: 1}, {"ä": 1}, ["x" * 257], list(range(21)), [float("nan")], [2**64], [(1, 2)], [[[[["deep"]]]]], ["\ud800"],
        [[[list(range(20))] * 20] * 20] * 20,
    ],
)  # fmt: skip
def test_whatever_has_to_be_cut_or_marked_takes_the_long_way(value, monkeypatch):
    quick = preview(value)
    monkeypatch.setattr("nbflow.core.values._CONTAINERS", 0)
    assert quick == preview(value)
