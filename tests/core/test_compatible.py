"""Which annotated types fit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import pandas as pd
import pytest

from nbflow.core.compatible import accepts, item_of, name_of

T = TypeVar("T")
Id = NewType("Id", int)


class Readable(Protocol):
    def read(self) -> str: ...


class Row(TypedDict):
    a: int


class Base: ...


class Derived(Base): ...


@pytest.mark.parametrize(
    ("wanted", "produced"),
    [
        (Any, str),
        (str, Any),
        (None, str),
        (str, None),
        (object, str),
        (str, object),
        (int, int),
        (float, int),
        (complex, float),
        (int, bool),
        (Base, Derived),
        (Derived, Base),
        (int | str, str),
        (Optional[int], int),
        (int, Optional[int]),
        (Union[int, str], bytes | str),
        (list, list[int]),
        (list[int], list),
        (list[Any], list[int]),
        (list[float], list[int]),
        (Sequence[int], list[int]),
        (Mapping, dict[str, int]),
        (dict, Row),
        (Row, dict),
        (Iterable, pd.DataFrame),
        (T, str),
        (str, T),
        (Readable, int),
        ("Unresolved", int),
        (int, "Unresolved"),
        (Id, int),
        (int, Id),
        (Literal["a"], str),
        (str, Literal["a", "b"]),
        (Annotated[int, ["unhashable"]], bool),
        (list[int], Iterator[int]),
        (tuple[int, int], tuple[int, str]),
        (pd.DataFrame, pd.DataFrame),
        (list[T], list[str]),
    ],
)
def test_these_fit(wanted, produced):
    assert accepts(wanted, produced)


@pytest.mark.parametrize(
    ("wanted", "produced"),
    [
        (int, str),
        (str, int),
        (int, float),
        (pd.DataFrame, dict),
        (dict, pd.DataFrame),
        (list[int], list[str]),
        (int | float, str),
        (Optional[int], str),
        (int, type(None)),
        (dict[str, int], dict[str, str]),
        (list, dict),
        (Literal["a"], int),
        (Id, str),
        (Sequence[int], list[str]),
        (pd.DataFrame, pd.Series),
        (Annotated[int, ["unhashable"]], str),
        (list[list[int]], list[list[str]]),
    ],
)
def test_these_surely_do_not_fit(wanted, produced):
    assert not accepts(wanted, produced)


def test_items_and_names_of_annotations():
    assert item_of(list[int]) is int
    assert item_of(list) is None
    assert item_of(dict[str, int]) is None
    assert name_of(pd.DataFrame) == "DataFrame"
    assert name_of(list[int]) == "list[int]"
    assert name_of(type(None)) == "None"
    assert name_of(Optional[int]) == "Optional[int]"
