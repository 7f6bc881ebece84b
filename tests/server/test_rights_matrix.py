"""Who may call what: six roles, nobody, and somebody of another organization, by every route there is.

The table says the least role that may; each role may what the one before it may. A route that is not in the table fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from flow_documents import document, hook

if TYPE_CHECKING:
    import httpx

ROLES = ("guest", "viewer", "member", "developer", "admin", "owner")  # each may all that those before it may
OPEN = "open"  # to everybody
NO_KEY = "nobody by an API key"  # which belongs to one organization

TABLE = {
    "GET /": OPEN,
    "GET /health": OPEN,
    "POST /auth/sync": OPEN,
    "GET /auth/me": "guest",
    "GET /workflows": "guest",
    "GET /workflows/{workflow_id}": "guest",
    "GET /workflows/{workflow_id}/versions": "guest",
    "GET /workflows/{workflow_id}/versions/{version}": "guest",
    "GET /workflows/{workflow_id}/diff": "guest",
    "GET /workflows/{workflow_id}/export": "guest",
    "POST /workflows": "developer",
    "POST /workflows/import": "developer",
    "PUT /workflows/{workflow_id}": "developer",
    "POST /workflows/{workflow_id}/duplicate": "developer",
    "POST /workflows/{workflow_id}/activate": "developer",
    "POST /workflows/{workflow_id}/deactivate": "developer",
    "POST /workflows/{workflow_id}/versions/{version_id}/restore": "developer",
    "DELETE /workflows/{workflow_id}": "developer",
    "POST /executions/execute": "member",
    "GET /executions": "viewer",
    "GET /executions/workflow/{workflow_id}": "viewer",
    "GET /executions/{execution_id}": "viewer",
    "GET /executions/{execution_id}/events": "viewer",
    "POST /executions/{execution_id}/cancel": "member",
    "POST /executions/{execution_id}/retry": "member",
    "GET /webhooks": "guest",
    "GET /templates": "guest",
    "GET /templates/{template_id}": "guest",
    "GET /node-types": "guest",
    "GET /node-types/{type}": "guest",
    "GET /plugins": "viewer",
    "GET /credential-kinds": "guest",
    "GET /credentials": "developer",
    "POST /credentials": "developer",
    "GET /credentials/{credential_id}": "developer",
    "PUT /credentials/{credential_id}": "developer",
    "DELETE /credentials/{credential_id}": "developer",
    "POST /credentials/{credential_id}/test": "developer",
    "GET /api-keys": "viewer",
    "POST /api-keys": "viewer",
    "GET /api-keys/{key_id}": "viewer",
    "DELETE /api-keys/{key_id}": "viewer",
    "GET /organizations": "guest",
    "POST /organizations": NO_KEY,
    "GET /organizations/{organization_id}": "guest",
    "PUT /organizations/{organization_id}": "admin",
    "DELETE /organizations/{organization_id}": "owner",
    "GET /organizations/{organization_id}/members": "viewer",
    "POST /organizations/{organization_id}/members": "admin",
    "PUT /organizations/{organization_id}/members/{user_id}": "admin",
    "DELETE /organizations/{organization_id}/members/{user_id}": "admin",
    "GET /workspaces": "guest",
    "POST /workspaces": "developer",
    "GET /workspaces/{workspace_id}": "guest",
    "PUT /workspaces/{workspace_id}": "developer",
    "DELETE /workspaces/{workspace_id}": "developer",
    "GET /audit-logs": "admin",
    "GET /stats": "viewer",
    "GET /metrics": "developer",
}
SHARED = {"GET /templates/{template_id}", "GET /node-types/{type}"}  # the same for every organization


def bodies(things: Things) -> dict[str, object]:
    return {
        "POST /workflows": {"definition": document()},
        "POST /workflows/import": document(),
        "PUT /workflows/{workflow_id}": {"description": "changed"},
        "POST /executions/execute": {"workflow_id": things.ids["workflow_id"]},
        "POST /credentials": {"name": f"c{uuid4().hex[:8]}", "kind": "http_bearer", "values": {"token": "a-secret-token"}},
        "PUT /credentials/{credential_id}": {"values": {"token": "another-token"}},
        "POST /api-keys": {"name": "a key"},
        "POST /organizations": {"name": "Mine"},
        "PUT /organizations/{organization_id}": {"name": "Renamed"},
        "POST /organizations/{organization_id}/members": {"email": f"{uuid4().hex}@example.org", "role": "guest"},
        "PUT /organizations/{organization_id}/members/{user_id}": {"role": "guest"},
        "POST /workspaces": {"name": "W"},
        "PUT /workspaces/{workspace_id}": {"name": "V"},
        "POST /auth/sync": {"token": "a.b.c"},
    }


@dataclass
class Things:
    """One of everything, of the default organization."""

    ids: dict[str, str]


def made(server, user_id=None) -> Things:
    """Fresh ones; the API key is a further one of the user's."""
    state, home = server.state, server.state.home
    workflow = server.client.post("/workflows", json={"definition": hook(f"/{uuid4().hex}")}).json()
    ran = server.client.post("/executions/execute", json={"workflow_id": "new", "definition": document()}).json()
    credential = state.vault.add(f"c{uuid4().hex[:8]}", "http_bearer", {"token": "a-secret-token"}, organization_id=home)
    key, _ = state.directory.create_key(home, user_id or state.directory.default().user.id, "another key")
    ids = {
        "workflow_id": workflow["id"],
        "version": "1",
        "version_id": workflow["version_id"],
        "execution_id": ran["execution_id"],
        "template_id": "data-loop",
        "type": "action.http",
        "credential_id": str(credential.id),
        "key_id": str(key.id),
        "organization_id": str(home),
        "user_id": str(server.member("guest").user_id),
        "workspace_id": str(state.directory.create_workspace(home, "A workspace").id),
    }
    return Things(ids)


