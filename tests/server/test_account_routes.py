from __future__ import annotations

from itertools import count

import pytest
from issuer import PARTY

from nbflow.accounts.rights import RIGHTS, Permission, Role
from nbflow.accounts.user import Identity
from nbflow.core.ids import new_id

NUMBERS = count(1)


@pytest.fixture
def directory(server):
    return server.state.directory


@pytest.fixture
def home(directory):
    return directory.default().organization


@pytest.fixture
def person(server, directory):
    """A new user in an organization, and a client with a key of theirs."""

    def make(organization_id, role, **limits):
        name = f"person-{next(NUMBERS)}"
        user = directory.sync(Identity(issuer="https://id.example.org", subject=name, name=name))
        directory.add_member(organization_id, user.id, role)
        _, plain = directory.create_key(organization_id, user.id, name, **limits)
        return user, server.client_with(Authorization=f"Bearer {plain}")

    return make


@pytest.fixture
def stranger(server, directory):
    """Somebody with an organization of their own, and a client."""
    name = f"stranger-{next(NUMBERS)}"
    user = directory.sync(Identity(issuer="https://id.example.org", subject=name, name=name))
    organization = directory.organizations(user.id)[0].organization
    _, plain = directory.create_key(organization.id, user.id, name)
    return organization, server.client_with(Authorization=f"Bearer {plain}")


def code(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]["code"]


# Who am I -------------------------------------------------------------------------------------------


def test_me_tells_who_i_am_and_what_i_may(server, home):
    found = server.client.get("/auth/me").json()

    assert found["signed_in_by"] == "token"
    [membership] = [one for one in found["organizations"] if one["id"] == str(home.id)]
    assert (membership["role"], membership["slug"]) == ("owner", "default")
    assert membership["permissions"] == sorted(Permission)


def test_me_tells_what_a_key_may_not_what_its_user_may(person, home):
    _, client = person(home.id, Role.ADMIN, scopes=[Permission.WORKFLOW_READ])

    found = client.get("/auth/me").json()

    assert found["signed_in_by"] == "api_key"
    assert [(one["role"], one["permissions"]) for one in found["organizations"]] == [("admin", ["workflow.read"])]


def test_nobody_is_nobody(server):
    assert code(server.anonymous.get("/auth/me"), 401) == "not_signed_in"


def test_signing_in_by_provider_where_there_is_none_says_so(server):
    assert code(server.anonymous.post("/auth/sync", json={"token": "x.y.z"}), 409) == "no_identity_provider"


@pytest.mark.parametrize("place", ["header", "body"])
def test_signing_in_by_provider_makes_the_account_once(fresh_server, issuer, place):
    server = fresh_server(auth="oidc", oidc={"issuer": issuer.url, "authorized_parties": (PARTY,)})
    token = issuer.token(name="Ada", email="ada@example.org", email_verified=True)
    request = {"headers": {"Authorization": f"Bearer {token}"}} if place == "header" else {"json": {"token": token}}

    first, second = (server.anonymous.post("/auth/sync", **request) for _ in range(2))

    found = first.json()
    assert first.status_code == second.status_code == 200
    assert found["user"]["id"] == second.json()["user"]["id"]
    assert (found["user"]["name"], found["user"]["email"], found["signed_in_by"]) == ("Ada", "ada@example.org", "oidc")
    assert [(one["name"], one["role"]) for one in found["organizations"]] == [("Ada", "owner")]
    renamed = server.anonymous.post("/auth/sync", json={"token": issuer.token(name="Ada Lovelace")}).json()
    assert (renamed["user"]["id"], renamed["user"]["name"]) == (found["user"]["id"], "Ada Lovelace")


def test_signing_in_by_provider_refuses_what_the_gate_refuses(fresh_server, issuer):
    server = fresh_server(auth="oidc", oidc={"issuer": issuer.url, "authorized_parties": (PARTY,), "allowed_users": ("@example.org",)})

    assert code(server.anonymous.post("/auth/sync"), 401) == "not_signed_in"
    assert code(server.anonymous.post("/auth/sync", json={"token": issuer.token(exp=1)}), 401) == "expired_token"
    assert code(server.anonymous.post("/auth/sync", json={"token": issuer.by_hand({"alg": "HS256", "kid": "first"})}), 401) == "wrong_algorithm"
    assert code(server.anonymous.post("/auth/sync", json={"token": issuer.token()}), 403) == "not_admitted"
    assert code(server.anonymous.post("/auth/sync", headers={"Authorization": "Basic x"}), 401) == "malformed_authorization"
    issuer.away = True
    assert server.anonymous.get("/auth/me", headers={"Authorization": f"Bearer {issuer.token(kid='first')}"}).status_code == 403  # keys are known


