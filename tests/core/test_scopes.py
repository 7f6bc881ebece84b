"""Loops and what is inside them."""

from small_flows import call, flow, function_type

from nbflow.core.flow import Node
from nbflow.core.scopes import Scopes, node_references


def loop(id_, parent=None):
    return Node(id=id_, type="test.loop", parent=parent)


def test_a_parent_exists(problems):
    (found,) = problems(flow(loop("lop"), call("b", "f", parent="lop"), call("a", "f", parent="loop")), f=function_type())
    assert (found.code, found.node) == ("unknown-parent", "a")
    assert "did you mean 'lop'?" in found.message


def test_a_parent_is_a_loop(problems):
    (found,) = problems(flow(call("a", "f"), call("b", "f", parent="a")), f=function_type())
    assert (found.code, found.node) == ("parent-not-container", "b")


def test_loops_are_not_inside_each_other(problems):
    found = problems(flow(loop("a", "b"), loop("b", "a"), loop("c", "c")))
    assert [(problem.code, problem.node) for problem in found] == [("parent-cycle", "a"), ("parent-cycle", "b"), ("parent-cycle", "c")]


def test_a_loop_is_not_empty(problems):
    (found,) = problems(flow(loop("a")))
    assert (found.code, found.node) == ("empty-body", "a")


def test_scopes_tell_what_a_node_sees():
    nodes = {node.id: node for node in (loop("a"), loop("b", "a"), call("x", "f", parent="b"), call("y", "f", parent="a"), call("z", "f"))}
    scopes = Scopes(nodes)
    assert list(scopes.enclosing("x")) == ["b", "a"]
    assert scopes.sees("x", "y")
    assert scopes.sees("x", "z")
    assert not scopes.sees("z", "y")
    assert not scopes.sees("x", "a")
    assert scopes.lifted("x", None) == "a"
    assert scopes.lifted("x", "a") == "b"
    assert scopes.lifted("x", "b") == "x"


def test_references_are_read_from_the_whole_config_even_with_a_broken_expression():
    node = Node(id="n", type="t", config={"a": {"b": ["{{ nodes.x }}"]}, "c": "{{ nodes['y'] ~ 1 }}", "d": "{{ broken broken }}"})
    assert node_references(node) == {"x", "y"}


def test_a_deep_nest_of_loops_is_no_recursion(problems):
    nodes = [loop("l0")] + [loop(f"l{i}", f"l{i - 1}") for i in range(1, 3000)] + [call("x", "f", parent="l2999")]
    assert problems(flow(*nodes), f=function_type()) == []
