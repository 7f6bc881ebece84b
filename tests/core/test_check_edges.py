"""Problems of edges."""

import pytest
from small_flows import call, flow, function_type

from nbflow.core.flow import Edge, Node, NodeSettings

LOOP = Node(id="loop", type="test.loop")
F = {"f": function_type(input=(None, ...))}


def codes(found):
    return sorted(problem.code for problem in found)


@pytest.mark.parametrize("ends", ["a -> zz", "zz -> a", "yy -> zz"])
def test_both_ends_of_an_edge_exist(problems, ends):
    assert codes(problems(flow(call("a", "f"), edges=[ends]), **F)) == ["dangling-edge"]


@pytest.mark.parametrize(
    ("ends", "message"),
    [("a.left -> b", "its output ports are 'output'"), ("a -> b.left", "its input ports are 'input'"), ("a.error -> b", "on_error: output")],
)
def test_ports_exist(problems, ends, message):
    (found,) = problems(flow(call("a", "f"), call("b", "f"), edges=[ends]), **F)
    assert found.code == "unknown-port"
    assert message in found.message


def test_the_error_port_exists_where_errors_are_output(problems):
    nodes = (Node(id="a", type="test.start", settings=NodeSettings(on_error="output")), call("b", "f"))
    assert problems(flow(*nodes, edges=["a.error -> b"]), **F) == []


def test_a_trigger_takes_no_input(problems):
    (found,) = problems(flow(call("a", "f"), Node(id="t", type="test.start"), edges=["a -> t"]), **F)
    assert "it takes no input" in found.message


def test_ports_may_depend_on_the_config(problems):
    switch = Node(id="s", type="test.switch", config={"names": ["red"]})
    assert problems(flow(switch, call("b", "f"), edges=["s.red -> b"]), **F) == []
    (found,) = problems(flow(switch, call("b", "f"), edges=["s.blue -> b"]), **F)
    assert "'red'" in found.message


def test_ports_of_a_wrong_config_are_not_guessed(problems):
    found = problems(flow(Node(id="s", type="test.switch", config={"nmes": 1}), call("b", "f"), edges=["s.blue -> b"]), **F)
    assert codes(found) == ["unknown-config-key"]


def test_a_required_port_has_an_edge_or_a_value(problems):
    g = function_type(left=None)
    (found,) = problems(flow(call("a", "g")), g=g)
    assert (found.code, found.field) == ("missing-input", "left")
    assert problems(flow(call("a", "g", left=1)), g=g) == []


def test_two_edges_into_one_port_need_a_merge(problems):
    nodes = (call("a", "f"), call("b", "f"), call("c", "f"))
    (found,) = problems(flow(*nodes, edges=["a -> c", "b -> c"]), **F)
    assert found.code == "port-taken"
    assert "logic.merge" in found.message
    assert codes(problems(flow(*nodes, edges=["a -> c", "a -> c"]), **F)) == ["port-taken"]
    assert codes(problems(flow(call("a", "f"), call("c", "f", input=1), edges=["a -> c"]), **F)) == ["port-taken"]


def test_a_port_for_many_takes_many(problems):
    nodes = (call("a", "f"), call("b", "f"), Node(id="m", type="test.merge"))
    assert problems(flow(*nodes, edges=["a -> m.inputs", "b -> m.inputs"]), **F) == []


def test_types_that_cannot_fit_are_told(problems):
    types = {"text": function_type(returns=str), "number": function_type(input=int), "texts": function_type(returns=list[str])}
    (found,) = problems(flow(call("a", "text"), call("b", "number"), edges=["a -> b"]), **types)
    assert found.code == "type-mismatch"
    assert "takes int, but 'a' gives str" in found.message
    path = Edge(source="a", target="b", path=("n",))
    assert (
        problems(
            flow(call("a", "text"), call("b", "number")).__class__(name="p", nodes=(call("a", "text"), call("b", "number")), edges=(path,)), **types
        )
        == []
    )


def test_each_takes_the_items(problems):
    types = {"texts": function_type(returns=list[str]), "upper": function_type(input=str), "number": function_type(input=int)}
    each = NodeSettings(each=True)
    fits = Node(id="b", type="python.function", config={"function": "upper"}, settings=each)
    fails = Node(id="b", type="python.function", config={"function": "number"}, settings=each)
    assert problems(flow(call("a", "texts"), fits, edges=["a -> b"]), **types) == []
    assert codes(problems(flow(call("a", "texts"), fails, edges=["a -> b"]), **types)) == ["type-mismatch"]


def test_a_body_takes_values_from_outside(problems):
    nodes = (call("a", "f"), LOOP, Node(id="inner", type="test.loop", parent="loop"), call("b", "f", parent="inner"))
    assert problems(flow(*nodes, edges=["a -> b"]), **F) == []


def test_a_body_takes_the_item_and_gives_the_result(problems):
    body = Node(id="m", type="test.merge", parent="loop")
    assert problems(flow(LOOP, body, edges=["loop.item -> m.inputs", "loop.index -> m.inputs", "m -> loop.result"])) == []


def test_an_inner_loop_takes_the_item_of_an_outer_one(problems):
    inner = Node(id="inner", type="test.loop", parent="loop")
    deep = Node(id="deep", type="test.merge", parent="inner")
    assert problems(flow(LOOP, inner, deep, edges=["loop.item -> deep.inputs", "inner.item -> deep.inputs", "deep -> inner.result"])) == []


@pytest.mark.parametrize(
    ("ends", "code", "message"),
    [
        ("inside -> after", "edge-crosses-container", "leave the loop through its port 'result'"),
        ("inside -> loop", "edge-crosses-container", "leave the loop through its port 'result'"),
        ("inside -> other", "edge-crosses-container", "connect the output of 'loop'"),
        ("inside -> beside", "edge-crosses-container", "inside the loop 'loop'"),
        ("loop.output -> inside", "unknown-port", "its inner ports are 'item', 'index'"),
        ("loop.item -> after", "unknown-port", "its output ports are 'output'"),
        ("after -> loop.result", "unknown-port", "its input ports are 'input'"),
        ("deep -> loop.result", "edge-crosses-container", "inside the loop 'nested'"),
    ],
)
def test_the_borders_of_a_loop_hold(problems, ends, code, message):
    nodes = (
        LOOP,
        call("inside", "f", parent="loop"),
        Node(id="nested", type="test.loop", parent="loop"),
        call("deep", "f", parent="nested"),
        Node(id="other", type="test.loop"),
        call("beside", "f", parent="other"),
        call("after", "f"),
    )
    found = problems(flow(*nodes, edges=[ends]), **F)
    assert found[0].code == code
    assert any(message in problem.message for problem in found)


def test_a_loop_has_one_result(problems):
    nodes = (LOOP, call("a", "f", parent="loop"), call("b", "f", parent="loop"))
    assert codes(problems(flow(*nodes, edges=["a -> loop.result", "b -> loop.result"]), **F)) == ["port-taken"]
