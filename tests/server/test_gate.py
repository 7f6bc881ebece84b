from __future__ import annotations

import pytest
from gated import HTML, TOKEN
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from nbflow.accounts.rights import Role
from nbflow.accounts.user import Identity


def error(answer):
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    return body["error"]


def test_without_a_credential_the_api_answers_401_and_says_what_to_send(gated):
    answer = gated().client().get("/api/v1/workflows")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert error(answer)["code"] == "not_signed_in"
    assert "Authorization: Bearer" in error(answer)["message"]


def test_the_servers_token_opens_as_the_person_at_this_machine(gated, directory):
    answer = gated().client(Authorization=f"Bearer {TOKEN}").get("/api/v1/workflows").json()

    assert answer["who"] == {"user": directory.default().user.label, "id": str(directory.default().user.id), "kind": "token", "roles": ["owner"]}


@pytest.mark.parametrize("path", ["/health", "/api/v1", "/api/v1/health", "/api/v1/auth/sync", "/webhooks/orders", "/static/js/bokeh.js"])
def test_open_paths_need_nothing_and_look_at_no_credential(gated, path):
    answer = gated().client(Authorization="Basic of-the-webhook").post(path)

    assert answer.status_code == 200
    assert answer.json()["who"] is None


@pytest.mark.parametrize(
    "path",
    ["/", "/openapi.json", "/docs", "/webhooks", "/webhooks-test/orders", "/healthy", "/api/v1/healthx", "/api/v1/auth/me", "/metrics", "/statics/x"],
)
def test_everything_that_is_not_listed_as_open_is_closed(gated, path):
    assert gated().client().get(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["/webhooks/../api/v1/workflows", "/webhooks/%2e%2e/api/v1/workflows", "//webhooks/x", "/HEALTH", "/health/", "/%2fhealth"]
)
def test_no_spelling_of_a_path_opens_what_is_closed(gated, path):
    server = gated()
    raw = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(raw)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    served = b" 200 " in answer.split(b"\r\n")[0]
    assert not served or b'"path":"/webhooks/' in answer  # the very path that the webhooks get, as text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Bearer", "malformed_authorization"),
        ("Bearer a b", "malformed_authorization"),
        ("Basic dXNlcjpwYXNz", "malformed_authorization"),
        ("token abc", "malformed_authorization"),
        ("Bearer wrong-token-of-the-tests", "wrong_token"),
        (f"Bearer {TOKEN}x", "wrong_token"),
        (f"Bearer {TOKEN[:-1]}", "wrong_token"),
        ("Bearer nbf_neverMade", "unknown_api_key"),
    ],
)
def test_each_wrong_credential_gets_its_own_error(gated, value, code):
    answer = gated().client(Authorization=value).get("/api/v1/workflows")

    assert answer.status_code == 401
    assert error(answer)["code"] == code
    assert TOKEN not in answer.text


def test_a_wrong_header_is_not_saved_by_a_good_cookie(gated):
    client = gated().signed_in()

    assert client.get("/api/v1/x", headers={"Authorization": "Bearer wrong-token-of-the-tests"}).status_code == 401
    assert client.get("/api/v1/x").json()["who"]["kind"] == "session"


def test_a_proxys_own_authorization_does_not_get_in_the_way_of_a_session(gated):
    client = gated().signed_in()

    assert client.get("/api/v1/x", headers={"Authorization": "Basic dXNlcjpwYXNz"}).json()["who"]["kind"] == "session"


def test_a_token_in_the_address_does_not_open_the_api(gated):
    assert gated().client().get(f"/api/v1/workflows?nbflow_token={TOKEN}", headers=HTML).status_code == 401


