"""Drawing: the function of a flow runs once with symbols."""

from __future__ import annotations

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.loops import foreach
from nbflow.authoring.namespace import Namespace
from nbflow.authoring.trace import active_trace, draw, need_trace
from nbflow.catalogue.registry import Registry
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import FlowSettings
from nbflow.define import flow as flow_decorator

nodes = Namespace(Registry)


@node
def one():
    return 1


@node
def inc(x, y=0):
    return x + y


def drawn(function):
    return draw(function, name="f", description="", parameters={}, settings=FlowSettings()).flow


def ids(function):
    return [item.id for item in drawn(function).nodes]


def test_catalogue_nodes_are_called_as_the_variables_they_are_assigned_to():
    def flow():
        raw = one()
        check = nodes.logic.if_(raw, condition="{{ input }}")
        joined = nodes.logic.merge(
            check.true,
            check.false,
        )
        nodes.logic.merge(joined)

    assert ids(flow) == ["one", "check", "joined", "merge"]


def test_of_several_calls_in_a_line_the_assigned_one_has_the_name():
    def flow():
        end = nodes.logic.merge(nodes.logic.merge(one()), foreach(one(), lambda x: nodes.logic.merge(x)))
        return {"it": end}

    assert ids(flow) == ["one", "merge", "one_2", "foreach", "merge_2", "end"]


def test_a_loop_has_the_name_and_not_the_nodes_inside():
    def flow():
        items = one()
        scored = foreach(items, lambda row: nodes.logic.merge(row))
        return {"it": scored}

    assert ids(flow) == ["one", "scored", "merge"]


def test_nodes_of_a_helper_are_not_called_as_the_callers_variable():
    def helper():
        return nodes.logic.merge(one())

    def flow():
        result = helper()
        return {"it": result}

    assert ids(flow) == ["one", "merge"]


def test_many_nodes_of_one_function_get_their_names_quickly():
    def flow():
        value = one()
        for _ in range(20_000):
            value = inc(value)

    assert ids(flow)[-1] == "inc_20000"


@pytest.mark.parametrize("returned", ["one", "tuple", "dict", "port", "nothing"])
def test_what_a_flow_returns_becomes_its_outputs(returned):
    def flow():
        a, b = one(), inc(1)
        check = nodes.logic.if_(a, condition="{{ input }}")
        return {"one": a["x"], "tuple": (a, b), "dict": {"left": a, "right": b}, "port": (a, check.true), "nothing": None}[returned]

    expected = {
        "one": {"one": ("one", "output", ("x",))},
        "tuple": {"one": ("one", "output", ()), "inc": ("inc", "output", ())},
        "dict": {"left": ("one", "output", ()), "right": ("inc", "output", ())},
        "port": {"one": ("one", "output", ()), "check_true": ("check", "true", ())},
        "nothing": {},
    }[returned]
    assert {name: (output.node, output.port, output.path) for name, output in drawn(flow).outputs.items()} == expected


def test_a_flow_returns_outputs_only():
    with pytest.raises(DefinitionError, match="returns the output of a node"):
        drawn(lambda: 5)


def test_a_flow_inside_a_flow_puts_its_nodes_there():
    @flow_decorator
    def part(x, y: int = 3):
        return inc(x, y)

    def whole():
        return part(part(one()), y=7)

    document = drawn(whole)
    assert [(item.id, item.config.get("args")) for item in document.nodes] == [("one", None), ("inc", {"y": 3}), ("inc_2", {"y": 7})]
    assert [(edge.source, edge.target) for edge in document.edges] == [("one", "inc"), ("inc", "inc_2")]


def test_drawing_twice_gives_the_same_document():
    def flow(n):
        return foreach(one(), lambda x: inc(x, y=n))

    assert drawn(flow).to_json() == drawn(flow).to_json()


def test_nothing_is_left_after_a_flow_that_cannot_be_drawn():
    def flow():
        message = "mine"
        raise KeyError(message)

    with pytest.raises(KeyError, match="mine"):
        drawn(flow)
    assert active_trace() is None
    with pytest.raises(DefinitionError, match="inside a function decorated with @flow"):
        need_trace("nf.foreach")


def test_functions_of_the_same_name_are_told_apart():
    def make(factor):
        @node
        def work(x=0):
            return x * factor

        return work

    first, second = make(1), make(2)

    def flow():
        first()
        second()
        first()

    names = [item.config["function"].rpartition(".")[2] for item in drawn(flow).nodes]
    assert names == ["work", "work#2", "work"]


def test_variables_name_nodes_of_code_without_a_source():
    names = {"nodes": nodes}
    exec("def flow():\n    raw = nodes.trigger.manual()\n    later = lambda: raw\n    x = {'a': nodes.logic.merge(raw)}\n    return raw", names)
    assert ids(names["flow"]) == ["raw", "merge"]
