"""The history as records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from traffic import accepted, new_id, node, run

from nbflow.core.errors import StoreError, UnknownExecutionError
from nbflow.core.states import ExecutionStatus, NodeStatus
from nbflow.store import History


@pytest.fixture
def store(opened):
    return opened("memory")


@pytest.fixture
def history(store):
    return History(store)


def test_executions_come_newest_first_in_pages(store, history):
    ids = sorted(new_id() for _ in range(7))
    for execution in ids:
        store.append(run(execution))
    first = history.executions(limit=4)
    assert [str(row.execution_id) for row in first] == ids[:2:-1]
    rest = history.executions(limit=4, before=first[-1].execution_id)
    assert [str(row.execution_id) for row in rest] == ids[2::-1]


def test_executions_are_filtered(store, history):
    store.append(run(new_id(), flow="hourly"))
    store.append(run(new_id()))
    store.append([accepted(new_id())])
    assert len(history.executions(flow="daily")) == 2
    (pending,) = history.executions(flow="daily", status="pending")
    assert pending.status is ExecutionStatus.PENDING
    assert history.executions(since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert len(history.executions(since=datetime.now(UTC) - timedelta(hours=1))) == 3


def test_an_execution_is_found_by_the_beginning_of_its_id(store, history):
    store.append(run("0190c8f0-1111-7000-8000-000000000001"))
    store.append(run("0190c8f0-2222-7000-8000-000000000002"))
    row = history.execution("0190c8f0-11")
    assert (row.flow, row.nodes_total, row.input, row.outputs) == ("daily", 5, {"day": 1}, {"r": 1})
    assert history.execution(row.execution_id) == row
    with pytest.raises(UnknownExecutionError, match="more than one"):
        history.execution("0190c8f0")
    with pytest.raises(UnknownExecutionError, match="no execution begins with 'ffff'"):
        history.execution("ffff")
    with pytest.raises(UnknownExecutionError, match="not the id"):
        history.execution("daily; DROP TABLE")


def test_nodes_come_in_order_with_their_payload(store, history):
    execution = new_id()
    store.append([accepted(execution), node(execution, 1, path="0.3"), node(execution, 0)])
    rows = history.nodes(execution)
    assert [(row.seq, row.path, row.status, row.payload["preview"]["rows"]) for row in rows] == [
        (0, "", NodeStatus.COMPLETED, 0),
        (1, "0.3", NodeStatus.COMPLETED, 1),
    ]


def test_events_come_in_order(store, history):
    execution = new_id()
    store.append(run(execution))
    assert [event.kind for event in history.events(execution)] == ["accepted", "started", "finished"]


def test_an_unknown_document_is_said_so(history):
    with pytest.raises(StoreError, match="no flow document"):
        history.document("0" * 64)