# API keys -------------------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_used_and_revoked(server):
    answer = server.client.post("/api-keys", json={"name": "nightly", "role": "viewer", "expires_in_days": 30})
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert made["key"].startswith(made["prefix"])

    client = server.client_with(Authorization=f"Bearer {made['key']}")
    assert client.get("/workflows").status_code == 200
    assert code(client.post("/workspaces", json={"name": "x"}), 403) == "forbidden"
    shown = server.client.get(f"/api-keys/{made['id']}")
    assert "key" not in shown.json()
    assert made["key"] not in shown.text + server.client.get("/api-keys").text

    assert server.client.delete(f"/api-keys/{made['id']}").status_code == 204
    assert code(client.get("/workflows"), 401) == "revoked_api_key"
    assert server.client.get(f"/api-keys/{made['id']}").json()["revoked_at"].endswith("Z")


@pytest.mark.parametrize("wider", [{}, {"role": "admin"}, {"scopes": ["workflow.run", "apikey.own", "workflow.write"]}])
def test_a_key_makes_no_key_that_may_more_than_itself(person, home, wider):
    _, client = person(home.id, Role.ADMIN, scopes=[Permission.APIKEY_OWN, Permission.WORKFLOW_RUN])

    assert code(client.post("/api-keys", json={"name": "wider", **wider}), 403) == "forbidden"
    assert client.post("/api-keys", json={"name": "narrower", "scopes": ["workflow.run"]}).status_code == 201


def test_members_see_and_revoke_their_own_keys_and_admins_all(person, home, directory):
    user, member = person(home.id, Role.MEMBER)
    _, admin = person(home.id, Role.ADMIN)
    own = directory.keys([home.id], user_id=user.id)[0]
    others = next(key for key in directory.keys([home.id]) if key.user_id != user.id)

    assert {item["user_id"] for item in member.get("/api-keys").json()["items"]} == {str(user.id)}
    assert code(member.get("/api-keys", params={"of_all": True}), 403) == "forbidden"
    assert code(member.delete(f"/api-keys/{others.id}"), 403) == "forbidden"
    assert str(own.id) in {item["id"] for item in admin.get("/api-keys", params={"of_all": True, "limit": 200}).json()["items"]}
    assert admin.delete(f"/api-keys/{own.id}").status_code == 204


def test_keys_of_another_organization_do_not_exist(stranger, directory, home, server):
    key, _ = directory.create_key(home.id, directory.default().user.id, "ours")
    organization, client = stranger

    assert code(client.get(f"/api-keys/{key.id}"), 404) == "unknown_account"
    assert code(client.delete(f"/api-keys/{key.id}"), 404) == "unknown_account"
    assert code(client.get("/api-keys", params={"organization_id": str(home.id)}), 404) == "unknown_account"
    assert code(server.client.post("/api-keys", json={"name": "x", "organization_id": str(organization.id)}), 404) == "unknown_account"


# Organizations and members --------------------------------------------------------------------------


def test_an_organization_is_made_renamed_and_deleted(server):
    made = server.client.post("/organizations", json={"name": "Field work"}).json()
    assert (made["slug"], made["role"]) == ("field-work", "owner")
    path = f"/organizations/{made['id']}"

    assert server.client.put(path, json={"name": "Field"}).json()["name"] == "Field"
    assert made["id"] in {item["id"] for item in server.client.get("/organizations").json()["items"]}
    assert server.client.delete(path).status_code == 204
    assert code(server.client.get(path), 404) == "unknown_account"


def test_the_default_organization_is_not_deleted(server, home):
    assert code(server.client.delete(f"/organizations/{home.id}"), 409) == "account_conflict"


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.MEMBER, Role.VIEWER, Role.GUEST])
def test_who_was_let_in_for_less_makes_no_organization_to_be_owner_of(person, home, role):
    _, client = person(home.id, role)

    assert code(client.post("/organizations", json={"name": "mine"}), 403) == "forbidden"


