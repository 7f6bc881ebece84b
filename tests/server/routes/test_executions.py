"""/executions over a real socket: lists, one by one, cancel, retry."""

from __future__ import annotations

import time
import uuid

import pytest
from flow_documents import document, failing, waiting

from nbflow.store import open_store


def run(server, definition=None, **more):
    answer = server.client.post("/executions/execute", json={"workflow_id": "new", "definition": definition or document(), **more})
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def error(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def until(server, id_, status):
    deadline = time.monotonic() + 20
    while (found := server.client.get(f"/executions/{id_}").json())["status"] != status:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_an_execution_tells_its_nodes_with_what_they_gave(server):
    ran = run(server, params={"name": "Ada"})
    found = server.client.get(f"/executions/{ran['execution_id']}").json()
    assert (found["status"], found["trigger"], found["flow"], found["input"]) == ("completed", "api", "greeting", {"name": "Ada"})
    [node] = found["nodes"]
    assert (node["node"], node["type"], node["status"], node["preview"]) == ("greet", "action.transform", "completed", {"text": "Hello Ada!"})
    assert found["outputs"] == {"greet": {"text": "Hello Ada!"}}
    for name in ("accepted_at", "started_at", "finished_at"):
        assert found[name].endswith("Z")
    assert found["next_node"] is None


def test_a_failed_execution_says_why_and_where(server):
    ran = run(server, failing())
    found = server.client.get(f"/executions/{ran['execution_id']}").json()
    assert (found["status"], found["error"]["node"]) == ("failed", "broken")
    assert found["error"] == {**ran["error"], "message": found["error"]["message"]}
    assert found["nodes"][0]["error"]["type"] == found["error"]["type"]


def test_the_nodes_of_a_large_execution_come_in_pages(server):
    chain = [{"id": f"n{number}", "type": "action.transform"} for number in range(1200)]
    edges = [{"source": f"n{number}", "target": f"n{number + 1}"} for number in range(1199)]
    ran = run(server, document("large", *chain, edges=edges))
    first = server.client.get(f"/executions/{ran['execution_id']}").json()
    rest = server.client.get(f"/executions/{ran['execution_id']}", params={"after_node": first["next_node"]}).json()
    assert [node["node"] for node in first["nodes"] + rest["nodes"]] == [f"n{number}" for number in range(1200)]
    assert (len(first["nodes"]), rest["next_node"]) == (1000, None)


def test_the_executions_of_a_workflow_are_listed_by_status_and_time(server):
    made = server.client.post("/workflows", json={"definition": document()}).json()["id"]
    ids = [server.client.post("/executions/execute", json={"workflow_id": made}).json()["execution_id"] for _ in range(3)]
    listed = server.client.get(f"/executions/workflow/{made}").json()
    assert [item["execution_id"] for item in listed["items"]] == ids[::-1]
    page = server.client.get(f"/executions/workflow/{made}", params={"limit": 2}).json()
    rest = server.client.get(f"/executions/workflow/{made}", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [item["execution_id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert server.client.get(f"/executions/workflow/{made}", params={"status": "failed"}).json()["items"] == []
    middle = listed["items"][1]["accepted_at"]
    since = server.client.get(f"/executions/workflow/{made}", params={"start_date": middle}).json()["items"]
    before = server.client.get(f"/executions/workflow/{made}", params={"end_date": middle}).json()["items"]
    assert ([item["execution_id"] for item in since], [item["execution_id"] for item in before]) == (ids[:0:-1], ids[:1])


def test_what_a_notebook_ran_is_listed_with_the_others(server):
    store = open_store(server.project)
    id_ = str(uuid.uuid4())
    accepted = {"k": "accepted", "execution_id": id_, "flow": "from a notebook", "trigger": "manual", "mode": "wait", "ts": time.time_ns()}
    store.append([accepted, {"k": "finished", "execution_id": id_, "status": "completed", "ts": time.time_ns(), "duration": 1}])
    store.query("select 1")
    store.close()
    found = server.client.get(f"/executions/{id_}").json()
    assert (found["flow"], found["organization_id"]) == ("from a notebook", str(server.state.home))


@pytest.mark.parametrize("path", ["", "/cancel", "/retry", "/events"])
def test_an_execution_that_is_not_there_is_not_found(server, path):
    send = server.client.post if path in {"/cancel", "/retry"} else server.client.get
    assert error(send(f"/executions/{uuid.uuid4()}{path}"), 404)["code"] == "unknown_execution"


def test_a_running_execution_can_be_cancelled(server):
    ran = run(server, waiting(), mode="queue")
    until(server, ran["execution_id"], "running")
    answer = server.client.post(f"/executions/{ran['execution_id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert until(server, ran["execution_id"], "cancelled")["nodes"][0]["status"] == "cancelled"
    assert error(server.client.post(f"/executions/{ran['execution_id']}/cancel"), 409)["code"] == "execution_ended"
    actions = [entry.action for entry in server.state.directory.audit([server.state.home], subject_id=ran["execution_id"])]
    assert actions == ["execution.cancelled"]


def test_what_runs_in_another_process_is_not_cancelled_here(server):
    store = open_store(server.project)
    id_ = str(uuid.uuid4())
    store.append(
        [
            {"k": "accepted", "execution_id": id_, "flow": "elsewhere", "host": "laptop", "pid": 42, "ts": time.time_ns()},
            {"k": "started", "execution_id": id_, "ts": time.time_ns()},
        ]
    )
    store.query("select 1")
    found = error(server.client.post(f"/executions/{id_}/cancel"), 409)
    store.close()
    assert (found["code"], "process 42 on laptop" in found["message"]) == ("runs_elsewhere", True)


def test_a_repeated_execution_names_the_one_it_repeats(server):
    ran = run(server, params={"name": "Grace"})
    answer = server.client.post(f"/executions/{ran['execution_id']}/retry")
    assert answer.status_code == 202
    again = until(server, answer.json()["execution_id"], "completed")
    assert (again["parent_execution_id"], again["outputs"]) == (ran["execution_id"], {"greet": {"text": "Hello Grace!"}})
    assert again["execution_id"] != ran["execution_id"]


def test_what_still_runs_cannot_be_repeated(server):
    ran = run(server, waiting(), mode="queue")
    until(server, ran["execution_id"], "running")
    assert error(server.client.post(f"/executions/{ran['execution_id']}/retry"), 409)["code"] == "not_repeatable"
    server.client.post(f"/executions/{ran['execution_id']}/cancel")


def test_a_bad_cursor_is_refused_by_name(server):
    found = error(server.client.get("/executions", params={"cursor": "next please"}), 422)
    assert found["details"]["fields"][0]["field"] == "query.cursor"
    assert error(server.client.get("/executions", params={"limit": 0}), 422)["details"]["fields"][0]["field"] == "query.limit"
    assert error(server.client.get("/executions", params={"status": "done"}), 422)["details"]["fields"][0]["field"] == "query.status"
    assert server.client.get("/executions", params={"cursor": str(uuid.UUID(int=0))}).json() == {"items": [], "next_cursor": None}
