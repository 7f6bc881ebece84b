"""Loops drawn from functions."""

from __future__ import annotations

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.loops import for_range, foreach, while_
from nbflow.authoring.namespace import Namespace
from nbflow.authoring.trace import draw
from nbflow.catalogue.registry import Registry
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import FlowSettings

nodes = Namespace(Registry)


@node
def one():
    return 1


@node
def inc(x, y=0, text=""):
    return x + y


def drawn(function):
    return draw(function, name="f", description="", parameters={}, settings=FlowSettings()).flow


def edges(flow):
    return {(edge.source, edge.source_port, edge.target, edge.target_port) for edge in flow.edges}


def test_the_body_is_drawn_once_inside_the_loop():
    def flow():
        scored = foreach(one(), lambda row: inc(inc(row["n"])), concurrency=4, on_item_error="collect")
        return inc.options(id="end")(scored)

    document = drawn(flow)
    loop = document.node("scored")
    assert (loop.type, loop.config) == ("logic.loop.foreach", {"concurrency": 4, "on_item_error": "collect"})
    assert [item.id for item in document.nodes if item.parent == "scored"] == ["inc", "inc_2"]
    assert edges(document) == {
        ("one", "output", "scored", "input"),
        ("scored", "item", "inc", "x"),
        ("inc", "output", "inc_2", "x"),
        ("inc_2", "output", "scored", "result"),
        ("scored", "output", "end", "x"),
    }
    assert next(edge.path for edge in document.edges if edge.source_port == "item") == ("n",)


def test_a_node_may_be_the_body():
    def flow():
        foreach([1, 2], inc, id="a")
        foreach([1, 2], nodes.logic.merge, id="b")

    document = drawn(flow)
    assert document.node("a").config == {"items": [1, 2]}
    assert [item.parent for item in document.nodes] == [None, "a", None, "b"]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (lambda: one(), set()),
        (lambda x: inc(x), {"item"}),
        (lambda x, i: inc(x, i), {"item", "index"}),
        (lambda x, extra=5: inc(x, extra), {"item"}),
    ],
)
def test_a_body_takes_item_index_or_nothing(body, taken):
    document = drawn(lambda: foreach([1], body, id="loop"))
    assert {edge.source_port for edge in document.edges if edge.source == "loop"} == taken


def test_a_body_that_wants_more_is_refused():
    with pytest.raises(DefinitionError, match=r"takes \(item\) or \(item, index\), not 3 arguments"):
        drawn(lambda: foreach([1], lambda a, b, c: inc(a)))


@pytest.mark.parametrize("body", [lambda x: x, lambda x: 5, lambda x: [inc(x)]])
def test_a_body_returns_the_output_of_one_of_its_nodes(body):
    with pytest.raises(DefinitionError, match="returns the output of a node that it called"):
        drawn(lambda: foreach([1], body))


def test_a_body_may_return_nothing():
    document = drawn(lambda: foreach([1], lambda x: None if inc(x) is None else None, id="loop"))
    assert ("inc", "output", "loop", "result") not in edges(document)


def test_a_count_may_be_known_only_when_the_flow_runs():
    def flow(n):
        for_range(0, n, lambda i: inc(i), id="a")
        for_range(1, one(), lambda i: inc(i), step=2, id="b")

    document = drawn(flow)
    assert document.node("a").config == {"start": 0, "end": "{{ params.n }}"}
    assert document.node("b").config == {"start": 1, "end": "{{ nodes.one }}", "step": 2}


def test_a_while_loop_starts_from_a_node():
    document = drawn(lambda: while_(one(), "{{ item < 5 }}", lambda x: inc(x), id="loop"))
    assert document.node("loop").config == {"condition": "{{ item < 5 }}"}
    with pytest.raises(DefinitionError, match="make the value in a @node"):
        drawn(lambda: while_(5, "{{ item < 5 }}", lambda x: inc(x)))


def test_loops_nest():
    def flow():
        return foreach([[1]], lambda row: foreach(row, lambda x: inc(x, y=row), id="inner"), id="outer")

    document = drawn(flow)
    assert document.node("inner").parent == "outer"
    assert document.node("inc").parent == "inner"
    assert ("outer", "item", "inc", "y") in edges(document)
    assert ("inner", "output", "outer", "result") in edges(document)


def test_item_in_a_text_is_the_own_loops():
    document = drawn(lambda: foreach([1], lambda x, i: inc(x, text=f"{i}: {x['name']}")))
    assert document.nodes[1].config["args"] == {"text": "{{ index }}: {{ item['name'] }}"}


@pytest.mark.parametrize("use", [lambda x: inc(1, text=f"{x}"), lambda x: inc(1, y=[x["a"]]), lambda x: nodes.data.csv(operation="parse", path=x)])
def test_an_outer_loops_item_in_an_inner_loops_text_is_refused(use):
    with pytest.raises(DefinitionError, match=r"inside the loop 'inner' is not the item of the loop 'outer'.*give it to a @node as an argument"):
        drawn(lambda: foreach([[1]], lambda outer: foreach([1], lambda _: use(outer), id="inner"), id="outer"))


def test_an_item_in_a_text_outside_its_loop_is_refused():
    kept = []

    def flow():
        foreach([1], lambda x: (kept.append(x), inc(x))[1], id="loop")
        inc(1, text=f"{kept[0]}")

    with pytest.raises(DefinitionError, match="outside of every loop"):
        drawn(flow)


def test_an_if_on_an_item_shows_the_branch_to_write():
    with pytest.raises(DefinitionError, match=r"logic\.if_\(item, condition"):
        drawn(lambda: foreach([1], lambda x: inc(x) if x["ok"] else None))


def test_a_loop_of_the_catalogue_takes_its_body_and_settings():
    def flow():
        scored = nodes.logic.loop_foreach.options(timeout=60)(one(), body=lambda row: inc(row), batch_size=2)
        nodes.logic.loop_for(end=3, body=inc)
        return inc.options(id="end")(scored)

    document = drawn(flow)
    assert document.node("scored").config == {"batch_size": 2}
    assert document.node("scored").settings.timeout is not None
    assert [(item.id, item.parent) for item in document.nodes[1:]] == [
        ("scored", None),
        ("inc", "scored"),
        ("loop_for", None),
        ("inc_2", "loop_for"),
        ("end", None),
    ]
    assert ("inc_2", "output", "loop_for", "result") in edges(document)


def test_variables_of_a_body_name_its_nodes():
    def flow():
        def body(row):
            check = nodes.logic.if_(row, condition="input")
            return nodes.logic.merge(check.true)

        return foreach([1], body)

    assert [item.id for item in drawn(flow).nodes] == ["foreach", "check", "merge"]


def test_every_field_of_a_loop_can_be_given():
    def flow(symbol):
        foreach(one(), inc, field="rows", id="a")
        for_range(0, 3, inc, inclusive=True, on_item_error="collect", max_iterations=5, concurrency=symbol["n"], id="b")
        while_(one(), "{{ item < 3 }}", inc, delay=0.5, id="c")

    from nbflow.authoring.symbol import Parameter

    document = drawn(lambda: flow(Parameter("params.p")))
    assert document.node("a").config == {"field": "rows"}
    assert document.node("b").config == {
        "start": 0,
        "end": 3,
        "inclusive": True,
        "concurrency": "{{ params.p['n'] }}",
        "on_item_error": "collect",
        "max_iterations": 5,
    }
    assert document.node("c").config == {"condition": "{{ item < 3 }}", "delay": 0.5}
