"""Accepting, lining up, running, cancelling and repeating executions, over the API of a real server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flow_documents import document, failing, waiting


def execute(client, definition, **more):
    return client.post("/executions/execute", json={"workflow_id": "new", "definition": definition, **more})


def until(client, id_, *states):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = client.get(f"/executions/{id_}").json()
        if found["status"] in states:
            return found
        time.sleep(0.02)
    message = f"{id_} did not become {states}: {found}"
    raise AssertionError(message)


def test_a_waiting_caller_gets_the_outputs(server):
    answer = execute(server.client, document(), params={"name": "Ada"}, mode="wait")
    assert answer.status_code == 200, answer.text
    assert "Hello Ada!" in answer.text


def test_a_queued_execution_runs_in_its_turn(server):
    answer = execute(server.client, document("queued"), mode="queue")
    assert answer.status_code == 202, answer.text
    assert until(server.client, answer.json()["execution_id"], "completed", "failed")["status"] == "completed"


def test_no_more_run_at_once_than_the_server_allows_and_the_queue_can_be_seen(fresh_server):
    server = fresh_server(max_running=2, shutdown_grace_s=0)
    ids = [execute(server.client, waiting(), mode="queue").json()["execution_id"] for _ in range(5)]
    status = server.state.executor.status()
    assert (status.running, status.waiting, status.limit) == (2, 3, 2)
    for id_ in ids:
        server.client.post(f"/executions/{id_}/cancel")
    assert {until(server.client, id_, "cancelled")["status"] for id_ in ids} == {"cancelled"}


def test_a_flow_may_ask_for_one_execution_at_a_time(fresh_server):
    server = fresh_server(shutdown_grace_s=0)
    definition = waiting("alone") | {"settings": {"max_running": 1}}
    made = server.client.post("/workflows", json={"name": "alone", "definition": definition}).json()
    for _ in range(3):
        server.client.post("/executions/execute", json={"workflow_id": made["id"], "mode": "queue"})
    other = execute(server.client, document("another"), mode="wait")
    assert other.status_code == 200
    status = server.state.executor.status()
    assert status.workflows["alone"] == (1, 2)


def test_a_full_queue_refuses_and_says_so(fresh_server):
    server = fresh_server(max_running=1, queue_limit=1, shutdown_grace_s=0)
    answers = [execute(server.client, waiting(), mode="queue") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert "queue_limit" in answers[-1].json()["error"]["message"]


def test_a_retry_is_a_new_execution_with_the_same_input(server):
    first = execute(server.client, failing(), mode="queue").json()["execution_id"]
    until(server.client, first, "failed")
    again = server.client.post(f"/executions/{first}/retry")
    assert again.status_code in {200, 202}, again.text
    second = again.json()["execution_id"]
    found = until(server.client, second, "failed")
    assert found["parent_execution_id"] == first != second


def test_what_still_runs_cannot_be_retried(server):
    running = execute(server.client, waiting("busy"), mode="queue").json()["execution_id"]
    until(server.client, running, "running", "pending")
    refused = server.client.post(f"/executions/{running}/retry")
    assert refused.status_code == 409
    assert "cancel" in refused.json()["error"]["message"]
    server.client.post(f"/executions/{running}/cancel")


def test_a_workflow_deleted_during_its_execution_takes_it_along(server):
    made = server.client.post("/workflows", json={"name": "gone", "definition": waiting("gone")}).json()
    running = server.client.post("/executions/execute", json={"workflow_id": made["id"], "mode": "queue"}).json()["execution_id"]
    until(server.client, running, "running", "pending")
    assert server.client.delete(f"/workflows/{made['id']}").status_code == 204
    assert server.client.get(f"/executions/{running}").status_code == 404
    assert server.state.executor.ticket(running) is None


def test_what_waits_survives_the_end_of_the_server(fresh_server):
    server = fresh_server(max_running=1, shutdown_grace_s=0)
    running, queued = (execute(server.client, definition, mode="queue").json()["execution_id"] for definition in (waiting(), document("later")))
    until(server.client, running, "running")
    server.stop()
    second = fresh_server()
    assert until(second.client, queued, "completed", "failed")["status"] == "completed"
    interrupted = until(second.client, running, "failed", "cancelled")
    assert interrupted["error"]["type"] == "Interrupted"


def test_a_second_server_of_one_project_is_refused(fresh_server):
    first = fresh_server()
    from nbflow.core.errors import ServerRunningError
    from nbflow.server.lock import ServerLock

    with pytest.raises(ServerRunningError) as refused:
        ServerLock(Path(first.project)).acquire()
    assert str(first.project) in str(refused.value)
