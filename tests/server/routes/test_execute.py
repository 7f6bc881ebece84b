"""POST /executions/execute over a real socket."""

from __future__ import annotations

import threading
from base64 import b64encode

import pytest
from flow_documents import document, failing, waiting


def execute(server, key=None, **body):
    return server.client.post("/executions/execute", json=body, headers={"Idempotency-Key": key} if key else {})


def error(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def stored(server, definition=None):
    return server.client.post("/workflows", json={"definition": definition or document()}).json()


def counted(server, workflow):
    return len(server.client.get(f"/executions/workflow/{workflow['id']}").json()["items"])


def test_a_stored_workflow_answers_with_its_outputs(server):
    made = stored(server)
    found = execute(server, workflow_id=made["id"], params={"name": "Ada"}).json()
    assert (found["status"], found["outputs"], found["workflow_id"], found["error"]) == (
        "completed",
        {"greet": {"text": "Hello Ada!"}},
        made["id"],
        None,
    )


def test_a_flow_that_is_not_stored_can_run(server):
    found = execute(server, workflow_id="new", definition=document(), params={"name": "Grace"}).json()
    assert (found["status"], found["outputs"], found["workflow_id"]) == ("completed", {"greet": {"text": "Hello Grace!"}}, None)


def test_an_older_version_can_run(server):
    made = stored(server)
    text = {"name": "text", "value": "Bye!"}
    newer = document("greeting", {"id": "greet", "type": "action.transform", "config": {"include": "none", "assignments": [text]}})
    server.client.put(f"/workflows/{made['id']}", json={"definition": newer})
    assert execute(server, workflow_id=made["id"]).json()["outputs"]["greet"]["text"] == "Bye!"
    assert execute(server, workflow_id=made["id"], version=1).json()["outputs"]["greet"]["text"] == "Hello you!"
    assert error(execute(server, workflow_id=made["id"], version=9), 404)["code"] == "unknown_version"


def test_trigger_nodes_give_the_input(server):
    double = {"id": "double", "type": "action.transform", "config": {"mode": "expression", "expression": "input.value * 2"}}
    flow = document("doubled", {"id": "start", "type": "trigger.manual"}, double, edges=[{"source": "start", "target": "double"}])
    assert execute(server, workflow_id="new", definition=flow, input={"value": 21}).json()["outputs"] == {"double": 42}


def test_that_the_execution_failed_is_in_the_body_not_in_the_status(server):
    found = execute(server, workflow_id="new", definition=failing())
    assert (found.status_code, found.json()["status"], found.json()["error"]["node"]) == (200, "failed", "broken")


def test_in_mode_queue_the_answer_comes_at_once(server):
    found = execute(server, workflow_id="new", definition=waiting(), mode="queue")
    assert (found.status_code, found.json()["status"], found.json()["outputs"]) == (202, "pending", {})
    server.client.post(f"/executions/{found.json()['execution_id']}/cancel")


def test_who_does_not_want_to_wait_longer_gets_the_id(server):
    found = execute(server, workflow_id="new", definition=waiting(), wait_s=0.2)
    assert found.status_code == 202
    assert server.client.post(f"/executions/{found.json()['execution_id']}/cancel").json()["status"] == "cancelled"


def test_a_wrong_parameter_is_named_before_anything_runs(server):
    made = stored(server)
    found = error(execute(server, workflow_id=made["id"], params={"name": 7}), 422)
    assert (found["code"], found["details"]) == ("invalid_parameter", {"parameter": "name"})
    assert error(execute(server, workflow_id=made["id"], params={"nam": "x"}), 422)["details"] == {"parameter": "nam"}
    assert counted(server, made) == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"workflow_id": "new"}, "needs the field 'definition'"),
        ({"workflow_id": "newest"}, "workflow_id"),
        ({"workflow_id": "new", "definition": document(), "version": 1}, "goes with a stored workflow"),
        ({"workflow_id": "00000000-0000-7000-8000-000000000000", "definition": {}}, "goes with workflow_id"),
        ({"workflow_id": "new", "definition": document(), "mode": "later"}, "mode"),
        ({"workflow_id": "new", "definition": document(), "wait_s": -1}, "wait_s"),
        ({"workflow_id": "new", "definition": []}, "definition"),
        ({"workflow_id": "new", "definition": document(), "parms": {}}, "parms"),
        ({}, "workflow_id"),
    ],
)
def test_a_wrong_body_is_refused_by_field(server, body, said):
    found = error(execute(server, **body), 422)
    assert (found["code"], said in found["message"]) == ("invalid_request", True), found


def test_a_workflow_that_is_not_there_is_not_found(server):
    assert error(execute(server, workflow_id="00000000-0000-7000-8000-000000000000"), 404)["code"] == "unknown_workflow"


def test_equal_requests_with_one_key_start_one_execution_and_get_one_answer(server):
    made = stored(server)
    answers = []

    def ask():
        answers.append(execute(server, key="order-1", workflow_id=made["id"]))

    callers = [threading.Thread(target=ask) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert counted(server, made) == 1


def test_a_key_that_was_used_with_another_request_is_refused(server):
    made = stored(server)
    assert execute(server, key="order-2", workflow_id=made["id"]).status_code == 200
    found = error(execute(server, key="order-2", workflow_id=made["id"], params={"name": "Eve"}), 409)
    assert found["code"] == "idempotency_conflict"


def test_keys_of_different_people_do_not_meet(server):
    made = stored(server)
    mine, theirs = (
        execute(server, key="order-3", workflow_id=made["id"]),
        server.member("member").client.post("/executions/execute", json={"workflow_id": made["id"]}, headers={"Idempotency-Key": "order-3"}),
    )
    assert mine.json()["execution_id"] != theirs.json()["execution_id"]


def test_a_request_that_was_refused_leaves_its_key_free(server):
    made = stored(server)
    assert execute(server, key="order-4", workflow_id=made["id"], params={"name": 7}).status_code == 422
    assert execute(server, key="order-4", workflow_id=made["id"], params={"name": "seven"}).status_code == 200


def test_a_key_is_remembered_over_a_restart(fresh_server):
    first = fresh_server()
    made = stored(first)
    ran = execute(first, key="order-5", workflow_id=made["id"]).json()
    first.stop()
    second = fresh_server()
    again = execute(second, key="order-5", workflow_id=made["id"])
    assert (again.status_code, again.json()) == (200, ran)
    assert error(execute(second, key="order-5", workflow_id=made["id"], params={"name": "Eve"}), 409)["code"] == "idempotency_conflict"
    assert counted(second, made) == 1


def test_more_than_the_queue_takes_is_refused_until_there_is_room(fresh_server):
    server = fresh_server(max_running=1, queue_limit=1)
    ids = [execute(server, workflow_id="new", definition=waiting(), mode="queue").json()["execution_id"] for _ in range(2)]
    refused = execute(server, workflow_id="new", definition=waiting(), mode="queue")
    assert error(refused, 503)["code"] == "queue_full"
    assert int(refused.headers["retry-after"]) >= 1
    for id_ in ids:
        server.client.post(f"/executions/{id_}/cancel")
    assert execute(server, workflow_id="new", definition=document()).status_code == 200


def test_bytes_are_answered_as_base64(server):
    (server.project / "picture.bin").write_bytes(b"\x89PNG\xff")
    where = {"path": str(server.project / "picture.bin"), "allow_outside": True}
    read = {"id": "read", "type": "data.file", "config": {"operation": "read", "format": "bytes", **where}}
    assert execute(server, workflow_id="new", definition=document("bytes", read)).json()["outputs"] == {"read": b64encode(b"\x89PNG\xff").decode()}