def test_a_member_is_invited_changed_and_removed(server, home):
    path = f"/organizations/{home.id}/members"
    email = f"invited-{next(NUMBERS)}@example.org"

    made = server.client.post(path, json={"email": email, "role": "viewer"}).json()
    assert (made["user"]["email"], made["role"], made["signed_in"]) == (email, "viewer", False)
    one = f"{path}/{made['user']['id']}"
    assert server.client.put(one, json={"role": "developer"}).json()["role"] == "developer"
    assert email in server.client.get(path, params={"limit": 200}).text
    assert code(server.client.post(path, json={"email": email, "role": "viewer"}), 409) == "account_conflict"
    assert server.client.delete(one).status_code == 204
    assert code(server.client.delete(one), 404) == "unknown_account"


def test_nobody_gives_or_takes_more_than_they_have(person, home, directory):
    owner, _ = person(home.id, Role.OWNER)
    viewer, _ = person(home.id, Role.VIEWER)
    _, admin = person(home.id, Role.ADMIN)
    _, scoped = person(home.id, Role.OWNER, scopes=[Permission.MEMBER_WRITE])
    path = f"/organizations/{home.id}/members"

    assert code(admin.put(f"{path}/{viewer.id}", json={"role": "owner"}), 403) == "forbidden"
    assert code(admin.put(f"{path}/{owner.id}", json={"role": "viewer"}), 403) == "forbidden"
    assert code(admin.delete(f"{path}/{owner.id}"), 403) == "forbidden"
    assert code(admin.post(path, json={"email": "o@example.org", "role": "owner"}), 403) == "forbidden"
    assert code(scoped.put(f"{path}/{viewer.id}", json={"role": "guest"}), 403) == "forbidden"
    assert admin.put(f"{path}/{viewer.id}", json={"role": "admin"}).status_code == 200
    assert directory.member(home.id, owner.id).role is Role.OWNER


def test_the_last_owner_stays(server, stranger):
    organization, client = stranger
    [member] = client.get(f"/organizations/{organization.id}/members").json()["items"]

    assert code(client.delete(f"/organizations/{organization.id}/members/{member['user']['id']}"), 409) == "last_owner"


def test_a_changed_role_holds_at_the_next_request(person, home, directory):
    user, client = person(home.id, Role.DEVELOPER)
    assert client.post("/workspaces", json={"name": "before"}).status_code == 201

    directory.change_member(home.id, user.id, Role.VIEWER)

    assert code(client.post("/workspaces", json={"name": "after"}), 403) == "forbidden"


def test_another_organization_does_not_exist(stranger, home, directory):
    _, client = stranger
    user = directory.default().user
    space = directory.workspaces([home.id])[0]

    for method, path, body in [
        ("GET", f"/organizations/{home.id}", None),
        ("PUT", f"/organizations/{home.id}", {"name": "x"}),
        ("DELETE", f"/organizations/{home.id}", None),
        ("GET", f"/organizations/{home.id}/members", None),
        ("POST", f"/organizations/{home.id}/members", {"email": "e@example.org", "role": "owner"}),
        ("PUT", f"/organizations/{home.id}/members/{user.id}", {"role": "guest"}),
        ("DELETE", f"/organizations/{home.id}/members/{user.id}", None),
        ("GET", f"/workspaces/{space.id}", None),
        ("PUT", f"/workspaces/{space.id}", {"name": "x"}),
        ("DELETE", f"/workspaces/{space.id}", None),
        ("POST", "/workspaces", {"name": "x", "organization_id": str(home.id)}),
        ("GET", f"/workspaces?organization_id={home.id}", None),
        ("GET", f"/audit-logs?organization_id={home.id}", None),
    ]:
        refused = client.request(method, path, json=body)
        never = client.request(method, path.replace(str(home.id), (id_ := str(new_id()))).replace(str(space.id), id_), json=body)
        assert code(refused, 404) == "unknown_account", (method, path)
        assert never.status_code == 404
    assert str(home.id) not in client.get("/organizations").text + client.get("/workspaces").text + client.get("/audit-logs").text


# Workspaces -----------------------------------------------------------------------------------------


def test_a_workspace_is_made_changed_and_deleted(server):
    answer = server.client.post("/workspaces", json={"name": "Reports"})
    path = f"/workspaces/{answer.json()['id']}"
    assert answer.headers["location"] == f".{path}"

    changed = server.client.put(path, json={"description": "monthly"}).json()
    assert (changed["name"], changed["description"]) == ("Reports", "monthly")
    assert server.client.delete(path).status_code == 204
    assert code(server.client.get(path), 404) == "unknown_account"


