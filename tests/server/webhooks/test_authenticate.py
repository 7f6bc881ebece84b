"""Callers that prove who they are, and those that do not, over a real socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .published import executions, publish

SECRET = "a-secret-as-long-as-the-longest-hash-that-tokens-are-signed-with-here"


@pytest.fixture(scope="module")
def keys():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048), rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def key_set(keys):
    """A key set behind a real address."""
    document = {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(keys[0].public_key())) | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def hooks(server, keys):
    pem = keys[0].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    vault = server.state.vault
    vault.add("people", "http_basic", {"user": "ann", "password": "opensesame"})
    vault.add("partner", "http_header", {"name": "X-Partner-Key", "value": "partner-key-1"})
    vault.add("signing", "hmac_secret", {"secret": SECRET})
    vault.add("coded", "hmac_secret", {"secret": "whsec_" + base64.b64encode(SECRET.encode()).decode()})
    vault.add("shared", "jwt", {"secret": SECRET})
    vault.add("public", "jwt", {"public_key": pem})
    server.pem = pem
    return server


def call(server, path, content=b'{"id":1}', method="POST", **headers):
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.request(
        method, f"{server.url}/webhooks/{path}", content=content, headers={"Content-Type": "application/json", **headers}, timeout=30
    )


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    return answer


def signature(content, secret=SECRET, how="sha256"):
    return hmac.new(secret.encode(), content, how).hexdigest()


def test_basic(hooks):
    workflow = publish(hooks, "basic", auth="basic", credential="people")
    url = f"{hooks.url}/webhooks/basic"
    assert httpx.post(url, auth=("ann", "opensesame")).status_code == 200
    assert "authorization" not in httpx.post(url, auth=("ann", "opensesame")).json()["headers"]
    for auth in (("ann", "wrong"), ("bob", "opensesame"), None):
        answer = refused(httpx.post(url, auth=auth), 401, "wrong_password")
        assert answer.headers["www-authenticate"].startswith("Basic")
    for header in ("Basic ???", "Basic", "Bearer abc", "Basic " + base64.b64encode(b"\xff\xfe").decode()):
        refused(call(hooks, "basic", Authorization=header), 401, "wrong_password")
    assert executions(hooks, workflow) == 2


def test_a_secret_header_does_not_reach_the_flow(hooks):
    publish(hooks, "header", auth="header", credential="partner")
    answer = call(hooks, "header", X_Partner_Key="partner-key-1")
    assert answer.status_code == 200
    assert "x-partner-key" not in answer.json()["headers"]
    refused(call(hooks, "header", X_Partner_Key="partner-key-2"), 401, "wrong_header")
    refused(call(hooks, "header"), 401, "wrong_header")
    publish(hooks, "named", auth="header", credential="partner", auth_header="X-Other")
    assert call(hooks, "named", X_Other="partner-key-1").status_code == 200


def test_hmac_over_the_raw_body(hooks):
    publish(hooks, "hmac", auth="hmac", credential="signing", hmac={"prefix": "sha256="}, auth_header="X-Hub-Signature-256")
    content = b'{ "id" : 1.0 }\n'
    good = "sha256=" + signature(content)
    assert call(hooks, "hmac", content, X_Hub_Signature_256=good).status_code == 200
    refused(call(hooks, "hmac", b'{"id":1.0}', X_Hub_Signature_256=good), 401, "signature_wrong")
    refused(call(hooks, "hmac", content, X_Hub_Signature_256="sha256=" + signature(content, "another")), 401, "signature_wrong")
    refused(call(hooks, "hmac", content, X_Hub_Signature_256=good[7:]), 401, "signature_wrong")
    refused(call(hooks, "hmac", content), 401, "signature_missing")


def test_a_signed_time_that_is_off_is_refused_and_a_replay_too(hooks):
    rules = {"signed": "v0:{timestamp}:{body}", "prefix": "v0=", "timestamp_header": "X-Time"}
    workflow = publish(hooks, "timed", auth="hmac", credential="signing", hmac=rules)

    def signed(at, content=b"{}"):
        return {"X_Time": str(at), "X_Signature": "v0=" + signature(f"v0:{at}:".encode() + content)}

    now = int(time.time())
    assert call(hooks, "timed", b"{}", **signed(now)).status_code == 200
    refused(call(hooks, "timed", b"{}", **signed(now)), 401, "signature_replayed")
    refused(call(hooks, "timed", b"{}", **signed(now), Idempotency_Key="another"), 401, "signature_replayed")
    upper = signed(now)
    upper["X_Signature"] = "v0=" + upper["X_Signature"][3:].upper()
    refused(call(hooks, "timed", b"{}", **upper), 401, "signature_replayed")
    assert call(hooks, "timed", b"{}", **signed(now - 1)).status_code == 200
    for at in (now - 301, now + 310, "nan", "soon", "inf"):
        refused(call(hooks, "timed", b"{}", **signed(at)), 401, "signature_expired")
    changed = {**signed(now - 2), "X_Time": str(now)}
    refused(call(hooks, "timed", b"{}", **changed), 401, "signature_wrong")
    refused(call(hooks, "timed", b"{}", X_Signature="v0=00"), 401, "signature_missing")
    assert executions(hooks, workflow) == 2


def test_a_request_that_was_not_accepted_may_come_again(hooks):
    rules = {"signed": "{timestamp}.{body}", "timestamp_header": "X-Time"}
    publish(hooks, "again", auth="hmac", credential="signing", hmac=rules)
    now = str(int(time.time()))
    headers = {"X_Time": now, "X_Signature": signature(f"{now}.{{".encode())}
    for _ in range(2):
        refused(call(hooks, "again", b"{", **headers), 400, "malformed_json")


def test_a_repeated_delivery_with_its_key_is_no_replay(hooks):
    rules = {"signed": "{timestamp}.{body}", "prefix": "v1=", "timestamp_header": "Stripe-Signature"}
    workflow = publish(hooks, "stripe", auth="hmac", credential="signing", hmac=rules, auth_header="Stripe-Signature")
    now = int(time.time())
    headers = {"Stripe_Signature": f"t={now},v1={signature(f'{now}.{{}}'.encode())},v0=old", "Idempotency_Key": "evt_1"}
    first, second = call(hooks, "stripe", b"{}", **headers), call(hooks, "stripe", b"{}", **headers)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert executions(hooks, workflow) == 1


def test_standard_webhooks(hooks):
    rules = {
        "signed": "{webhook-id}.{timestamp}.{body}",
        "prefix": "v1,",
        "timestamp_header": "webhook-timestamp",
        "encoding": "base64",
        "key": "base64",
    }
    publish(hooks, "standard", auth="hmac", credential="coded", hmac=rules, auth_header="webhook-signature", idempotency_header="webhook-id")
    now = str(int(time.time()))
    mac = base64.b64encode(hmac.new(SECRET.encode(), f"msg_1.{now}.{{}}".encode(), hashlib.sha256).digest()).decode()
    headers = {"webhook_id": "msg_1", "webhook_timestamp": now, "webhook_signature": f"v1,AAAA v1,{mac}"}
    assert call(hooks, "standard", b"{}", **headers).status_code == 200
    refused(call(hooks, "standard", b"{}", **{**headers, "webhook_id": "msg_2"}), 401, "signature_wrong")


def token(key=SECRET, algorithm="HS256", headers=None, **claims):
    return "Bearer " + jwt.encode({"exp": time.time() + 60, "sub": "x", **claims}, key, algorithm, headers=headers)


def test_tokens_with_a_shared_secret(hooks):
    workflow = publish(hooks, "jwt", auth="jwt", credential="shared", jwt={"issuer": "https://shop", "audience": "hooks"})
    right = {"iss": "https://shop", "aud": "hooks"}
    assert call(hooks, "jwt", Authorization=token(**right)).status_code == 200
    for wrong, code in [
        (token(**right, exp=time.time() - 60), "token_expired"),
        (token(**right, nbf=time.time() + 600), "token_not_yet"),
        (token(SECRET + "!", **right), "token_forged"),
        (token(**{**right, "iss": "https://evil"}), "token_claims"),
        (token(**{**right, "aud": "others"}), "token_claims"),
        (token(iss="https://shop"), "token_claims"),
        (token(algorithm="HS512", **right), "token_algorithm"),
        ("Bearer " + jwt.encode(right, None, "none"), "token_algorithm"),
        ("Bearer " + jwt.encode(right, SECRET, "HS256"), "token_claims"),
        ("Bearer not.a.token", "token_forged"),
        ("Bearer", "token_missing"),
        ("Basic abc", "token_missing"),
        ("", "token_missing"),
    ]:
        answer = refused(call(hooks, "jwt", Authorization=wrong), 401, code)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert executions(hooks, workflow) == 1


def test_a_public_key_is_never_taken_for_a_secret(hooks, keys):
    publish(hooks, "rsa", auth="jwt", credential="public")
    assert call(hooks, "rsa", Authorization=token(keys[0], "RS256")).status_code == 200
    refused(call(hooks, "rsa", Authorization=token(keys[1], "RS256")), 401, "token_forged")
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + 60}).encode()).rstrip(b"=")
    signed = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=") + b"." + claims
    mac = base64.urlsafe_b64encode(hmac.new(hooks.pem.encode(), signed, "sha256").digest()).rstrip(b"=")
    refused(call(hooks, "rsa", Authorization=f"Bearer {(signed + b'.' + mac).decode()}"), 401, "token_algorithm")


def test_tokens_with_a_key_set(fresh_server, keys, key_set):
    server = fresh_server(allowed_hosts=["127.0.0.1"])
    server.state.vault.add("set", "jwt", {"jwks_url": key_set})
    publish(server, "set", auth="jwt", credential="set")
    assert call(server, "set", Authorization=token(keys[0], "RS256", {"kid": "one"})).status_code == 200
    refused(call(server, "set", Authorization=token(keys[1], "RS256", {"kid": "one"})), 401, "token_forged")
    refused(call(server, "set", Authorization=token(keys[1], "RS256", {"kid": "two"})), 401, "token_forged")


def test_a_private_key_set_is_not_fetched_unless_allowed(hooks, keys, key_set):
    hooks.state.vault.add("private-set", "jwt", {"jwks_url": key_set})
    publish(hooks, "private-set", auth="jwt", credential="private-set")
    answer = call(hooks, "private-set", Authorization=token(keys[0], "RS256", {"kid": "one"}))
    refused(answer, 503, "keys_unavailable")


def test_a_missing_credential_lets_nobody_in_and_is_not_named(hooks):
    publish(hooks, "unready", auth="basic", credential="not-yet-there")
    answer = refused(call(hooks, "unready"), 503, "credential_unavailable")
    assert "not-yet-there" not in answer.text
    hooks.state.vault.add("not-yet-there", "http_basic", {"user": "u", "password": "password"})
    assert httpx.post(f"{hooks.url}/webhooks/unready", auth=("u", "password")).status_code == 200


def test_a_changed_secret_counts_at_once(hooks):
    hooks.state.vault.add("changing", "http_header", {"name": "X-Key", "value": "value-one"})
    publish(hooks, "changing-secret", auth="header", credential="changing")
    assert call(hooks, "changing-secret", X_Key="value-one").status_code == 200
    hooks.state.vault.update("changing", {"value": "value-two"})
    refused(call(hooks, "changing-secret", X_Key="value-one"), 401, "wrong_header")
    assert call(hooks, "changing-secret", X_Key="value-two").status_code == 200


def test_who_is_not_let_in_need_not_send_the_body(hooks):
    import socket

    publish(hooks, "guarded", auth="basic", credential="people")
    with socket.create_connection(("127.0.0.1", hooks.port), timeout=10) as connection:
        connection.sendall(b"POST /webhooks/guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")
