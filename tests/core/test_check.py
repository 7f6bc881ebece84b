"""All problems of a flow at once."""

import time

import pytest
from small_flows import call, edge, flow, function_type

from nbflow.core.flow import Flow, FlowSettings, Node, NodeSettings, Output, Retry

ONE = function_type(input=None)
NONE = function_type()


def only(found):
    """The single problem."""
    assert len(found) == 1, found
    return found[0]


def test_a_good_flow_has_no_problems(problems):
    good = flow(
        Node(id="start", type="test.start"),
        Node(id="get", type="test.http", config={"url": "https://x/{{ input.id }}", "headers": {"a": "{{ vars.key }}"}}),
        Node(id="each", type="test.loop", config={"condition": "{{ state.n < 3 }}"}),
        call("inner", "f", parent="each"),
        call("last", "g"),
        edges=["start -> get", "get -> each", "each.item -> inner", "inner -> each.result", "each -> last"],
        outputs={"all": Output(node="last")},
    )
    assert problems(good, f=ONE, g=ONE) == []


def test_an_empty_flow_is_told(problems):
    assert only(problems(flow())).code == "empty-flow"


def test_ids_are_unique(problems):
    found = only(problems(flow(call("a", "f"), call("a", "f")), f=NONE))
    assert (found.code, found.node) == ("duplicate-id", "a")


@pytest.mark.parametrize("id_", ["a-b", "1a", "", "\u00e4", "a.b"])
def test_ids_can_be_said_in_expressions(problems, id_):
    assert only(problems(flow(call(id_, "f")), f=NONE)).code == "bad-id"


def test_an_unknown_type_comes_with_suggestions(problems):
    found = only(problems(flow(Node(id="a", type="test.htp"))))
    assert found.code == "unknown-type"
    assert "did you mean test.http?" in found.message


def test_an_absent_function_is_told(problems):
    found = only(problems(flow(call("a", "f"))))
    assert found.code == "unknown-function"
    assert "run the cell that defines 'f'" in found.message


def test_problems_come_together(problems):
    found = problems(flow(call("a-b", "f"), Node(id="b", type="nope"), Node(id="c", type="test.http"), edges=["a-b -> zz"]), f=NONE)
    assert {problem.code for problem in found} == {"bad-id", "unknown-type", "missing-config", "dangling-edge"}


def test_an_expression_names_existing_nodes(problems):
    found = only(problems(flow(call("fetch", "f"), Node(id="b", type="test.http", config={"url": "{{ nodes.fetsh }}"})), f=NONE))
    assert (found.code, found.node) == ("expression-node-unknown", "b")
    assert "did you mean 'fetch'?" in found.message


def test_an_expression_does_not_look_into_a_loop(problems):
    nodes = (Node(id="l", type="test.loop"), call("inner", "f", parent="l"), Node(id="b", type="test.http", config={"url": "{{ nodes.inner }}"}))
    found = only(problems(flow(*nodes), f=NONE))
    assert found.code == "expression-node-unreachable"
    assert "use nodes.l" in found.message


def test_an_expression_does_not_name_the_loop_around_it(problems):
    nodes = (Node(id="l", type="test.loop"), Node(id="b", parent="l", type="test.http", config={"url": "{{ nodes.l }}"}))
    found = only(problems(flow(*nodes)))
    assert found.code == "expression-node-unreachable"
    assert "item or index" in found.message


def test_an_expression_in_a_loop_sees_what_is_outside_and_beside_it(problems):
    nodes = (
        call("before", "f"),
        Node(id="l", type="test.loop"),
        call("beside", "f", parent="l"),
        Node(id="b", parent="l", type="test.http", config={"url": "{{ nodes.before }}{{ nodes.beside }}"}),
    )
    assert problems(flow(*nodes), f=NONE) == []


def test_a_cycle_is_named(problems):
    found = only(problems(flow(call("a", "f"), call("b", "f"), call("c", "f"), edges=["a -> b", "b -> c", "c -> a"]), f=ONE))
    assert found.code == "cycle"
    assert "a -> b -> c -> a" in found.message


def test_expressions_are_part_of_cycles(problems):
    found = only(problems(flow(Node(id="a", type="test.http", config={"url": "{{ nodes.b }}"}), call("b", "f"), edges=["a -> b"]), f=ONE))
    assert found.code == "cycle"


def test_a_node_that_names_itself_is_a_cycle(problems):
    found = only(problems(flow(Node(id="a", type="test.http", config={"url": "{{ nodes.a }}"}))))
    assert "a -> a" in found.message


def test_a_body_that_needs_what_comes_after_its_loop_is_a_cycle(problems):
    nodes = (Node(id="l", type="test.loop"), call("inner", "g", parent="l"), call("after", "f"))
    found = only(problems(flow(*nodes, edges=["l -> after", "after -> inner"]), f=ONE, g=ONE))
    assert found.code == "cycle"


@pytest.mark.parametrize(
    ("output", "message"),
    [(Output(node="x"), "does not exist"), (Output(node="a", port="left"), "no port 'left'"), (Output(node="inner"), "inside the loop")],
)
def test_an_output_comes_from_a_port_at_the_top(problems, output, message):
    nodes = (call("a", "f"), Node(id="l", type="test.loop"), call("inner", "f", parent="l"))
    found = only(problems(flow(*nodes, outputs={"o": output}), f=NONE))
    assert (found.code, found.field) == ("output-unknown", "outputs.o")
    assert message in found.message


def test_disabled_nodes_are_checked(problems):
    assert only(problems(flow(Node(id="a", type="test.http", settings=NodeSettings(disabled=True))))).code == "missing-config"


@pytest.mark.parametrize("shape", ["chain", "both ways", "star", "references"])
def test_the_check_is_linear(problems, shape):
    size = {"chain": 100_000, "references": 5_000}.get(shape, 20_000)
    nodes = [call(f"n{i}", "f", **({"input": f"{{{{ nodes.n{i - 1} }}}}"} if shape == "references" and i else {})) for i in range(size)]
    chain = [edge(f"n{i} -> n{i + 1}") for i in range(size - 1)]
    edges = {
        "chain": chain,
        "both ways": chain + [edge(f"n{i + 1} -> n{i}") for i in range(size - 1)],
        "star": [edge(f"n0 -> n{i}") for i in range(1, size)],
        "references": [],
    }[shape]
    begin = time.process_time()
    found = problems(Flow(name="big", nodes=tuple(nodes), edges=tuple(edges)), f=function_type(input=(None, ...)))
    assert time.process_time() - begin < 30  # a linear check needs about 3 s for 100,000 nodes; a quadratic one hours
    assert bool(found) == (shape == "both ways")


def test_settings_of_the_flow_and_nodes_are_checked(problems):
    bad = flow(call("a", "f"), settings=FlowSettings(timezone="Mars/Base"))
    assert only(problems(bad, f=NONE)).field == "settings.timezone"
    bad = flow(Node(id="a", type="test.start", settings=NodeSettings(retry=Retry(max_tries=0))))
    assert only(problems(bad)).field == "settings.retry.max_tries"
