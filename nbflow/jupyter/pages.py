"""The dashboards inside Jupyter: `nbflow/pages/executions`, with the websockets by which Panel keeps them live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler, websocket_connect

from nbflow.jupyter.access import AUTH_RESOURCE, nbflow_of
from nbflow.jupyter.project_server import NotServedError
from nbflow.jupyter.proxy import Proxy, query_without_token, told_to_server

if TYPE_CHECKING:
    from collections.abc import Awaitable

_NOT_PAGES = frozenset({"api", "webhooks", "webhooks-test", "login", "logout", "metrics", "health"})
_MOST_BYTES = 256 * 2**20  # of one message: a table with its data
_SERVER_GONE = 1013  # RFC 6455 registry: try again later


class PageHandler(Proxy):
    """Panel's documents and what they load. People come here: without sign-in they are sent to Jupyter's."""

    root = ""

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:
        """A page or one of its files."""
        if path.partition("/")[0] in _NOT_PAGES:
            raise web.HTTPError(404, "there is no such page")
        await self.forward(path)

    def more_headers(self) -> dict[str, str]:
        """Where the browser sees these pages."""
        return {"X-ProxyContextPath": f"{self.base_url}nbflow/pages"}

    def get_login_url(self) -> str:
        """Not a refusal, as for programs."""
        return str(JupyterHandler.get_login_url(self))

    @property
    def content_security_policy(self) -> str:
        """As Jupyter's own pages."""
        return str(super(APIHandler, self).content_security_policy)

    def refuse(self, status: int, code: str, message: str) -> None:
        """For people to read."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{message}\n" if code else "")


class Socket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A websocket for signed-in browsers; Jupyter's mixin checks the origin."""

    auth_resource = AUTH_RESOURCE

    def set_default_headers(self) -> None:
        """Those of pages make no sense here."""

    def get_compression_options(self) -> dict[str, Any] | None:
        """As Jupyter's own."""
        options: dict[str, Any] | None = self.settings.get("websocket_compression_options", None)
        return options

    async def check_right(self) -> None:
        """Raises HTTPError 403 for users who may not run things."""
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "execute", AUTH_RESOURCE)):
            raise web.HTTPError(403, "you may not use flows here")


class PageSocket(Socket):
    """Passes messages both ways, untouched."""

    _upstream: WebSocketClientConnection | None = None
    _reading: asyncio.Task[None] | None = None

    @ws_authenticated
    async def get(self, path: str) -> None:
        """Connects to the project's server first: without it there is nothing to open."""
        await self.check_right()
        try:
            address = await nbflow_of(self).server.address()
            query = query_without_token(self.request.query)
            url = f"ws{address.url.removeprefix('http')}/{path}" + (f"?{query}" if query else "")
            asked = [(name, value) for name, value in self.request.headers.get_all() if not name.lower().startswith("sec-websocket")]
            request = HTTPRequest(url, headers=told_to_server(asked, address))
            self._upstream = await websocket_connect(request, subprotocols=self._subprotocols(), max_message_size=_MOST_BYTES)
        except (NotServedError, HTTPClientError, OSError) as error:
            self.log.warning("nbflow: a page's websocket was refused: %s", error)
            raise web.HTTPError(502, "the project's server does not answer") from error
        await super().get(path)

    def _subprotocols(self) -> list[str]:
        return [name.strip() for name in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The server's choice."""
        chosen = self._upstream.selected_subprotocol if self._upstream is not None else None
        return chosen if chosen in subprotocols else None

    def open(self, *_: str, **__: str) -> Awaitable[None] | None:
        """Both ends are there."""
        self._reading = asyncio.ensure_future(self._read())
        super().open()
        return None

    async def _read(self) -> None:
        assert self._upstream is not None  # noqa: S101 -- set before `open`
        while (message := await self._upstream.read_message()) is not None:
            try:
                await self.write_message(message, binary=isinstance(message, bytes))
            except WebSocketClosedError:
                return
        self.close(_SERVER_GONE, "the server has closed the page")

    async def on_message(self, message: str | bytes) -> None:
        """From the browser."""
        if self._upstream is not None:
            try:
                await self._upstream.write_message(message, binary=isinstance(message, bytes))
            except WebSocketClosedError:
                self.close(_SERVER_GONE, "the server has closed the page")

    def on_close(self) -> None:
        """The browser has gone."""
        if self._upstream is not None:
            self._upstream.close()
        if self._reading is not None:
            self._reading.cancel()
        super().on_close()
