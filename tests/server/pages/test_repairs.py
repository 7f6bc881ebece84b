from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from bokeh.protocol import Protocol
from bokeh.util.token import generate_jwt_token, generate_session_id, get_session_id, get_token_payload
from bokeh_fastapi.handler import WSHandler
from open_pages import load, plug, until
from starlette.websockets import WebSocketDisconnect, WebSocketState
from websockets.exceptions import ConnectionClosed, InvalidStatus

from nbflow.core.states import Role
from nbflow.server.pages import repairs


def status_of_refused(server, token, **headers):
    with pytest.raises(InvalidStatus) as refused, plug(server, token, **headers):
        pass
    return refused.value.response.status_code


def signing_key(server):
    return server.state.pages._site._bokeh.secret_key


@pytest.fixture
def colleague(server):
    """A client of another user, in the same organization."""
    directory = server.state.directory
    organization = directory.default().organization.id
    user = directory.invite(organization, "ben@example.org", Role.VIEWER).user
    _, key = directory.create_key(organization, user.id, "browser")
    yield server.client_with(Authorization=f"Bearer {key}")
    directory.remove_member(organization, user.id)


def test_the_repairs_are_for_the_installed_series():
    assert version("bokeh-fastapi").startswith(repairs.WRITTEN_FOR)


def test_upstream_still_needs_them():
    """When this fails, bokeh-fastapi ends a session by itself when its browser has gone: compare its handler with ours."""
    lost = []

    class Gone:
        async def receive(self):
            if lost or Gone.asked > 3:
                raise RuntimeError("received after the disconnect")
            Gone.asked += 1
            return {"type": "websocket.disconnect", "code": 1001}

    Gone.asked = 0
    handler = WSHandler(SimpleNamespace(client_lost=lost.append), None)
    handler._socket, handler.connection = Gone(), object()
    with pytest.raises(RuntimeError, match="received after"):
        asyncio.run(handler._receive_loop())
    assert Gone.asked > 1
    assert not lost


def test_the_session_of_a_closed_page_goes(server):
    with ExitStack() as opened:
        for _ in range(5):
            assert json.loads(opened.enter_context(plug(server, load(server))).recv())["msgtype"] == "ACK"
        assert server.state.pages.sessions >= 5
    until(lambda: server.state.pages.sessions == 0)
    assert not server.state.pages._site._owners
    assert not server.state.pages._site._live._watched


def test_the_session_of_a_page_that_never_connected_goes(server):
    load(server)
    assert server.state.pages.sessions
    until(lambda: server.state.pages.sessions == 0)


def test_a_forged_token_is_refused_without_a_fault(server, caplog):
    token = load(server)
    body, _, signature = token.rpartition(".")
    other_session = generate_jwt_token("A" * 44, secret_key=b"not the server's" * 2, signed=True, expiration=300)
    for forged in (f"{body}.{signature[::-1]}", body, other_session):
        assert status_of_refused(server, forged) == 403
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("garbage", ["x", "e30", "e30.x", "bm90LWpzb24.abc", "...", "0" * 5000])
def test_garbage_for_a_token_is_refused_without_a_fault(server, garbage, caplog):
    load(server)
    assert status_of_refused(server, garbage) == 403
    assert not [record for record in caplog.records if record.exc_info]


def test_a_token_whose_time_is_over_is_refused(server):
    session = get_session_id(load(server))
    old = generate_jwt_token(session, secret_key=signing_key(server), signed=True, expiration=-1)
    assert status_of_refused(server, old) == 403


def test_a_page_from_before_a_restart_is_told_to_reload(server):
    load(server)
    key = signing_key(server)
    unknown = generate_jwt_token(generate_session_id(key, signed=True), secret_key=key, signed=True, expiration=300)
    with plug(server, unknown) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv()
    assert closed.value.rcvd.code == 1012


def test_nobody_joins_a_page_that_was_made_for_another_user(server, colleague):
    token = load(server)
    assert status_of_refused(server, token, client=colleague) == 403
    with plug(server, load(server, colleague), client=colleague) as socket:
        assert json.loads(socket.recv())["msgtype"] == "ACK"


def test_a_visitor_cannot_choose_the_session(server):
    first = get_session_id(load(server))
    for name in ("bokeh_session_id", "bokeh-session-id"):
        assert get_session_id(load(server, path=f"/executions?{name}={first}")) != first


def test_the_session_token_holds_nothing_of_the_request(server):
    client = server.client_with(Authorization=server.client.headers["Authorization"], Cookie="theirs=secret", **{"X-Private": "secret"})
    payload = get_token_payload(load(server, client, "/executions?private=secret"))
    assert "secret" not in json.dumps(payload, default=repr)
    assert not payload["cookies"]
    assert not payload["headers"]
    assert not payload["arguments"]


def test_a_page_is_kept_in_no_cache(server):
    assert server.client.get(f"{server.url}/executions").headers["cache-control"] == "no-store"


class Wire:
    """The server's end of a websocket that notes what is sent."""

    def __init__(self):
        self.sent = []
        self.application_state = self.client_state = WebSocketState.CONNECTED

    async def send_text(self, text):
        await asyncio.sleep(0)
        self.sent.append(text)

    async def send_bytes(self, data):
        await asyncio.sleep(0)
        self.sent.append(data)


def socket_on(wire):
    socket = repairs.Socket(SimpleNamespace(), None)
    socket._socket = wire
    return socket


def test_the_frames_of_two_messages_do_not_mix():
    wire = Wire()
    socket = socket_on(wire)
    messages = [Protocol().create("OK", f"request-{number}") for number in range(5)]

    async def send_all():
        return await asyncio.gather(*map(socket.send_message, messages))

    assert all(asyncio.run(send_all()))
    assert wire.sent == [part for message in messages for part in (message.header_json, message.metadata_json, message.content_json)]


@pytest.mark.parametrize("end", [WebSocketDisconnect(1006), RuntimeError('Cannot call "send" once a close message has been sent.')])
def test_sending_to_a_browser_that_goes_sends_nothing(end):
    class Going(Wire):
        async def send_text(self, text):
            raise end

    assert asyncio.run(socket_on(Going()).send_message(Protocol().create("OK", "request"))) == 0


def test_sending_after_the_close_sends_nothing():
    wire = Wire()
    wire.application_state = WebSocketState.DISCONNECTED
    assert asyncio.run(socket_on(wire).send_message(Protocol().create("OK", "request"))) == 0
    assert not wire.sent
