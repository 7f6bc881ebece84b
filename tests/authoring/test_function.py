"""`@node`: functions that draw themselves inside a flow and are plain functions everywhere else."""

from __future__ import annotations

import inspect
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.trace import draw
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import FlowSettings, Retry
from nbflow.core.node import Emit

if TYPE_CHECKING:
    from nbflow.core.node import Context, Inputs


@node
def clean(rows: list[int], least: int = 0) -> list[int]:
    """Keep the large ones."""
    return [row for row in rows if row >= least]


@node
async def fetch(url: str) -> str:
    return url


@node
def together(xs: Inputs, name: str = ""):
    return xs


@node
def asks(lent: Context, x: int = 0):
    return x


def drawn(function):
    return draw(function, name="f", description="", parameters={}, settings=FlowSettings())


def test_outside_a_flow_it_is_the_function():
    assert clean([1, 5], least=3) == [5]
    assert clean.__name__ == "clean"
    assert clean.__doc__ == "Keep the large ones."
    assert str(inspect.signature(clean)) == "(rows: 'list[int]', least: 'int' = 0) -> 'list[int]'"
    assert "clean" in repr(clean)


async def test_outside_a_flow_an_async_function_is_awaited():
    assert await fetch("a") == "a"


def test_inside_a_flow_outputs_become_edges_and_everything_else_arguments():
    def flow(url, least):
        return clean(fetch(f"{url}/x"), least=least)

    definition = drawn(flow)
    first, second = definition.flow.nodes
    assert first.config["args"] == {"url": "{{ params.url }}/x"}
    assert second.config["args"] == {"least": "{{ params.least }}"}
    (edge,) = definition.flow.edges
    assert (edge.source, edge.target, edge.target_port) == ("fetch", "clean", "rows")
    assert set(definition.functions) == {node.config["function"] for node in definition.flow.nodes}
    assert definition.flow.outputs["clean"].node == "clean"


def test_ids_come_from_the_function_and_are_numbered():
    def flow():
        value = clean([1])
        for _ in range(3):
            value = clean(value)

    assert [item.id for item in drawn(flow).flow.nodes] == ["clean", "clean_2", "clean_3", "clean_4"]


def test_options_give_id_and_settings_and_may_follow_each_other():
    def flow():
        clean.options(id="mine", timeout=30, retry=4).options(on_error="continue")([1])

    (made,) = drawn(flow).flow.nodes
    assert made.id == "mine"
    assert made.settings.timeout == timedelta(seconds=30)
    assert made.settings.retry == Retry(max_tries=4)
    assert made.settings.on_error == "continue"


def test_an_id_given_twice_is_an_error():
    def flow():
        clean.options(id="mine")([1])
        clean.options(id="mine")([1])

    with pytest.raises(DefinitionError, match="two nodes are called 'mine'"):
        drawn(flow)


def test_a_wrong_option_is_named():
    with pytest.raises(DefinitionError, match="option 'retrys'"):
        clean.options(retrys=3)
    with pytest.raises(DefinitionError, match="option 'on_error'"):
        node(on_error="ignore")(lambda x: x)


@pytest.mark.parametrize("retry", [3, Retry(max_tries=3), {"max_tries": 3}])
def test_retry_is_a_number_or_a_record(retry):
    assert node(retry=retry)(lambda x: x).settings.retry.max_tries == 3


def test_a_call_that_does_not_fit_shows_the_signature():
    def flow():
        clean([1], 2, 3)

    with pytest.raises(DefinitionError, match=r"too many positional arguments; its signature is clean\(rows"):
        drawn(flow)


def test_a_port_for_any_number_of_outputs_takes_a_list():
    def flow():
        together([clean([1]), clean([2])], name="x")

    definition = drawn(flow)
    assert [(edge.source, edge.target_port) for edge in definition.flow.edges] == [("clean", "xs"), ("clean_2", "xs")]


def test_annotations_of_nbflow_are_known_even_when_they_were_imported_for_type_checkers_only():
    assert together.node_type.inputs[0].many
    assert asks.node_type.takes_context == "lent"


def test_the_context_is_lent_and_takes_no_argument_in_a_flow():
    def flow():
        asks(5)

    (made,) = drawn(flow).flow.nodes
    assert made.config["args"] == {"x": 5}


@pytest.mark.parametrize("value", [object(), date(2024, 1, 2), {1: 2}])
def test_an_argument_that_a_document_cannot_hold_is_named(value):
    def flow():
        clean(value)

    with pytest.raises(DefinitionError, match="argument 'rows' of node 'clean'"):
        drawn(flow)


def test_parameters_that_no_edge_can_name_are_refused():
    for function in (lambda *xs: xs, lambda **named: named, lambda x, /: x):
        with pytest.raises(DefinitionError, match=r"nf\.Inputs"):
            node(function)


def test_an_async_function_runs_on_the_loop_or_in_a_process():
    async def work(x):
        return x

    with pytest.raises(DefinitionError, match="runs on the engine's loop"):
        node(where="thread")(work)
    assert node(where="process")(work).node_type.where == "process"


def test_a_node_is_not_decorated_twice():
    with pytest.raises(DefinitionError, match=r"clean\.options"):
        node(clean)


def test_several_ports_are_declared():
    @node(outputs=("even", "odd"), on_error="output")
    def sort(x):
        return Emit(even=x)

    def flow():
        way = sort(1)
        clean(way.even)
        clean(way.error)

    assert [edge.source_port for edge in drawn(flow).flow.edges] == ["even", "error"]


def test_odd_annotations_say_nothing_and_disturb_nothing():
    def work(x: Annotated[int, {"a": []}]) -> Annotated[int, {"a": []}]:
        return x

    def unknown(x: Nowhere) -> Any:  # noqa: F821
        return x

    assert node(work).node_type.returns is not None
    assert node(unknown).node_type.inputs[0].annotation is None
