from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from gated import HTML, TOKEN


def cookie(answer):
    jar = SimpleCookie(answer.headers["set-cookie"])
    [morsel] = jar.values()
    return morsel


def test_the_printed_address_signs_in_and_loses_its_token(gated):
    server = gated()
    client = server.client()

    answer = client.get(f"/executions?nbflow_token={TOKEN}&status=failed", headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == "./executions?status=failed"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert TOKEN not in str(answer.headers)
    assert client.get("/executions?status=failed", headers=HTML).json()["who"]["kind"] == "session"


@pytest.mark.parametrize(("path", "location"), [("/", "./"), ("/a/b", "./b"), ("/a/", "./"), ("/a:b", "./a:b"), ("//evil.example", "./evil.example")])
def test_the_printed_address_leads_to_the_same_page(gated, path, location):
    import socket

    server = gated()  # by hand: a client would tidy the path
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET {path}?nbflow_token={TOKEN} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    assert re.search(r"^location: (.*)\r$", answer, re.MULTILINE)[1] == location


def test_a_wrong_token_in_the_address_leads_to_the_form_which_says_so(gated):
    client = gated().client()

    answer = client.get("/executions?nbflow_token=that-of-an-earlier-start", headers=HTML)

    assert answer.headers["location"] == "login?next=executions&why=wrong_token"
    assert "set-cookie" not in answer.headers
    shown = client.get(f"/{answer.headers['location']}", headers=HTML)
    assert "not the server&#x27;s token" in shown.text
    assert 'role="alert"' in shown.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(gated):
    morsel = cookie(gated().client().post("/login", data={"token": TOKEN}, headers=HTML))

    assert morsel["httponly"]
    assert morsel["samesite"] == "lax"
    assert morsel["path"] == "/"
    assert not morsel["domain"]
    assert not morsel["secure"]  # over http: or the browser would drop it
    assert TOKEN not in morsel.value


@pytest.mark.parametrize(("settings", "headers"), [({"cookie_secure": True}, {}), ({}, {"X-Forwarded-Proto": "https"})])
def test_the_cookie_is_for_https_only_where_the_browser_uses_it(gated, settings, headers):
    assert cookie(gated(**settings).client().post("/login", data={"token": TOKEN}, headers={**HTML, **headers}))["secure"]


def test_the_form_signs_in_and_goes_on_to_where_one_wanted_to_be(gated):
    answer = gated().client().post("/login", data={"token": f" {TOKEN}\n", "next": "executions?status=failed"}, headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == "./executions?status=failed"


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/etc",
        "javascript:alert(1)",
        "data:text/html,x",
        "../hub/logout",
        "a/../../hub",
        "a/%2e%2e/%2e%2e/hub",
        "a/%252e%252e/hub",
        "a\r\nSet-Cookie: x=y",
        "ä",
        "login?next=login",
        "logout",
        f"?nbflow_token={TOKEN}",
        "x" * 3000,
    ],
)
def test_nothing_leads_out_of_the_server_after_signing_in(gated, next_):
    answer = gated().client().post("/login", data={"token": TOKEN, "next": next_}, headers=HTML)

    assert answer.headers["location"] == "./"
    assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]]


def test_a_wrong_token_in_the_form_is_told_and_the_target_kept(gated):
    answer = gated().client().post("/login", data={"token": "wrong", "next": 'executions?a="><script>'}, headers=HTML)

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert 'value="executions?a=&quot;&gt;&lt;script&gt;"' in answer.text


def test_guessing_is_slowed_down(gated):
    client = gated(sign_in_rate_limit="3/minute").client()
    for _ in range(3):
        assert client.post("/login", data={"token": "guess"}, headers=HTML).status_code == 401

    answer = client.post("/login", data={"token": TOKEN}, headers=HTML)

    assert answer.status_code == 429
    assert "set-cookie" not in answer.headers
    assert client.get(f"/?nbflow_token={TOKEN}", headers=HTML).headers["location"] == "login?next=&why=too_many_attempts"


