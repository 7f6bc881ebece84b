from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from gated import HTML, GatedServer

CLIENT = "nbflow"


@pytest.fixture
def gated(directory, issuer, tmp_path):
    started = []

    def start(*, base_url="/", **oidc):
        settings = {"issuer": issuer.url, "client_id": CLIENT, **oidc}
        started.append(GatedServer(directory, tmp_path, auth="oidc", base_url=base_url, oidc=settings))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def begin(client, next_="executions", **headers):
    """What the browser is sent to the provider with."""
    answer = client.get(f"/login/start?next={next_}", headers={**HTML, **headers})
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def come_back(client, asked, **changes):
    return client.get("/login/callback", params={"code": "c0de", "state": asked["state"], **changes}, headers=HTML)


def test_a_page_leads_to_the_provider_and_back_to_itself(gated, issuer):
    client = gated().client()
    shown = client.get("/login?next=executions", headers=HTML)
    assert f"Continue with {urlsplit(issuer.url).netloc}" in shown.text
    asked = begin(client)
    issuer.tokens = {"id_token": issuer.token(aud=CLIENT, azp=None, nonce=asked["nonce"], name="Ada"), "access_token": "x"}

    answer = come_back(client, asked)

    assert answer.status_code == 303
    assert answer.headers["location"] == "../executions"
    assert client.get("/executions").json()["who"] == {**client.get("/x").json()["who"], "user": "Ada", "kind": "session"}


def test_what_is_asked_for_is_bound_to_this_browser_and_this_attempt(gated, issuer):
    client = gated().client()

    asked, again = begin(client), begin(client)

    assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid email profile")
    assert asked["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != again[name]


def test_the_code_is_redeemed_with_the_proof_that_belongs_to_it(gated, issuer):
    client = gated(client_secret="the secret/of the client").client()
    asked = begin(client)
    issuer.tokens = {"id_token": issuer.token(aud=CLIENT, nonce=asked["nonce"])}

    come_back(client, asked)

    [(form, authorization)] = issuer.posted
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form.pop("code_verifier").encode()).digest()).rstrip(b"=").decode()
    assert challenge == asked["code_challenge"]
    assert form == {"grant_type": "authorization_code", "code": "c0de", "redirect_uri": asked["redirect_uri"]}
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"nbflow:the%20secret%2Fof%20the%20client"


def test_a_public_client_sends_its_id_and_no_secret(gated, issuer):
    client = gated().client()
    come_back(client, begin(client))

    [(form, authorization)] = issuer.posted
    assert form["client_id"] == CLIENT
    assert authorization is None


@pytest.mark.parametrize(
    ("base_url", "headers", "expected"),
    [
        ("/", {}, "http://127.0.0.1:{port}/login/callback"),
        ("/nbflow/", {}, "http://127.0.0.1:{port}/nbflow/login/callback"),
        ("https://lab.example.org/nbflow/", {}, "https://lab.example.org/nbflow/login/callback"),
        ("/", {"X-ProxyContextPath": "/user/ada/proxy/8520"}, "http://127.0.0.1:{port}/user/ada/proxy/8520/login/callback"),
        ("/", {"X-Forwarded-Proto": "https", "Host": "lab.example.org"}, "https://lab.example.org/login/callback"),
    ],
)
def test_the_provider_sends_back_to_where_the_browser_sees_the_server(gated, base_url, headers, expected):
    server = gated(base_url=base_url)

    assert begin(server.client(), **headers)["redirect_uri"] == expected.format(port=server.port)


BAD = {
    "another attempt's nonce": lambda issuer, asked: {"id_token": issuer.token(aud=CLIENT, nonce="another")},
    "no nonce": lambda issuer, asked: {"id_token": issuer.token(aud=CLIENT)},
    "another client's token": lambda issuer, asked: {"id_token": issuer.token(aud="another", nonce=asked["nonce"])},
    "a token for several": lambda issuer, asked: {"id_token": issuer.token(aud=[CLIENT, "another"], azp="another", nonce=asked["nonce"])},
    "a code used before": lambda issuer, asked: {"error": "invalid_grant"},
    "expired": lambda issuer, asked: {"id_token": issuer.token(aud=CLIENT, nonce=asked["nonce"], exp=1)},
    "signed by nobody": lambda issuer, asked: {"id_token": issuer.by_hand({"alg": "none"}, b"")},
}


@pytest.mark.parametrize("case", BAD)
def test_an_answer_that_is_not_for_us_signs_nobody_in(gated, issuer, case):
    client = gated().client()
    asked = begin(client)
    issuer.tokens = BAD[case](issuer, asked)

    answer = come_back(client, asked)

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert client.get("/x").status_code == 401


@pytest.mark.parametrize("case", ["wrong state", "no state", "begun in another browser", "came back twice", "garbage cookie"])
def test_an_answer_that_was_not_asked_for_is_refused(gated, issuer, case):
    server = gated()
    client = server.client()
    asked = begin(client)
    issuer.tokens = {"id_token": issuer.token(aud=CLIENT, nonce=asked["nonce"])}
    changes = {}
    if case == "wrong state":
        changes = {"state": begin(server.client())["state"]}
    elif case == "no state":
        changes = {"state": ""}
    elif case == "begun in another browser":
        client = server.client()
    elif case == "came back twice":
        assert come_back(client, asked).status_code == 303
        client.cookies.delete(f"nbflow-{server.port}")
    else:
        client = server.client(Cookie=f"nbflow-{server.port}-sign-in=garbage")

    answer = come_back(client, asked, **changes)

    assert answer.status_code == 401
    assert "start again" in answer.text


def test_who_was_refused_by_the_provider_is_told_its_reason(gated):
    client = gated().client()
    asked = begin(client)

    answer = client.get("/login/callback", params={"error": "access_denied", "error_description": "<b>no</b>", "state": asked["state"]}, headers=HTML)

    assert answer.status_code == 401
    assert "&lt;b&gt;no&lt;/b&gt;" in answer.text


def test_who_is_not_admitted_is_told_to_ask(gated, issuer):
    client = gated(allowed_users=("@example.org",)).client()
    asked = begin(client)
    issuer.tokens = {"id_token": issuer.token(aud=CLIENT, nonce=asked["nonce"], email="eve@example.com", email_verified=True)}

    answer = come_back(client, asked)

    assert answer.status_code == 403
    assert "You are not admitted here" in answer.text
    assert "eve@example.com" in answer.text


def test_nothing_leads_out_of_the_server_after_coming_back(gated, issuer):
    client = gated().client()
    asked = begin(client, next_="https%3A%2F%2Fevil.example")
    issuer.tokens = {"id_token": issuer.token(aud=CLIENT, nonce=asked["nonce"])}

    assert come_back(client, asked).headers["location"] == "../"


@pytest.mark.parametrize("when", ["start", "callback"])
def test_while_the_provider_is_away_the_page_says_so(gated, issuer, when):
    client = gated().client()
    asked = begin(client) if when == "callback" else {"state": "x"}
    issuer.close() if when == "callback" else setattr(issuer, "away", True)

    answer = come_back(client, asked) if when == "callback" else client.get("/login/start", headers=HTML)

    assert answer.status_code == 503
    assert "The identity provider is away" in answer.text
