"""Each kind against a server that answers as the service does."""

import asyncio
import json
import socket
import threading
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from nbflow.core.errors import CredentialError
from nbflow.core.redaction import Redactor
from nbflow.vault.kind import NotTestableError, made
from nbflow.vault.kinds import KINDS
from nbflow.vault.kinds.cloud import signed
from nbflow.vault.vault import Vault

SECRET = "hunter-22-hunter-22"
OK = "a short answer"
CHECKED = {  # kind: (fields, path asked, header or query that proves, answer)
    "openai": ({"api_key": SECRET, "base_url": "{url}/v1", "project": "p"}, "/v1/models", ("Authorization", f"Bearer {SECRET}"), {"data": []}),
    "anthropic": ({"api_key": SECRET, "base_url": "{url}"}, "/v1/models", ("X-Api-Key", SECRET), {"data": []}),
    "gemini": ({"api_key": SECRET, "base_url": "{url}"}, "/v1beta/models", ("X-Goog-Api-Key", SECRET), {"models": []}),
    "sendgrid": ({"api_key": SECRET, "base_url": "{url}"}, "/v3/scopes", ("Authorization", f"Bearer {SECRET}"), {"scopes": ["mail.send"]}),
    "resend": ({"api_key": SECRET, "base_url": "{url}"}, "/domains", ("Authorization", f"Bearer {SECRET}"), {"data": []}),
    "slack": ({"bot_token": SECRET, "base_url": "{url}"}, "/auth.test", ("Authorization", f"Bearer {SECRET}"), {"ok": True, "team": "t"}),
    "discord": ({"bot_token": SECRET, "base_url": "{url}"}, "/users/@me", ("Authorization", f"Bot {SECRET}"), {"username": "bot"}),
    "airtable": ({"token": SECRET, "base_url": "{url}"}, "/v0/meta/whoami", ("Authorization", f"Bearer {SECRET}"), {"id": "usr1"}),
    "notion": ({"token": SECRET, "base_url": "{url}"}, "/v1/users/me", ("Authorization", f"Bearer {SECRET}"), {"name": "bot"}),
    "http_bearer": ({"token": SECRET, "test_url": "{url}/me"}, "/me", ("Authorization", f"Bearer {SECRET}"), {}),
    "http_header": ({"name": "X-Key", "value": SECRET, "test_url": "{url}/me"}, "/me", ("X-Key", SECRET), {}),
    "http_query": ({"name": "key", "value": SECRET, "test_url": "{url}/me"}, "/me", ("?key", SECRET), {}),
    "http_basic": ({"user": "ada", "password": "pw42", "test_url": "{url}/me"}, "/me", ("Authorization", "Basic YWRhOnB3NDI="), {}),
    "twilio": (
        {"account_sid": "AC1", "auth_token": "pw42", "base_url": "{url}"},
        "/2010-04-01/Accounts/AC1.json",
        ("Authorization", "Basic QUMxOnB3NDI="),
        {"status": "active"},
    ),
    "vonage": ({"api_key": "k", "api_secret": SECRET, "base_url": "{url}"}, "/account/get-balance", ("?api_secret", SECRET), {"value": 1}),
    "jwt": ({"jwks_url": "{url}/jwks"}, "/jwks", None, {"keys": [{}, {}]}),
    "aws": (
        {"access_key_id": "AKIA1", "secret_access_key": SECRET, "endpoint_url": "{url}", "session_token": "tok-tok-tok"},
        "/",
        ("X-Amz-Security-Token", "tok-tok-tok"),
        "<Arn>arn:aws:iam::1:user/ada</Arn>",
    ),
}


def credential(kind, fields, url):
    return made(kind, {name: value.replace("{url}", url) for name, value in fields.items()}, kind)


async def checked(values):
    async with httpx.AsyncClient() as http:
        return await values.check(http)


@pytest.mark.parametrize("kind", CHECKED)
async def test_a_test_asks_the_service_with_the_secret(echo, kind):
    fields, path, proof, answer = CHECKED[kind]
    echo.answers[path] = (200, answer)
    told = await checked(credential(kind, fields, echo.url))
    [(_, asked, headers, _)] = echo.seen
    assert asked.partition("?")[0] == path
    if proof is not None:
        name, value = proof
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
        assert (query[name[1:]] if name.startswith("?") else {key.title(): text for key, text in headers.items()}[name.title()]) == value
    assert told
    assert SECRET not in told


