"""/workflows over a real socket."""

from __future__ import annotations

import threading
import uuid

import httpx
from flow_documents import document, hook, waiting


def create(server, definition=None, **more):
    answer = server.client.post("/workflows", json={"definition": definition or document(), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def error(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def test_a_created_workflow_can_be_read_back(server):
    made = create(server, tags=["greetings"], comment="first")
    found = server.client.get(f"/workflows/{made['id']}").json()
    assert found == made
    assert found["definition"]["nodes"][0]["id"] == "greet"
    assert (found["version"], found["active"], found["tags"], found["nodes_total"]) == (1, False, ["greetings"], 1)
    assert found["workspace"]["name"] == "Default"
    assert found["created_at"].endswith("Z")
    assert [version["comment"] for version in found["versions"]] == ["first"]


def test_the_answer_to_a_creation_says_where_it_is(server):
    answer = server.client.post("/workflows", json={"definition": document()})
    assert answer.headers["location"] == f"./workflows/{answer.json()['id']}"
    assert httpx.URL(f"{server.api}/workflows").join(answer.headers["location"]) == f"{server.api}/workflows/{answer.json()['id']}"


def test_the_list_is_walked_by_cursor_newest_first(server):
    made = [create(server, name=f"walked {number}", tags=["walked"])["id"] for number in range(5)]
    seen, cursor = [], None
    while True:
        page = server.client.get("/workflows", params={"tag": "walked", "limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_the_list_is_searched_and_filtered(server):
    create(server, name="The needle", description="in the hay")
    assert [item["name"] for item in server.client.get("/workflows", params={"search": "needle"}).json()["items"]] == ["The needle"]
    assert [item["name"] for item in server.client.get("/workflows", params={"search": "in the hay"}).json()["items"]] == ["The needle"]
    assert server.client.get("/workflows", params={"search": "needle", "active": True}).json()["items"] == []


def test_a_definition_with_problems_is_refused_with_all_of_them(server):
    wrong = document("wrong", {"id": "a", "type": "action.htp"}, {"id": "b", "type": "logic.if"})
    found = error(server.client.post("/workflows", json={"definition": wrong}), 422)
    assert found["code"] == "flow_has_problems"
    assert {problem["node"] for problem in found["details"]["problems"]} == {"a", "b"}
    assert "did you mean action.http" in found["message"]


def test_something_that_is_no_definition_is_refused(server):
    found = error(server.client.post("/workflows", json={"definition": {"nbflow": 1, "nodes": [{"id": "x"}]}}), 422)
    assert found["code"] == "invalid_document"
    assert "node 'x', field 'type'" in found["message"]
    assert error(server.client.post("/workflows", json={"definition": {"nbflow": 7, "name": "x"}}), 422)["code"] == "invalid_document"


def test_another_definition_makes_a_version_and_a_moved_node_does_not(server):
    made = create(server)
    moved = {**made["definition"], "layout": {"greet": [10, 20]}}
    found = server.client.put(f"/workflows/{made['id']}", json={"definition": moved}).json()
    assert (found["version"], found["definition"]["layout"]) == (1, {"greet": [10, 20]})
    changed = server.client.put(f"/workflows/{made['id']}", json={"definition": {**moved, "description": "other"}, "comment": "why"}).json()
    assert (changed["version"], changed["versions"][0]["comment"]) == (2, "why")


def test_what_is_not_given_stays(server):
    made = create(server, name="kept", tags=["a"])
    found = server.client.put(f"/workflows/{made['id']}", json={"description": "new"}).json()
    assert (found["name"], found["tags"], found["description"], found["definition"]) == ("kept", ["a"], "new", made["definition"])


def test_a_change_of_an_older_version_is_refused(server):
    made = create(server)
    other = {"definition": document(description="mine"), "expected_version": 1}
    assert server.client.put(f"/workflows/{made['id']}", json=other).status_code == 200
    late = {"definition": document(description="theirs"), "expected_version": 1}
    found = error(server.client.put(f"/workflows/{made['id']}", json=late), 409)
    assert (found["code"], found["details"]) == ("version_conflict", {"expected": 1, "found": 2})


def test_a_copy_is_inactive_and_says_that_it_is_one(server):
    made = create(server, hook("/copied"), name="original", active=True)
    answer = server.client.post(f"/workflows/{made['id']}/duplicate")
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["active"], answer.json()["definition"]) == ("original (Copy)", False, made["definition"])


def test_activating_and_deactivating_decides_whether_webhooks_answer(server):
    made = create(server, hook("/switched"))
    url = f"{server.url}/webhooks/switched"
    assert httpx.post(url).status_code == 404
    assert server.client.post(f"/workflows/{made['id']}/activate").json()["active"] is True
    assert httpx.post(url).status_code == 202
    assert server.client.post(f"/workflows/{made['id']}/deactivate").json()["active"] is False
    assert httpx.post(url).status_code == 404


def test_two_active_workflows_cannot_answer_on_one_path(server):
    create(server, hook("/orders/:id"), name="first", active=True)
    found = error(server.client.post("/workflows", json={"definition": hook("/orders/:number"), "active": True}), 409)
    assert found["code"] == "webhook_clash"
    assert "'first'" in found["message"]
    second = create(server, hook("/orders/:number"))
    assert error(server.client.post(f"/workflows/{second['id']}/activate"), 409)["code"] == "webhook_clash"
    assert server.client.get(f"/workflows/{second['id']}").json()["active"] is False


def test_a_deleted_workflow_is_gone_with_its_executions(server):
    made = create(server)
    ran = server.client.post("/executions/execute", json={"workflow_id": made["id"]}).json()
    assert server.client.delete(f"/workflows/{made['id']}").status_code == 204
    assert error(server.client.get(f"/workflows/{made['id']}"), 404)["code"] == "unknown_workflow"
    assert error(server.client.get(f"/executions/{ran['execution_id']}"), 404)["code"] == "unknown_execution"
    assert error(server.client.delete(f"/workflows/{made['id']}"), 404)["code"] == "unknown_workflow"


def test_a_workflow_deleted_during_its_execution_ends_it(server):
    made = create(server, waiting())
    answers = []
    caller = threading.Thread(target=lambda: answers.append(server.client.post("/executions/execute", json={"workflow_id": made["id"]})))
    caller.start()
    running = {"status": "running"}
    while not (found := server.client.get(f"/executions/workflow/{made['id']}", params=running).json()["items"]):
        pass
    assert server.client.delete(f"/workflows/{made['id']}").status_code == 204
    caller.join(20)
    assert (answers[0].status_code, answers[0].json()["status"]) == (200, "cancelled")
    assert error(server.client.get(f"/executions/{found[0]['execution_id']}"), 404)["code"] == "unknown_execution"
    rows = server.state.store.query("select count(*) from execution_events where execution_id = ?::UUID", [found[0]["execution_id"]]).rows
    assert rows == [(0,)]


def test_a_workflow_can_be_put_into_another_workspace_of_the_organization_only(server):
    directory = server.state.directory
    own = directory.create_workspace(server.state.home, "Second")
    assert create(server, workspace_id=str(own.id))["workspace"]["name"] == "Second"
    foreign = directory.home(server.organization())
    found = error(server.client.post("/workflows", json={"definition": document(), "workspace_id": str(foreign.id)}), 404)
    assert found["code"] == "unknown_account"


def test_every_change_is_in_the_audit_log_with_its_author(server):
    made = create(server, name="audited")
    server.client.put(f"/workflows/{made['id']}", json={"name": "audited anew"})
    server.client.delete(f"/workflows/{made['id']}")
    entries = server.state.directory.audit([server.state.home], subject_id=made["id"])
    assert [entry.action for entry in entries][::-1][:2] == ["workflow.created", "workflow.updated"]
    assert entries[0].action == "workflow.deleted"
    assert {entry.user_id for entry in entries} == {server.state.directory.default().user.id}
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    renamed = next(entry for entry in entries if entry.action == "workflow.updated")
    assert (renamed.before["name"], renamed.after["name"]) == ("audited", "audited anew")


def test_an_unknown_id_and_a_malformed_one_get_different_answers(server):
    assert error(server.client.get(f"/workflows/{uuid.uuid4()}"), 404)["code"] == "unknown_workflow"
    assert error(server.client.get("/workflows/42"), 404)["message"].startswith("'42' in /api/v1/workflows/42 is no id; ids are UUIDs")