@pytest.mark.parametrize(
    ("path", "login"),
    [
        ("/", "login?next="),
        ("/executions", "login?next=executions"),
        ("/a/b?x=1&y=2", "../login?next=a%2Fb%3Fx%3D1%26y%3D2"),
        ("/a/b/", "../../login?next=a%2Fb%2F"),
    ],
)
def test_a_page_sends_to_a_relative_sign_in_page_and_back(gated, path, login):
    answer = gated().client().get(path, headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == login


def test_a_page_that_is_posted_to_is_refused_not_redirected(gated):
    assert gated().client().post("/page", headers=HTML).status_code == 401


# API keys -------------------------------------------------------------------------------------------


def test_an_api_key_opens_its_own_organization_only(gated, directory):
    home = directory.default()
    directory.create_organization("Another", home.user.id)
    _, plain = directory.create_key(home.organization.id, home.user.id, "reporting", role=Role.VIEWER)

    found = gated().client(Authorization=f"Bearer {plain}").get("/api/v1/x").json()["who"]

    assert found["kind"] == "api_key"
    assert len(found["roles"]) == 1


def test_a_revoked_key_is_refused_at_once(gated, directory):
    home = directory.default()
    key, plain = directory.create_key(home.organization.id, home.user.id, "reporting")
    client = gated().client(Authorization=f"Bearer {plain}")
    assert client.get("/api/v1/x").status_code == 200

    directory.revoke(key.id)
    answer = client.get("/api/v1/x")

    assert answer.status_code == 401
    assert error(answer)["code"] == "revoked_api_key"
    assert "'reporting'" in error(answer)["message"]
    assert plain not in answer.text


def test_the_keys_of_a_removed_member_are_refused_at_once(gated, directory):
    home = directory.default()
    ada = directory.sync(Identity(issuer="https://id", subject="ada", name="Ada"))
    directory.add_member(home.organization.id, ada.id, Role.DEVELOPER)
    _, plain = directory.create_key(home.organization.id, ada.id, "ada's")
    client = gated().client(Authorization=f"Bearer {plain}")
    assert client.get("/api/v1/x").json()["who"]["roles"] == ["developer"]

    directory.change_member(home.organization.id, ada.id, Role.VIEWER)
    assert client.get("/api/v1/x").json()["who"]["roles"] == ["viewer"]

    directory.remove_member(home.organization.id, ada.id)
    assert error(client.get("/api/v1/x"))["code"] == "revoked_api_key"


def test_a_user_who_was_switched_off_is_refused(gated, directory):
    home = directory.default()
    ada = directory.sync(Identity(issuer="https://id", subject="ada", name="Ada"))
    directory.add_member(home.organization.id, ada.id, Role.DEVELOPER)
    _, plain = directory.create_key(home.organization.id, ada.id, "ada's")
    client = gated().client(Authorization=f"Bearer {plain}")
    assert client.get("/api/v1/x").status_code == 200

    directory.set_active(ada.id, active=False)

    assert error(client.get("/api/v1/x"))["code"] == "inactive_user"


def test_that_a_key_was_used_is_noted(gated, directory):
    home = directory.default()
    key, plain = directory.create_key(home.organization.id, home.user.id, "reporting")
    server = gated()

    server.client(Authorization=f"Bearer {plain}").get("/api/v1/x")
    server.stop()  # waits for the note

    assert directory.key(key.id).last_used_at is not None


# Origins --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:x"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_write_with_a_cookie_from_another_site_is_refused(gated, headers):
    client = gated().signed_in()

    answer = client.post("/api/v1/x", headers=headers)

    assert answer.status_code == 403
    assert error(answer)["code"] == "foreign_origin"
    assert client.get("/api/v1/x", headers=headers).status_code == 200  # reading shows nothing to a foreign page: no CORS


OWN_WITHOUT_REFERRER = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}


def test_a_write_with_a_cookie_from_the_servers_own_pages_is_let_in(gated):
    server = gated(allowed_origins=("https://lab.example.org",))
    client = server.signed_in()

    for headers in ({"Origin": server.address}, {"Origin": "https://lab.example.org"}, {"Sec-Fetch-Site": "same-origin"}, OWN_WITHOUT_REFERRER, {}):
        assert client.post("/api/v1/x", headers=headers).status_code == 200


def test_the_public_address_of_the_server_is_its_own_origin(gated):
    server = gated(base_url="https://lab.example.org/nbflow/")
    headers = {"Origin": "https://lab.example.org", "Cookie": cookie_of(server.signed_in())}

    assert server.client().post("/api/v1/x", headers=headers).status_code == 200


def test_a_key_is_no_cookie_and_needs_no_origin(gated):
    client = gated().client(Authorization=f"Bearer {TOKEN}", Origin="https://evil.example")

    assert client.post("/api/v1/x").status_code == 200