@pytest.mark.parametrize("kind", [kind for kind in CHECKED if kind != "jwt"])
@pytest.mark.parametrize("status", [401, 403, 500, 302])
async def test_a_refusal_is_told_without_the_secret(echo, kind, status):
    fields, path, _, _ = CHECKED[kind]
    echo.answers[path] = (status, {"said": SECRET})
    with pytest.raises(CredentialError, match=str(status)) as caught:
        await checked(credential(kind, fields, echo.url))
    assert SECRET not in str(caught.value)


async def test_a_service_that_cannot_be_reached_is_told_and_retryable():
    with pytest.raises(CredentialError, match=r"127\.0\.0\.1 cannot be reached: ConnectError") as caught:
        await checked(made("openai", {"api_key": SECRET, "base_url": "http://127.0.0.1:9"}, "x"))
    assert caught.value.retryable


async def test_slack_says_200_and_no(echo):
    echo.answers["/auth.test"] = (200, {"ok": False, "error": "invalid_auth"})
    with pytest.raises(CredentialError, match="does not accept it: invalid_auth"):
        await checked(made("slack", {"bot_token": SECRET, "base_url": echo.url}, "x"))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("slack", {"webhook_url": "https://hooks.example/T/B/" + SECRET}),
        ("zapier", {"webhook_url": "https://hooks.example/1/" + SECRET}),
        ("http_bearer", {"token": SECRET}),
        ("generic", {"value": SECRET}),
        ("postgres", {"host": "db"}),
    ],
)
async def test_what_cannot_be_tested_says_so(kind, fields):
    with pytest.raises(NotTestableError):
        await checked(made(kind, fields, "x"))


async def test_the_discord_webhook_is_asked_for_its_name(echo):
    echo.answers["/api/webhooks/1/tok"] = (200, {"name": "reports"})
    assert await checked(made("discord", {"webhook_url": f"{echo.url}/api/webhooks/1/tok"}, "x")) == "the webhook is called reports"


async def test_keys_and_secrets_for_signatures_are_read():
    key = rsa.generate_private_key(65537, 2048).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert await checked(made("jwt", {"public_key": pem}, "x")) == "the public key can be read"
    assert await checked(made("jwt", {"secret": SECRET}, "x"))
    assert await checked(made("hmac_secret", {"secret": SECRET}, "x"))
    with pytest.raises(CredentialError, match="no PEM public key"):
        await checked(made("jwt", {"public_key": "-----BEGIN"}, "x"))


async def test_a_key_set_that_is_none_is_told(echo):
    echo.answers["/jwks"] = (200, {"no": "keys"})
    with pytest.raises(CredentialError, match="answers no key set"):
        await checked(made("jwt", {"jwks_url": f"{echo.url}/jwks"}, "x"))


def service_account(url):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return key, {"client_email": "robot@example.org", "private_key": pem, "token_uri": f"{url}/token", "auth_uri": "https://accounts.example/auth"}


async def test_a_google_account_exchanges_a_signed_claim_for_a_token(echo):
    key, account = service_account(echo.url)
    echo.answers["/token"] = (200, {"access_token": "t"})
    assert await checked(made("google_service_account", {"key": json.dumps(account)}, "g")) == "a token was given to robot@example.org"
    [(method, _, _, body)] = echo.seen
    signed_part, _, signature = parse_qs(body)["assertion"][0].rpartition(".")
    import base64

    key.public_key().verify(base64.urlsafe_b64decode(signature + "=="), signed_part.encode(), PKCS1v15(), SHA256())
    assert method == "POST"


def test_of_a_google_account_only_the_private_key_is_secret():
    _, account = service_account("http://127.0.0.1")
    redactor = Redactor()
    redactor.learn(*made("google_service_account", {"key": json.dumps(account)}, "g").secrets(), name="g")
    clean = redactor.text(json.dumps(account))
    assert json.loads(clean)["auth_uri"] == "https://accounts.example/auth"
    assert not any(line in clean for line in account["private_key"].split("\n")[1:-2])


