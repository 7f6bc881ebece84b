"""What an execution was given is given to a flow again."""

import pytest

from nbflow import flow, node
from nbflow.core.errors import ParameterError, RetryError, UnknownExecutionError
from nbflow.core.portable import dump
from nbflow.runtime.origin import Origin
from nbflow.runtime.runtime import prepare, reset_runtime, runtime


@node
def checked(amount: int, limit: int) -> int:
    if amount > limit:
        raise ValueError(f"{amount} is too much")
    return amount


@flow
def payment(amount: int, limit: int = 10):
    return checked(amount, limit)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    reset_runtime()
    yield tmp_path
    reset_runtime()


async def by_webhook(request, params):
    """As a server does: with the whole request beside the record."""
    import orjson

    origin = Origin(trigger="webhook", source="POST /pay", request=orjson.Fragment(dump({"params": params, "input": request})))
    execution = await runtime().run(prepare(payment.definition()), params, input=request, origin=origin)
    return execution.id


async def test_a_failure_is_run_again_with_the_same_parameters():
    first = payment(amount=20)
    await first.wait()
    again = payment.replay(first.id)
    await again.wait()
    assert "20 is too much" in str(again.error)
    row = runtime().store.query("SELECT trigger, parent_execution_id::VARCHAR FROM workflow_executions WHERE trigger = 'replay'").rows
    assert row == [("replay", first.id)]


async def test_the_request_of_a_webhook_fills_the_parameters_that_the_flow_has_now():
    request = {"method": "POST", "path": "/pay", "headers": {}, "params": {}, "query": {"limit": "30"}, "body": {"amount": 20, "note": "x" * 9000}}
    id_ = await by_webhook(request, {"amount": 20, "limit": 10})

    @node
    def told(amount: int, note: str) -> list:
        return [amount, len(note)]

    @flow(name="payment")
    def repaired(amount: int, note: str):
        return told(amount, note)

    assert (await repaired.replay(id_)).outputs["told"] == [20, 9000]
    assert (await payment.replay(id_[:13])).outputs["checked"] == 20


async def test_a_request_that_lacks_a_parameter_names_it():
    id_ = await by_webhook({"method": "POST", "path": "/pay", "query": {}, "body": {}}, {"amount": 1, "limit": 10})
    with pytest.raises(ParameterError, match="flow 'payment', parameter 'amount': it is required and was not given"):
        payment.replay(id_)


async def test_what_was_kept_in_part_is_not_run_again_in_part():
    @node
    def length(text: str) -> int:
        return len(text)

    @flow
    def long(text: str):
        return length(text)

    execution = await long(text="x" * 9000)
    with pytest.raises(RetryError, match="'text' is there in part"):
        long.replay(execution.id)


def test_an_unknown_execution_is_named():
    with pytest.raises(UnknownExecutionError, match="no execution begins with 'abc'"):
        payment.replay("abc")
