"""Credentials as nodes use them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from nbflow.authoring.function import node
from nbflow.authoring.trace import draw
from nbflow.catalogue.http_auth import proof
from nbflow.core.errors import ConfigError, CredentialError, ExecutionError, UnknownCredentialError
from nbflow.core.flow import FlowSettings
from nbflow.core.node import Context  # noqa: TC001 -- @node reads annotations
from nbflow.core.redaction import redactor
from nbflow.display import capture
from nbflow.runtime.catalogue import nodes
from nbflow.runtime.origin import Origin
from nbflow.runtime.runtime import Runtime, prepare
from nbflow.store.memory import MemoryStore
from nbflow.testing import FakeContext, run_node


@node
def inline(ctx: Context) -> str:
    return ctx.credential("crm").reveal("value")


@node(where="thread")
def in_thread(ctx: Context) -> str:
    return ctx.credential("crm", "generic").reveal("value")


@node
async def on_loop(ctx: Context) -> str:
    return ctx.credential("crm").reveal("value")


@node(where="process")
def in_process(ctx: Context) -> str:
    credential = ctx.credential("crm")
    return "|".join([credential.kind, credential.reveal("value"), repr(credential), repr(credential.value), str(credential.get("none", "-"))])


@node(where="process")
def unknown_in_process(ctx: Context) -> str:
    return ctx.credential("nobody").reveal("value")


@node(where="process")
def sent_back(ctx: Context) -> object:
    return ctx.credential("crm")


@node
def passed_on(ctx: Context) -> object:
    return ctx.credential("crm")


@node(where="process")
def taken(value: Any) -> str:
    return str(value)


@pytest.fixture
def runtime():
    made = Runtime(store=MemoryStore())
    made.vault.add("crm", "generic", {"value": "hunter-22-hunter"})
    redactor.forget_all()
    yield made
    made.close()
    capture.uninstall()


def prepared(function):
    return prepare(draw(function, name="f", description="", parameters={}, settings=FlowSettings()))


def started(runtime, function, **origin):
    return runtime.start(prepared(function), origin=Origin(**origin))


@pytest.mark.parametrize("function", [inline, in_thread, on_loop])
def test_a_node_gets_a_credential_wherever_it_runs(runtime, function):
    execution = started(runtime, lambda: function())
    assert list(execution.result(30).values()) == ["hunter-22-hunter"]
    assert "hunter" not in str(runtime.store.query("SELECT * FROM execution_logs").rows)
    assert "hunter" not in execution.view.html()


def test_a_function_in_another_process_asks_this_one(runtime):
    execution = started(runtime, lambda: in_process())
    [value] = execution.result(30).values()
    assert value == "generic|hunter-22-hunter|<credential 'crm': generic>|SecretStr('**********')|-"
    assert "hunter" not in str(runtime.store.query("SELECT * FROM execution_logs").rows)


def test_an_unknown_credential_fails_the_node_that_asked_also_in_another_process(runtime):
    with pytest.raises(ExecutionError, match="no credential 'nobody'") as caught:
        started(runtime, lambda: unknown_in_process()).result(30)
    assert isinstance(caught.value.__cause__, UnknownCredentialError)


@pytest.mark.parametrize("function", [lambda: sent_back(), lambda: taken(passed_on())])
def test_a_credential_does_not_leave_its_process(runtime, function):
    with pytest.raises(ExecutionError, match="does not travel"):
        started(runtime, function).result(30)


def test_an_execution_uses_its_own_organizations_credentials(runtime):
    first, second = uuid4(), uuid4()
    for number, id_ in enumerate((first, second)):
        insert = "INSERT INTO organizations (id, created_at) VALUES ($id::UUID, $at::TIMESTAMP)"
        runtime.store.transact([(insert, {"id": str(id_), "at": f"2026-01-0{number + 1}"})])
    runtime.vault.add("crm", "generic", {"value": "of-the-second"}, organization_id=second)
    assert list(started(runtime, lambda: inline(), organization_id=second).result(30).values()) == ["of-the-second"]
    assert next(iter(started(runtime, lambda: in_process(), organization_id=first).result(30).values())).startswith("generic|hunter")
    with pytest.raises(ExecutionError, match="no credential 'crm'"):
        started(runtime, lambda: inline(), organization_id=uuid4()).result(30)


def test_an_error_of_a_flow_names_no_secret(runtime):
    @node
    def fails(ctx: Context) -> None:
        raise ValueError(f"wrong: {ctx.credential('crm').reveal('value')}")

    with pytest.raises(ExecutionError) as caught:
        started(runtime, lambda: fails()).result(30)
    assert str(caught.value) == "flow 'f', node 'fails': ValueError: wrong: [redacted crm]"
    assert "hunter" not in "".join(caught.value._render_traceback_())


async def test_without_credentials_an_engine_says_so():
    from nbflow.engine.services import Services

    with pytest.raises(CredentialError, match="no credentials were lent"):
        Services().credential("crm", None)


# action.http --------------------------------------------------------------------------------------

LENT = {
    "basic": {"kind": "http_basic", "user": "ada", "password": "pw42"},
    "bearer": {"kind": "http_bearer", "token": "tok-12345"},
    "header": {"kind": "http_header", "name": "X-Key", "value": "val-12345"},
    "query": {"kind": "http_query", "name": "key", "value": "val-12345"},
    "openai": {"kind": "openai", "api_key": "sk-123456789"},
    "plain": {"value": "val-12345"},
    "pg": {"kind": "postgres", "host": "db", "user": "ada", "password": "pass-123"},
}


async def asked(echo, auth):
    import httpx

    async with httpx.AsyncClient() as http:
        answer = await run_node("action.http", {"url": f"{echo.url}/x", "auth": auth}, ctx=FakeContext(credentials=LENT, http=http))
    return {name.title(): value for name, value in answer["headers"].items()}, answer["path"]


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"credential": "basic"}, "Authorization", "Basic YWRhOnB3NDI="),
        ({"type": "basic", "credential": "pg"}, "Authorization", "Basic YWRhOnBhc3MtMTIz"),
        ({"credential": "bearer"}, "Authorization", "Bearer tok-12345"),
        ({"type": "bearer", "credential": "openai"}, "Authorization", "Bearer sk-123456789"),
        ({"type": "bearer", "credential": "plain"}, "Authorization", "Bearer val-12345"),
        ({"credential": "header"}, "X-Key", "val-12345"),
        ({"type": "header", "credential": "header", "name": "X-Other"}, "X-Other", "val-12345"),
        ({"type": "header", "credential": "openai", "name": "X-Api-Key"}, "X-Api-Key", "sk-123456789"),
    ],
)
async def test_a_request_proves_itself_by_a_credential(echo, auth, name, value):
    headers, _ = await asked(echo, auth)
    assert headers[name] == value
    assert value.split()[-1] not in redactor.text(f"sent {value}")


async def test_a_query_carries_a_credential(echo):
    assert (await asked(echo, {"credential": "query"}))[1] == "/x?key=val-12345"


@pytest.mark.parametrize(
    ("auth", "error", "message"),
    [
        ({"credential": "pg"}, ConfigError, "is of kind postgres: say in auth.type how it is sent"),
        ({"credential": "nobody"}, UnknownCredentialError, "no credential 'nobody'"),
        ({"type": "bearer", "credential": "pg"}, ConfigError, "has no token, value or api_key"),
        ({"type": "basic", "credential": "bearer"}, CredentialError, "has no 'user'; it has token"),
        ({"type": "header", "credential": "bearer"}, CredentialError, "has no 'name'"),
        ({"type": "bearer", "token_env": "NBFLOW_KEY"}, ConfigError, "NBFLOW_KEY is nbflow's own: no flow may send it"),
        ({"type": "bearer", "token_env": "nbflow_server_token"}, ConfigError, "nbflow's own"),
    ],
)
async def test_what_cannot_be_sent_is_told(echo, auth, error, message):
    with pytest.raises(error, match=message):
        await asked(echo, auth)
    assert echo.seen == []


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer"},
        {"type": "bearer", "credential": "a", "token_env": "B"},
        {"type": "basic", "user_env": "A"},
        {"type": "header", "value_env": "A"},
        {"type": "credential"},
        {"credential": ""},
    ],
)
def test_half_an_auth_is_found_by_the_check(auth):
    from nbflow.core.errors import CheckError

    with pytest.raises(CheckError, match="auth"):
        prepared(lambda: nodes.action.http(url="http://127.0.0.1", auth=auth))


async def test_a_variables_value_is_known_to_the_redactor(echo, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "tok-from-environment")
    headers, _ = await asked(echo, {"type": "bearer", "token_env": "MY_TOKEN"})
    assert headers["Authorization"] == "Bearer tok-from-environment"
    assert redactor.text("tok-from-environment") == "[redacted MY_TOKEN]"


async def test_a_proof_does_not_show_itself():
    class Auth:
        type, credential = "basic", "basic"

    made = await proof(Auth(), FakeContext(credentials=LENT))
    assert "pw42" not in repr(made)
    assert "YWRhOnB3NDI" not in repr(made)


def test_a_fake_context_lends_credentials_by_name():
    ctx = FakeContext(credentials=LENT)
    assert ctx.credential("openai", "openai").reveal("api_key") == "sk-123456789"
    with pytest.raises(CredentialError, match="is of kind openai, and postgres is needed"):
        ctx.credential("openai", "postgres")
    with pytest.raises(UnknownCredentialError, match=r"FakeContext\(credentials="):
        FakeContext().credential("crm")