def test_a_request_is_signed_as_amazon_documents_it():
    """The worked example of AWS Signature Version 4, from the AWS General Reference."""
    headers = signed(
        "GET", "https://iam.amazonaws.com/", {"Action": "ListUsers", "Version": "2010-05-08"}, service="iam", region="us-east-1",
        key="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token=None, now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )  # fmt: skip
    assert headers["Authorization"].endswith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


@pytest.mark.parametrize(
    ("kind", "fields", "leak"),
    [
        ("postgres", {"uri": "postgres://ada:hun%2Fter22@db/x"}, "hun/ter22"),
        ("postgres", {"uri": "postgres://ada:hun%2Fter22@db/x"}, "hun%2Fter22"),
        ("mongodb", {"uri": "mongodb://ada:hunter22@db/x"}, "hunter22"),
        ("slack", {"webhook_url": "https://hooks.slack.example/services/T0/B0/abcdefghijklmnopqrst"}, "POST /services/T0/B0/abcdefghijklmnopqrst"),
        ("http_basic", {"user": "ada", "password": "pw42"}, "YWRhOnB3NDI="),
        ("smtp", {"host": "h", "user": "ada", "password": "pw42"}, "AGFkYQBwdzQy"),
        ("generic", {"one": "first-secret", "two": 12345678}, "12345678"),
    ],
)
def test_what_a_kind_makes_of_its_fields_is_secret_too(kind, fields, leak):
    redactor = Redactor()
    redactor.learn(*made(kind, fields, "x").secrets(), name="x")
    assert leak.split("/")[-1] not in redactor.text(f"seen: {leak}")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_declares_what_forms_and_schemas_need(kind):
    declared = KINDS[kind]
    assert declared.title
    assert declared.__doc__
    assert all(info.description for info in declared.model_fields.values())
    assert set(declared.environment) <= set(declared.model_fields)
    schema = declared.model_json_schema()
    assert all(schema["properties"][name].get("writeOnly") or "anyOf" in schema["properties"][name] for name in declared.secret_fields())


class SmtpServer:
    """Speaks as much SMTP as signing in needs (RFC 5321, RFC 4954)."""

    def __init__(self, answer):
        self.answer = answer
        self.heard = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        connection, _ = self.listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 ready\r\n")
            for line in lines:
                self.heard.append(line.decode().strip())
                word = line.split()[0].upper()
                connection.sendall({b"EHLO": b"250-me\r\n250 AUTH PLAIN\r\n", b"AUTH": self.answer, b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
                if word == b"QUIT":
                    return

    def close(self):
        self.thread.join()
        self.listening.close()


@pytest.mark.parametrize(("answer", "ok"), [(b"235 ok\r\n", True), (b"535 no\r\n", False)])
def test_a_mail_server_is_greeted_and_signed_in_to(store, answer, ok):
    server = SmtpServer(answer)
    vault = Vault(store, environment={})
    vault.add("mail", "smtp", {"host": "127.0.0.1", "port": server.port, "user": "ada", "password": "pw42", "tls": "none"})
    result = vault.test("mail")
    server.close()
    assert result.ok is ok
    assert any(line.startswith("AUTH PLAIN AGFkYQBwdzQy") for line in server.heard)
    assert "pw42" not in result.message


def test_testing_works_inside_a_running_loop_and_hides_what_the_service_repeats(store, echo):
    vault = Vault(store, environment={})
    vault.add("chat", "discord", {"bot_token": SECRET, "base_url": echo.url})
    echo.answers["/users/@me"] = (200, {"username": SECRET})

    async def inside():
        return vault.test("chat")

    result = asyncio.run(inside())
    assert (result.ok, result.message) == (True, "signed in as [redacted chat]")
    assert vault.test("chat").ok


def test_what_cannot_be_tested_is_neither_right_nor_wrong(store):
    vault = Vault(store, environment={})
    vault.add("plain", "generic", {"value": SECRET})
    assert vault.test("plain").ok is None