def call(client: httpx.Client, route: str, found: Things) -> httpx.Response:
    method, path = route.split(" ")
    for name, value in found.ids.items():
        path = path.replace(f"{{{name}}}", value)
    return client.request(method, path if path != "/" else client.base_url.copy_with(path="/api/v1"), json=bodies(found).get(route))


@pytest.fixture(scope="module")
def things(server):
    """Of the person at this machine: for calls that delete nothing."""
    return made(server)


@pytest.fixture(scope="module")
def people(server):
    return {role: server.member(role) for role in ROLES}


@pytest.fixture(scope="module")
def stranger(server):
    return server.member("owner", server.organization("Elsewhere"))


def test_the_table_has_every_route(server):
    paths = server.client.get(f"{server.url}/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path.removeprefix('/api/v1') or '/'}" for path, item in paths.items() for method in item}
    assert routes == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_role_may_what_the_table_says(server, people, route):
    least = TABLE[route]
    found = made(server)
    for role in ROLES:
        allowed = least == OPEN or (least != NO_KEY and ROLES.index(role) >= ROLES.index(least))
        if allowed and (route.startswith("DELETE") or "{key_id}" in route):
            found = made(server, people[role].user_id)
        answer = call(people[role].client, route, found)
        if allowed:
            assert answer.status_code not in {401, 403, 404}, (role, answer.text)
            assert answer.status_code < 500, (role, answer.text)
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), (role, answer.text)


@pytest.mark.parametrize("route", TABLE)
def test_who_is_not_signed_in_may_nothing_but_what_is_open(server, things, route):
    answer = call(server.anonymous, route, things)
    if TABLE[route] == OPEN:
        assert answer.status_code not in {401, 403, 404}, answer.text
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("route", [route for route in TABLE if "{" in route and route not in SHARED])
def test_what_is_another_organizations_is_not_there(stranger, things, route):
    answer = call(stranger.client, route, things)
    assert answer.status_code == 404, answer.text
    assert answer.json()["error"]["code"].startswith("unknown_")


@pytest.mark.parametrize("route", [route for route in TABLE if "{" not in route and route.startswith("GET ")])
def test_lists_have_nothing_of_another_organization(stranger, things, route):
    answer = call(stranger.client, route, things)
    assert answer.status_code == 200
    ours = set(things.ids.values()) - {"1", "data-loop", "action.http"}
    assert not [id_ for id_ in ours if id_ in answer.text]


def test_a_stranger_cannot_run_our_workflow_nor_put_anything_into_our_organization(server, stranger, things):
    home = str(server.state.home)
    assert stranger.client.post("/executions/execute", json={"workflow_id": things.ids["workflow_id"]}).status_code == 404
    new = {"workflow_id": "new", "definition": document(), "organization_id": home}
    assert stranger.client.post("/executions/execute", json=new).status_code == 404
    assert stranger.client.post("/workflows", json={"definition": document(), "organization_id": home}).status_code == 404
    assert stranger.client.post("/workflows", json={"definition": document(), "workspace_id": things.ids["workspace_id"]}).status_code == 404
    assert stranger.client.post("/workflows/import", params={"organization_id": home}, json=document()).status_code == 404
    credential = {"name": "c", "kind": "http_bearer", "values": {"token": "a-secret-token"}, "organization_id": home}
    assert stranger.client.post("/credentials", json=credential).status_code == 404


def test_a_definition_that_is_not_stored_is_code_and_needs_the_right_to_write(people):
    new = {"workflow_id": "new", "definition": document()}
    assert people["member"].client.post("/executions/execute", json=new).status_code == 403
    assert people["developer"].client.post("/executions/execute", json=new).status_code == 200


def test_a_key_may_no_more_than_it_was_made_for(server):
    capped = server.member("owner", role="viewer")
    assert capped.client.get("/executions").status_code == 200
    assert capped.client.post("/workflows", json={"definition": document()}).status_code == 403
    scoped = server.member("owner", scopes=["workflow.read"])
    assert scoped.client.get("/workflows").status_code == 200
    assert scoped.client.get("/executions").status_code == 403
