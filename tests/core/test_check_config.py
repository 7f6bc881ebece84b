"""Problems of configs."""

import pytest
from small_flows import call, flow, function_type

from nbflow.core.flow import Node


def http(**config):
    return flow(Node(id="a", type="test.http", config=config))


@pytest.mark.parametrize(
    ("config", "code", "field", "message"),
    [
        ({}, "missing-config", "url", "required: Where to send the request."),
        ({"url": "x", "metod": "GET"}, "unknown-config-key", "metod", "did you mean 'method'?"),
        ({"url": "x", "tries": "many"}, "bad-config-value", "tries", "valid integer"),
        ({"url": "x", "headers": {"a": 1}}, "bad-config-value", "headers.a", "valid string"),
        ({"url": "{{ a b }}"}, "bad-expression", "url", "'b' is not expected"),
        ({"url": "x", "headers": {"a": "{{ x."}}, "bad-expression", "headers.a", "never closed"),
        ({"url": "{{ inptu.x }}"}, "unknown-expression-name", "url", "did you mean 'input'"),
        ({"url": "{{ nodes[item] }}"}, "bad-expression", "url", "name the node"),
    ],
)
def test_a_wrong_config_is_told_where(problems, config, code, field, message):
    (found,) = problems(http(**config))
    assert (found.code, found.node, found.field) == (code, "a", field)
    assert message in found.message


def test_an_expression_may_stand_for_a_value_of_any_type(problems):
    assert problems(http(url="{{ input.url }}", tries="{{ vars.tries }}", headers="{{ input.headers }}")) == []


def test_literals_beside_expressions_are_still_checked(problems):
    (found,) = problems(http(url="{{ input.url }}", tries="many"))
    assert found.field == "tries"


def test_lazy_fields_may_use_names_the_node_gives(problems):
    body = Node(id="b", type="test.start", parent="a")
    assert problems(flow(Node(id="a", type="test.loop", config={"condition": "{{ state > 1 }}"}), body)) == []
    (found,) = problems(flow(Node(id="a", type="test.loop", config={"condition": "{{ state > }}"}), body))
    assert found.code == "bad-expression"


def test_a_function_takes_its_own_arguments(problems):
    f = function_type(left=None, right=(None, ...))
    assert problems(flow(call("a", "f", left="{{ params.x }}")), f=f) == []
    (found,) = problems(flow(call("a", "f", left=1, rigth=2)), f=f)
    assert (found.code, found.field) == ("unknown-config-key", "args.rigth")
    assert "did you mean 'right'?" in found.message


def test_a_functions_node_has_two_config_keys(problems):
    (found,) = problems(flow(Node(id="a", type="python.function", config={"function": "f", "arg": {}})), f=function_type())
    assert (found.code, found.field) == ("unknown-config-key", "arg")
    (found,) = problems(flow(Node(id="a", type="python.function", config={"function": "f", "args": [1]})), f=function_type())
    assert found.code == "bad-config-value"


def test_expressions_of_an_unknown_type_are_checked_too(problems):
    assert {found.code for found in problems(flow(Node(id="a", type="nope", config={"x": "{{ a b }}"})))} == {"unknown-type", "bad-expression"}
