"""An execution from its first event to its last."""

from __future__ import annotations

import asyncio

import pytest

from nbflow.authoring.function import node
from nbflow.core.errors import ExecutionError
from nbflow.core.events import ExecutionFinished, ExecutionStarted
from nbflow.core.flow import Flow
from nbflow.engine.plan import compile_flow
from nbflow.engine.run import Run
from nbflow.engine.services import Services

from .harness import Catalogue, nodes, ran


@node(where="inline")
def given(n=1):
    return n


@node(where="inline")
def fails(x=None):
    raise ValueError("no")


async def test_outputs_are_those_the_flow_names():
    def flow():
        value = given({"rows": [1, 2]})
        check = nodes.logic.if_(value, condition="{{ true }}")
        return {"first": value["rows"][0], "yes": check.true, "no": check.false}

    assert (await ran(flow)).outcome.outputs == {"first": 1, "yes": {"rows": [1, 2]}}


async def test_without_named_outputs_they_are_those_of_the_nodes_that_nothing_follows():
    def flow():
        value = given(5)
        given.options(id="a")(value)
        given.options(id="b")(value)

    result = await ran(flow)
    assert result.outcome.outputs == {"a": 5, "b": 5}
    assert result.outcome.values == {"given": 5, "a": 5, "b": 5}


async def test_the_first_and_the_last_event_are_the_executions():
    def flow():
        return given(5)

    result = await ran(flow)
    first, *_, last = result.events
    assert isinstance(first, ExecutionStarted)
    assert isinstance(last, ExecutionFinished)
    assert (last.status, last.outputs, last.error) == ("completed", {"given": 5}, None)
    assert last.started_ns == first.at_ns
    assert last.duration_ns > 0


async def test_a_failed_execution_tells_which_node_and_why():
    def flow():
        fails()

    result = await ran(flow)
    last = result.events[-1]
    assert (last.status, last.error.type, last.error.message, last.error_node) == ("failed", "ValueError", "no", "fails")
    assert "in fails" in last.error.traceback
    assert type(result.outcome.error) is ExecutionError
    assert result.outcome.error.execution_id == "the-id"


async def test_an_empty_flow_completes():
    outcome = await Run("x", compile_flow(Flow(name="f"), Catalogue({})), sink=lambda _event: None).execute()
    assert (outcome.status, outcome.outputs) == ("completed", {})


@pytest.mark.parametrize("where", ["inline", "thread"])
async def test_a_fault_of_a_lent_service_fails_the_execution_and_is_not_lost(where):
    def broken(_value):
        raise RuntimeError("the display is broken")

    @node
    async def sleeps():
        await asyncio.sleep(600)

    def flow():
        sleeps()
        node(where=where, id="makes")(object)()

    result = await ran(flow, services=Services(bundle=broken))
    assert result.outcome.status == "failed"
    assert "the display is broken" in str(result.outcome.error)


async def test_a_plan_runs_many_times_at_once():
    def flow(n):
        return given(nodes.logic.wait(given.options(id="start")(n), duration=0.01))

    first = await ran(flow, {"n": 0})
    runs = [Run("x", first.plan, sink=lambda _event: None, params={"n": n}) for n in range(20)]
    outcomes = await asyncio.gather(*(run.execute() for run in runs))
    assert [outcome.outputs["given"] for outcome in outcomes] == list(range(20))


async def test_expressions_see_the_execution():
    def flow(n):
        return given("{{ execution.id }} {{ execution.flow }} {{ params.n }} {{ vars.rate }} {{ input.n }} {{ now.year > 2000 }}")

    assert (await ran(flow, {"n": 3}, vars={"rate": 2})).output == "the-id flow 3 2 3 True"
