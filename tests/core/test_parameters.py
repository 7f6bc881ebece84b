"""Parameters of flows."""

import enum
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from nbflow.core.errors import DefinitionError, ParameterError
from nbflow.core.parameters import coerce_text, schema_of, validate


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Place(BaseModel):
    city: str
    zip: int = 0


def report(
    day: date,
    count: int = 3,
    ratio: float | None = None,
    tags: list[str] = [],  # noqa: B006
    size: Size = Size.SMALL,
    mode: Literal["a", "b"] = "a",
    place: Place | None = None,
    limit: Annotated[int, Field(ge=1, le=9, description="How many.")] = 2,
    frame: pd.DataFrame | None = None,
    schema: str = "public",
    anything=None,
):
    """A function with all kinds of parameters."""


SCHEMA = schema_of(report)


def checked(**values: Any) -> dict[str, Any]:
    return validate("report", SCHEMA, {"day": "2026-01-01", **values})


def test_a_signature_becomes_a_schema():
    properties = SCHEMA["properties"]
    assert SCHEMA["required"] == ["day"]
    assert properties["day"]["format"] == "date"
    assert properties["count"]["default"] == 3
    assert properties["limit"] == {"title": "limit", "type": "integer", "minimum": 1, "maximum": 9, "default": 2, "description": "How many."}
    assert list(properties)[-2:] == ["schema", "anything"]


def test_no_parameters_make_no_schema():
    assert schema_of(lambda: None) == {}


def test_defaults_are_filled_in_and_not_shared():
    first = checked()
    assert first["count"] == 3
    assert first["size"] == "s"
    first["tags"].append("x")
    assert checked()["tags"] == []


@pytest.mark.parametrize(
    ("values", "name", "message"),
    [
        ({"count": "3"}, "count", "'3' was given, a whole number is expected"),
        ({"count": True}, "count", "True was given, a whole number is expected"),
        ({"ratio": "x"}, "ratio", "'x' was given, a number or nothing is expected"),
        ({"tags": ["a", 1]}, "tags", "[1] is wrong: 1 was given, text is expected"),
        ({"size": "m"}, "size", "'m' was given, one of 's', 'l' is expected"),
        ({"mode": "c"}, "mode", "one of 'a', 'b'"),
        ({"place": {"zip": 1}}, "place", "an object with 'city'"),
        ({"place": {"city": 1}}, "place", "city is wrong: 1 was given, text is expected"),
        ({"limit": 0}, "limit", "at least 1"),
        ({"limit": 10}, "limit", "at most 9"),
        ({"cuont": 1}, "cuont", "the flow has no such parameter; did you mean 'count'?"),
        ({"day": 5}, "day", "text of the format date"),
        ({"day": "x" * 500}, None, ""),
    ],
)
def test_a_wrong_value_says_what_was_given_and_what_is_expected(values, name, message):
    if name is None:
        assert checked(**values)
        return
    with pytest.raises(ParameterError) as caught:
        checked(**values)
    assert caught.value.flow == "report"
    assert caught.value.field == name
    assert message in str(caught.value)


def test_a_missing_parameter_says_what_is_expected():
    with pytest.raises(ParameterError, match="parameter 'day': it is required and was not given; text of the format date"):
        validate("report", SCHEMA, {})


def test_a_flow_without_parameters_takes_none():
    assert validate("plain", {}, {}) == {}
    with pytest.raises(ParameterError, match="it takes none"):
        validate("plain", {}, {"a": 1})


def test_objects_of_a_notebook_become_their_json_form():
    values = checked(day=date(2026, 1, 2), size=Size.LARGE, place=Place(city="Bonn"), count=4.0)
    assert values["day"] == "2026-01-02"
    assert values["size"] == "l"
    assert values["place"] == {"city": "Bonn", "zip": 0}
    assert values["count"] == 4
    assert isinstance(values["count"], int)
    assert validate("f", {"properties": {"p": {"type": "string", "format": "path"}}}, {"p": Path("a")}) == {"p": "a"}


def test_a_python_object_passes_by_reference():
    frame = pd.DataFrame({"a": [1]})
    assert checked(frame=frame)["frame"] is frame


def test_a_schema_of_a_file_may_allow_more_and_lead_in_circles():
    schema = {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}, "additionalProperties": True}
    with pytest.raises(ParameterError):
        validate("f", schema, {"a": 1})
    assert validate("f", {"properties": {}, "additionalProperties": True}, {"b": 2}) == {"b": 2}


def test_patterns_consts_and_lengths_hold():
    schema = {
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 3},
            "one": {"const": 1},
            "few": {"type": "array", "maxItems": 1},
            "step": {"type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    }
    assert validate("f", schema, {"code": "AB", "one": 1, "few": [1], "step": 1.5, "map": {"x": 1}})
    for wrong in ({"code": "ab"}, {"code": "ABCD"}, {"one": 2}, {"few": [1, 2]}, {"step": 0.3}, {"step": 0}, {"map": {"x": "y"}}):
        with pytest.raises(ParameterError):
            validate("f", schema, wrong)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "3", 3),
        ("count", "x", "x"),
        ("ratio", "1.5", 1.5),
        ("ratio", "none", None),
        ("tags", '["a"]', ["a"]),
        ("tags", "a", "a"),
        ("day", "2026-01-01", "2026-01-01"),
        ("size", "l", "l"),
        ("place", '{"city": "Bonn"}', {"city": "Bonn"}),
        ("schema", "3", "3"),
        ("anything", "3", "3"),
    ],
)
def test_a_command_line_text_becomes_the_schema_type(name, text, value):
    assert coerce_text(SCHEMA["properties"][name], text, SCHEMA) == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("no", False), ("on", True), ("0", False), ("maybe", "maybe")])
def test_booleans_have_many_spellings(text, value):
    assert coerce_text({"type": "boolean"}, text) is value


def _starred(*args):
    pass


def _hidden(_x):
    pass


def _unknown(x: "Nowhere"):  # noqa: F821
    pass


def _odd_default(x: Any = object()):  # noqa: B008
    pass


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_starred, "name each parameter"),
        (_hidden, "underscore"),
        (_unknown, "'Nowhere', which is not defined"),
        (_odd_default, "default has no JSON form"),
    ],
)
def test_a_signature_that_no_caller_could_use_is_refused(function, message):
    with pytest.raises(DefinitionError, match=message):
        schema_of(function)


@given(
    st.dictionaries(
        st.sampled_from(list(SCHEMA["properties"])),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_any_json_is_taken_or_refused_and_taking_is_stable(values):
    try:
        taken = validate("report", SCHEMA, values)
    except ParameterError:
        return
    assert repr(validate("report", SCHEMA, taken)) == repr(taken)