@pytest.mark.parametrize("name", ["", " x", "a\nb", "a\x00b", "x" * 101])
def test_a_name_is_one_line(server, name):
    assert code(server.client.post("/workspaces", json={"name": name}), 422) == "invalid_request"


def test_workspaces_come_in_pages(server):
    for name in ("one", "two", "three"):
        server.client.post("/workspaces", json={"name": name})
    everything = [item["id"] for item in server.client.get("/workspaces", params={"limit": 200}).json()["items"]]

    found, cursor = [], None
    while True:
        page = server.client.get("/workspaces", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == everything


# The audit log --------------------------------------------------------------------------------------


def test_every_write_of_these_routes_is_in_the_audit_log_with_who_made_it(server, person, directory):
    organization = directory.create_organization(f"Audited {next(NUMBERS)}", directory.default().user.id)
    user, client = person(organization.id, Role.OWNER)
    members = f"/organizations/{organization.id}/members"
    start = len(directory.audit([organization.id], limit=1000))

    key = client.post("/api-keys", json={"name": "k", "organization_id": str(organization.id)}).json()
    client.delete(f"/api-keys/{key['id']}")
    space = client.post("/workspaces", json={"name": "w"}).json()
    client.put(f"/workspaces/{space['id']}", json={"name": "w2"})
    client.delete(f"/workspaces/{space['id']}")
    client.put(f"/organizations/{organization.id}", json={"name": "Renamed"})
    member = client.post(members, json={"email": f"m-{next(NUMBERS)}@example.org", "role": "guest"}).json()
    client.put(f"{members}/{member['user']['id']}", json={"role": "viewer"})
    client.delete(f"{members}/{member['user']['id']}")

    items = client.get("/audit-logs", params={"limit": 200}).json()["items"]
    mine = list(reversed(items[: len(items) - start]))
    assert [item["action"] for item in mine] == [
        "api_key.created",
        "api_key.revoked",
        "workspace.created",
        "workspace.updated",
        "workspace.deleted",
        "organization.updated",
        "member.added",
        "member.changed",
        "member.removed",
    ]
    assert {(item["actor"]["user_id"], item["actor"]["address"]) for item in mine} == {(str(user.id), "127.0.0.1")}
    assert all(item["actor"]["api_key_id"] for item in mine)
    assert (mine[3]["before"], mine[3]["after"]) == ({"name": "w", "description": ""}, {"name": "w2", "description": ""})
    assert key["key"] not in str(items)


@pytest.mark.parametrize("date", ["2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_any_date_can_be_asked_for(server, date):
    assert server.client.get("/audit-logs", params={"start_date": date, "end_date": date}).status_code == 200


# Everything else ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "method", "path", "body"),
    [
        (Permission.APIKEY_OWN, "GET", "/api-keys", None),
        (Permission.ORGANIZATION_READ, "GET", "/organizations/{id}", None),
        (Permission.ORGANIZATION_WRITE, "PUT", "/organizations/{id}", {"name": "Default"}),
        (Permission.MEMBER_READ, "GET", "/organizations/{id}/members", None),
        (Permission.WORKSPACE_READ, "GET", "/workspaces", None),
        (Permission.WORKSPACE_WRITE, "POST", "/workspaces", {"name": "w"}),
        (Permission.AUDIT_READ, "GET", "/audit-logs", None),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_a_route_is_open_to_the_roles_that_have_its_permission(person, home, role, permission, method, path, body):
    _, client = person(home.id, role)

    answer = client.request(method, path.format(id=home.id), json=body)

    assert (answer.status_code < 300) == (permission in RIGHTS[role]), answer.text
    if answer.status_code >= 300:
        assert code(answer, 403) == "forbidden"
        assert permission in answer.json()["error"]["message"] + str(answer.json()["error"]["details"])


def test_no_answer_and_no_row_of_the_store_holds_the_servers_token(server):
    token = server.settings.token.get_secret_value()
    server.client.get("/auth/me")
    server.client.get("/nothing-here")

    tables = [row[0] for row in server.state.store.query("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'").rows]
    for table in tables:
        assert token not in str(server.state.store.query(f'SELECT * FROM "{table}"').rows)
