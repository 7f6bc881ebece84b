"""A small application behind the real gate, on a real socket: what is served does not matter, who may come in does."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from nbflow.server.auth.authenticator import Authenticator
from nbflow.server.gate import Gate
from nbflow.server.settings import ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from nbflow.accounts.directory import Directory

TOKEN = "the-token-of-the-tests"
HTML = {"Accept": "text/html,application/xhtml+xml"}


def who(scope: Any) -> dict[str, Any] | None:
    principal = scope["state"]["principal"]
    if principal is None:
        return None
    return {
        "user": principal.user.label,
        "id": str(principal.user.id),
        "kind": principal.kind,
        "roles": sorted(map(str, principal.memberships.values())),
    }


async def answer(request: Request) -> JSONResponse:
    return JSONResponse({"path": request.url.path, "query": request.url.query, "who": who(request.scope)})


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(who(websocket.scope))
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


class GatedServer:
    """uvicorn in a thread. `address` is where a browser finds it."""

    def __init__(self, directory: Directory, folder: Path | None, *, provider: Any = None, root_path: str = "", **settings: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.settings = ServerSettings(**{"port": self.port, "token": TOKEN, **settings})
        self.authenticator = Authenticator(self.settings, directory, folder=folder, provider=provider)
        methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
        routes = [
            WebSocketRoute("/live", echo),
            Route("/page", lambda _: PlainTextResponse("a page")),
            Route("/{rest:path}", answer, methods=methods),
        ]
        app = Starlette(routes=routes, middleware=[Middleware(Gate, authenticator=self.authenticator)])

        async def below(scope: Any, receive: Any, send: Any) -> None:  # as FastAPI(root_path=...) does it
            await app({**scope, "root_path": root_path} if root_path else scope, receive, send)

        config = uvicorn.Config(below, http="httptools", log_config=None, access_log=False, lifespan="on")
        self._uvicorn = uvicorn.Server(config)
        self._clients: list[httpx.Client] = []
        self._thread = threading.Thread(target=self._serve, name="gated-server", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._uvicorn.started:
            assert self._thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.address = f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        asyncio.run(self._uvicorn.serve(sockets=[self._listener]))

    def client(self, **headers: str) -> httpx.Client:
        self._clients.append(httpx.Client(base_url=self.address, headers=headers, timeout=20))
        return self._clients[-1]

    def signed_in(self) -> httpx.Client:
        """A client with the cookie of a session, as a browser has it after the token form."""
        client = self.client()
        assert client.post("/login", data={"token": TOKEN}, headers=HTML).status_code == 303
        return client

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self._uvicorn.should_exit = True
        self._thread.join(20)
        self._listener.close()
