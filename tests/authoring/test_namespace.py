"""The catalogue as Python: completion, help, and errors that know what was meant."""

from __future__ import annotations

import inspect

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.namespace import Namespace, attribute
from nbflow.authoring.trace import draw
from nbflow.catalogue.registry import Registry
from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.flow import FlowSettings

REGISTRY = Registry()
nodes = Namespace(lambda: REGISTRY)


@node
def one():
    return 1


def drawn(function):
    return draw(function, name="f", description="", parameters={}, settings=FlowSettings()).flow


def test_groups_and_types_are_listed_for_completion():
    assert {"logic", "data", "action", "trigger"} <= set(dir(nodes))
    assert {"if_", "switch", "merge", "loop_foreach"} <= set(dir(nodes.logic))
    assert "csv" in repr(nodes.data)


@pytest.mark.parametrize("type_", REGISTRY.types())
def test_every_type_has_a_signature_and_a_docstring(type_):
    made = getattr(getattr(nodes, type_.partition(".")[0]), attribute(type_))
    parameters = inspect.signature(made).parameters
    declared = REGISTRY.get(type_)
    assert {port.name for port in declared.inputs} <= set(parameters)
    assert declared.config is None or set(declared.config.model_fields) <= set(parameters)
    assert made.__doc__.startswith(declared.summary)
    assert type_ in repr(made)


def test_help_names_every_field():
    assert "condition: " in nodes.logic.if_.__doc__
    assert "input (optional)" in nodes.logic.if_.__doc__


def test_a_type_that_does_not_exist_suggests_what_looks_alike():
    with pytest.raises(UnknownNodeTypeError, match=r"logic\.merge"):
        _ = nodes.logic.merg
    with pytest.raises(AttributeError, match="no group of node types is called 'logics'"):
        _ = nodes.logics
    assert not hasattr(nodes.logic, "_repr_html_")


def test_values_become_edges_and_the_rest_config():
    def flow(least):
        value = one()
        nodes.logic.if_(value, condition=f"{{{{ input > {1} }}}}")
        nodes.logic.if_(input=value, conditions=[{"left": value, "operator": "gt", "right": least}])
        nodes.logic.merge(value, one(), mode="append")
        nodes.logic.merge([value, value])

    document = drawn(flow)
    assert [(edge.target, edge.target_port) for edge in document.edges] == [
        ("if_", "input"),
        ("if__2", "input"),
        ("merge", "inputs"),
        ("merge", "inputs"),
        ("merge_2", "inputs"),
        ("merge_2", "inputs"),
    ]
    assert document.node("if__2").config["conditions"][0] == {"left": "{{ nodes.one }}", "operator": "gt", "right": "{{ params.least }}"}


def test_a_plain_value_is_no_input():
    with pytest.raises(DefinitionError, match="input 'input' takes the output of a node; give fields by name"):
        drawn(lambda: nodes.logic.if_(5, condition="{{ input }}"))
    with pytest.raises(DefinitionError, match=r"has no input for value 2 \(inputs: input\)"):
        drawn(lambda: nodes.logic.if_(one(), one(), condition="{{ input }}"))


def test_a_field_that_a_document_cannot_hold_is_named():
    with pytest.raises(DefinitionError, match="field 'query' of node 'merge'"):
        drawn(lambda: nodes.logic.merge(one(), query=object()))


def test_nodes_of_the_catalogue_belong_into_flows():
    with pytest.raises(DefinitionError, match=r"logic\.merge makes a node of a flow"):
        nodes.logic.merge()


def test_options_give_id_and_settings_and_may_follow_each_other():
    def flow():
        nodes.logic.merge.options(id="mine", timeout=5).options(retry=2)(one())

    made = drawn(flow).node("mine")
    assert made.settings.timeout.total_seconds() == 5
    assert made.settings.retry.max_tries == 2


def test_ports_depend_on_the_config():
    def flow():
        way = nodes.logic.switch.options(on_error="output")(one(), expression="{{ 0 }}", outputs=["a", "b"])
        return {"a": way.a, "b": way.b, "e": way.error}

    assert [output.port for output in drawn(flow).outputs.values()] == ["a", "b", "error"]


def test_a_port_for_many_takes_a_list_by_its_name_and_any_output_is_had_by_port():
    def flow():
        size = nodes.logic.switch(one(), rules=[{"output": "not paid", "condition": "input"}, {"output": "port", "condition": "input"}])
        nodes.logic.merge(inputs=[size.port("not paid"), size.port_])

    found = [(edge.source, edge.source_port) for edge in drawn(flow).edges if edge.target == "merge"]
    assert found == [("size", "not paid"), ("size", "port")]
    with pytest.raises(DefinitionError, match=r"node 'one' has no port 'x' \(ports: output\)"):
        drawn(lambda: one().port("x"))