# A server without sign-in ---------------------------------------------------------------------------


def test_without_sign_in_everybody_on_this_machine_is_its_person(gated):
    assert gated(auth="none").client().get("/api/v1/x").json()["who"]["kind"] == "none"


def test_without_sign_in_pages_of_other_sites_still_cannot_write(gated):
    answer = gated(auth="none").client().post("/api/v1/x", headers={"Origin": "https://evil.example"})

    assert error(answer)["code"] == "foreign_origin"


def test_without_sign_in_a_foreign_name_that_points_here_is_refused(gated):
    server = gated(auth="none")

    answer = server.client().get("/api/v1/x", headers={"Host": f"evil.example:{server.port}"})

    assert answer.status_code == 403
    assert "evil.example" in error(answer)["message"]


# Websockets -----------------------------------------------------------------------------------------


def cookie_of(client):
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_a_websocket_knows_who_opened_it(gated):
    server = gated()
    address = server.address.replace("http", "ws") + "/live"

    with connect(address, additional_headers={"Cookie": cookie_of(server.signed_in())}, origin=server.address) as socket:
        assert '"kind":"session"' in socket.recv()
        socket.send("hello")
        assert socket.recv() == "hello"


@pytest.mark.parametrize("case", ["no credential", "garbage cookie", "wrong key", "foreign origin", "token in the address"])
def test_a_websocket_that_may_not_be_opened_is_answered_403(gated, case):
    server = gated()
    address, headers, origin = server.address.replace("http", "ws") + "/live", {}, server.address
    if case == "garbage cookie":
        headers = {"Cookie": f"nbflow-{server.port}=garbage"}
    elif case == "wrong key":
        headers = {"Authorization": "Bearer nbf_wrong"}
    elif case == "foreign origin":
        headers, origin = {"Cookie": cookie_of(server.signed_in())}, "https://evil.example"
    elif case == "token in the address":
        address += f"?nbflow_token={TOKEN}"

    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers, origin=origin):
        pass

    assert refused.value.response.status_code == 403


def test_signing_out_closes_the_open_websockets_of_the_session(gated):
    server = gated()
    client = server.signed_in()
    with connect(server.address.replace("http", "ws") + "/live", additional_headers={"Cookie": cookie_of(client)}, origin=server.address) as socket:
        socket.recv()
        client.post("/logout")

        socket.send("am I still there?")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()

    assert closed.value.rcvd.code == 1008


def test_a_change_that_is_none_of_its_business_leaves_a_websocket_open(gated, directory):
    server = gated()
    client = server.signed_in()
    with connect(server.address.replace("http", "ws") + "/live", additional_headers={"Cookie": cookie_of(client)}, origin=server.address) as socket:
        socket.recv()
        directory.create_organization("Another", directory.default().user.id)

        socket.send("still there")
        assert socket.recv() == "still there"


# Behind a proxy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/nbflow", ""])  # one proxy leaves the prefix in the path, another takes it out
def test_a_proxys_prefix_opens_nothing_and_closes_nothing(gated, prefix):
    client = gated(root_path="/nbflow", base_url="/nbflow/").client()

    assert client.get(f"{prefix}/health").status_code == 200
    assert client.get(f"{prefix}/api/v1/x").status_code == 401
    assert client.get(f"{prefix}/a/b", headers=HTML).headers["location"] == "../login?next=a%2Fb"
    assert client.get("/nbflow/nbflow/health").status_code == 401


def test_the_cookie_belongs_to_the_path_at_which_the_browser_sees_the_server(gated):
    def path_of(server, **headers):
        answer = server.client().post("/login", data={"token": TOKEN}, headers={**HTML, **headers})
        return answer.headers["set-cookie"].partition("Path=")[2].partition(";")[0]

    assert path_of(gated()) == "/"
    assert path_of(gated(base_url="/nbflow/")) == "/nbflow"
    assert path_of(gated(), **{"X-ProxyContextPath": "/user/ada/proxy/8520"}) == "/user/ada/proxy/8520"
    assert path_of(gated(), **{"X-ProxyContextPath": "/a; Domain=evil.example"}) == "/"