def test_the_form_of_another_site_signs_nobody_in(gated):
    answer = gated().client().post("/login", data={"token": TOKEN}, headers={**HTML, "Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_huge_form_is_not_read(gated):
    assert gated().client().post("/login", data={"token": "x" * 100_000}, headers=HTML).status_code == 413


def test_who_is_signed_in_does_not_see_the_form(gated):
    assert gated().signed_in().get("/login?next=executions", headers=HTML).headers["location"] == "./executions"


def test_signing_out_ends_the_session_wherever_its_cookie_has_got_to(gated):
    server = gated()
    client = server.signed_in()
    stolen = dict(client.cookies)

    answer = client.post("/logout", headers=HTML)

    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert not client.cookies
    thief = server.client(Cookie="; ".join(f"{name}={value}" for name, value in stolen.items()))
    assert thief.get("/api/v1/x").json()["error"]["code"] == "session_ended"
    assert thief.get("/executions", headers=HTML).headers["location"] == "login?next=executions&why=session_ended"


def test_other_sessions_go_on_when_one_signs_out(gated):
    server = gated()
    one, other = server.signed_in(), server.signed_in()

    one.post("/logout", headers=HTML)

    assert other.get("/api/v1/x").status_code == 200


def test_nobody_is_signed_out_by_a_link_or_another_site(gated):
    client = gated().signed_in()

    client.get("/logout", headers=HTML)
    client.post("/logout", headers={**HTML, "Origin": "https://evil.example"})

    assert client.get("/api/v1/x").status_code == 200


def test_a_restart_keeps_sessions_and_what_was_signed_out_stays_out(gated, directory):
    def cookie_header(client):
        return f"nbflow-8520={next(iter(client.cookies.values()))}"

    first = gated(port=8520)
    kept, ended = first.signed_in(), first.signed_in()
    cookies = cookie_header(kept), cookie_header(ended)
    ended.post("/logout", headers=HTML)
    first.stop()

    second = gated(port=8520)

    assert second.client(Cookie=cookies[0]).get("/api/v1/x").status_code == 200
    assert second.client(Cookie=cookies[1]).get("/api/v1/x").status_code == 401


def test_another_token_ends_all_sessions(gated):
    first = gated(port=8520)
    value = next(iter(first.signed_in().cookies.values()))

    second = gated(port=8520, token="another-token-of-the-tests")

    assert second.client(Cookie=f"nbflow-8520={value}").get("/api/v1/x").json()["error"]["code"] == "session_ended"


def test_the_audit_log_tells_who_signed_in_and_out(gated, directory):
    gated().signed_in().post("/logout", headers=HTML)

    home = directory.default()
    entries = directory.audit([home.organization.id], subject_type="session")
    assert [(entry.action, entry.user_id, entry.address) for entry in entries] == [
        ("session.ended", home.user.id, "127.0.0.1"),
        ("session.started", home.user.id, "127.0.0.1"),
    ]


def test_the_page_runs_no_script_and_loads_nothing(gated):
    answer = gated(allowed_origins=("https://lab.example.org",)).client().get("/login", headers=HTML)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self' https://lab.example.org" in policy
    assert "script" not in answer.text
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)
    assert answer.headers["cache-control"] == "no-store"


def test_where_there_is_no_sign_in_there_is_no_form(gated):
    assert gated(auth="none").client().get("/login?next=executions", headers=HTML).headers["location"] == "./executions"


def test_a_server_that_only_takes_tokens_of_a_provider_says_what_is_missing(gated):
    oidc = {"issuer": "https://id.example.org", "authorized_parties": ("https://lab.example.org",)}

    shown = gated(auth="oidc", oidc=oidc).client().get("/login", headers=HTML)

    assert "oidc.client_id" in shown.text
