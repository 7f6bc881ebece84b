"""Symbols: what can be done with a value that is not there yet, and the way shown when something cannot."""

from __future__ import annotations

import copy
import math
from datetime import date
from pathlib import Path

import pytest

from nbflow.authoring.symbol import Output, Parameter, literal
from nbflow.core.errors import DefinitionError

RAW = Output("raw", "output", ("output",))
PATH = Parameter("params.path")

FORBIDDEN = {
    "if": (lambda x: 1 if x else 2, "nf.nodes.logic.if_("),
    "not": (lambda x: not x, "nf.nodes.logic.if_("),
    "and": (lambda x: x and 1, "nf.nodes.logic.if_("),
    "==": (lambda x: x == 1, "nf.nodes.logic.if_("),
    "!=": (lambda x: x != 1, "nf.nodes.logic.if_("),
    ">": (lambda x: x > 1, "nf.nodes.logic.if_("),
    "<=": (lambda x: x <= 1, "nf.nodes.logic.if_("),
    "in": (lambda x: 1 in x, "nf.nodes.logic.if_("),
    "for": (lambda x: list(x), "nf.foreach("),
    "unpack": (lambda x: [*x], "nf.foreach("),
    "len": (lambda x: len(x), "length"),
    "+": (lambda x: x + 1, "@node"),
    "r+": (lambda x: 1 + x, "@node"),
    "text +": (lambda x: "a" + x, "@node"),
    "*": (lambda x: 2 * x, "@node"),
    "@": (lambda x: x @ x, "@node"),
    "r&": (lambda x: 1 & x, "@node"),
    "<<": (lambda x: x << 1, "@node"),
    "-": (lambda x: -x, "@node"),
    "+x": (lambda x: +x, "@node"),
    "round": (lambda x: round(x), "@node"),
    "floor": (lambda x: math.floor(x), "@node"),
    "divmod": (lambda x: divmod(x, 2), "@node"),
    "int": (lambda x: int(x), "@node"),
    "float": (lambda x: float(x), "@node"),
    "range": (lambda x: range(x), "@node"),
    "index": (lambda x: [1, 2][x], "@node"),
    "call": (lambda x: x(), "@node"),
    "method": (lambda x: x.strip(), "@node"),
    "slice": (lambda x: x[1:2], "@node"),
    "set item": (lambda x: x.__setitem__("a", 1), "@node"),
    "del item": (lambda x: x.__delitem__("a"), "@node"),
    "with": (lambda x: x.__enter__(), "@node"),
    "await": (lambda x: x.__await__(), "pass it on"),
    "format": (lambda x: f"{x:.2f}", "round(2)"),
}


@pytest.mark.parametrize("symbol", [RAW, PATH, RAW["rows"]], ids=["output", "parameter", "part"])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_needs_the_value_says_what_to_do_instead(name, symbol):
    operation, way = FORBIDDEN[name]
    with pytest.raises(DefinitionError) as caught:
        operation(symbol)
    assert way in str(caught.value)


def test_an_if_shows_the_branch_to_write():
    with pytest.raises(DefinitionError, match=r"logic\.if_\(raw, condition=\"\{\{ input \}\}\"\)"):
        bool(RAW)
    with pytest.raises(DefinitionError, match=r"logic\.if_\(raw, condition=\"\{\{ input\['ok'\] \}\}\"\)"):
        bool(RAW["ok"])
    with pytest.raises(DefinitionError, match=r"condition=\"\{\{ params\.path \}\}\""):
        bool(PATH)


def test_symbols_in_texts_become_expressions():
    assert f"{PATH}/x-{RAW['rows'][0]}.csv" == "{{ params.path }}/x-{{ nodes.raw['rows'][0] }}.csv"
    assert str(RAW) == "{{ nodes.raw }}"
    assert "known when the flow runs" in repr(RAW)


def test_a_part_keeps_its_way():
    assert RAW["rows"][0].source == ("raw", "output", ("rows", 0))


def test_ports_are_attributes():
    check = Output("check", "", ("true", "false"))
    assert check.true.source == ("check", "true", ())
    assert check.false["a"].source == ("check", "false", ("a",))
    assert dir(check) == ["false", "true"]


def test_a_port_that_must_be_chosen_or_is_not_there_is_named():
    check = Output("check", "", ("true", "false"))
    with pytest.raises(DefinitionError, match=r"say which of `.true` and `.false`"):
        _ = check.source
    with pytest.raises(DefinitionError, match=r"no port 'maybe' \(ports: true, false\)"):
        _ = check.maybe


def test_symbols_can_be_copied_and_looked_at_by_tools():
    assert copy.copy(RAW).source == RAW.source
    assert not hasattr(RAW, "_repr_html_")
    assert hash(RAW)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a", [1, {"a": [2]}]])
def test_plain_values_stand_as_they_are(value):
    assert literal(value, "here") == value


def test_symbols_inside_lists_and_objects_become_expressions():
    assert literal({"a": [RAW, PATH["x"]], "b": (1, 2)}, "here") == {"a": ["{{ nodes.raw }}", "{{ params.path['x'] }}"], "b": [1, 2]}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), float("inf"), [lambda: 1], {"a": object()}])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(DefinitionError, match=r"argument 'x'.*cannot hold.*parameter of the flow, or make it inside a @node"):
        literal(value, "argument 'x'")


@pytest.mark.parametrize("key", [1, None, (1, 2)])
def test_keys_that_would_change_are_refused(key):
    with pytest.raises(DefinitionError, match="key"):
        literal({key: 1}, "here")


@pytest.mark.parametrize("value", [date(2024, 1, 2), Path("a/b")])
def test_texts_that_a_config_turns_back_are_refused_where_nothing_does(value):
    assert isinstance(literal(value, "here"), str)
    with pytest.raises(DefinitionError):
        literal(value, "here", exact=True)
