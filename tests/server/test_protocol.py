"""Answers of a running server as they reach the socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import uvicorn

from nbflow.server.protocol import GatheringProtocol

CHUNK = b"x" * 60_000


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close"})
        return
    chunks = int(scope["path"].strip("/") or 0)
    length = [(b"content-length", b"2")] if not chunks else []
    await send({"type": "http.response.start", "status": 200, "headers": length})
    for _ in range(chunks):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if chunks else b"ok"})


@asynccontextmanager
async def served():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(application, http=GatheringProtocol, loop="uvloop", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


@pytest.fixture
def writes(monkeypatch):
    """How much went to the transport at a time."""
    from nbflow.server import protocol

    found = []
    made = protocol._Gathered.__init__

    def watched(self, transport):
        class Watched:
            def __getattr__(self, name):
                return getattr(transport, name)

            def write(self, data):
                found.append(len(data))
                transport.write(data)

        made(self, Watched())

    monkeypatch.setattr(protocol._Gathered, "__init__", watched)
    return found


async def test_head_and_body_are_one_write(writes):
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):  # on one connection
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert len(writes) == 2


async def test_the_answer_arrives_before_the_connection_closes():
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"ok")
        writer.close()


async def test_a_long_answer_is_not_held_back(writes):
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /20 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).count(CHUNK) == 20
        writer.close()
    assert max(writes) < 3 * len(CHUNK)


async def test_websockets_get_the_connection_itself():
    import websockets

    async with served() as port, websockets.connect(f"ws://127.0.0.1:{port}/") as connection:
        assert await connection.recv() == "hello"
