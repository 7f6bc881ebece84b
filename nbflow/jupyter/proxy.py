"""The project's REST API under Jupyter's own sign-in: `nbflow/api/v1/...`. Answers are passed on as they come, so that events stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode

import httpx
from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from nbflow.jupyter.access import Handler
from nbflow.jupyter.project_server import NotServedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbflow.jupyter.project_server import Address

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"})
_JUPYTERS_OWN = frozenset({"authorization", "cookie", "x-xsrftoken", "x-csrftoken", "host", "content-length", "origin", "referer"})
_KEPT_HERE = frozenset({"set-cookie", "server", "date", "content-length", "content-security-policy", "access-control-allow-origin"})
_JUPYTERS_PARAMETERS = frozenset({"token", "_xsrf"})
_CONNECTIONS = httpx.Limits(max_connections=None, keepalive_expiry=2)  # shorter than the server keeps them: one that it closes just now would fail
_TIMES = httpx.Timeout(60, connect=5, read=None)  # events may be far apart


def told_to_server(headers: Iterable[tuple[str, str]], address: Address) -> dict[str, str]:
    """What the project's server is told: nothing by which a browser signs in to Jupyter, but our own token."""
    kept = {
        name: value
        for name, value in headers
        if (lower := name.lower()) not in _HOP_BY_HOP and lower not in _JUPYTERS_OWN and not lower.startswith(("sec-", "x-forwarded-"))
    }
    return kept | {"Authorization": f"Bearer {address.token}"}


def told_to_browser(headers: httpx.Headers) -> list[tuple[str, str]]:
    """What the browser is told of the answer."""
    return [(name, value) for name, value in headers.multi_items() if name.lower() not in _HOP_BY_HOP | _KEPT_HERE]


def query_without_token(query: str) -> str:
    """Jupyter's own parameters are not for others to see."""
    return urlencode([(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in _JUPYTERS_PARAMETERS])


class Proxy(Handler):
    """Passes a request on and its answer back."""

    root = "/api"
    _client: httpx.AsyncClient | None = None
    _passing: asyncio.Task[None] | None = None

    @classmethod
    def client(cls) -> httpx.AsyncClient:
        """One for all: connections are kept."""
        if Proxy._client is None or Proxy._client.is_closed:
            Proxy._client = httpx.AsyncClient(timeout=_TIMES, trust_env=False, follow_redirects=False, limits=_CONNECTIONS)
        return Proxy._client

    def compute_etag(self) -> None:
        """The server's own is passed on."""

    def on_connection_close(self) -> None:
        """Whoever watched has gone: nothing is to be read any more."""
        if self._passing is not None:
            self._passing.cancel()
        super().on_connection_close()

    async def forward(self, path: str) -> None:
        """To `path` below `root`; 502 when there is no server."""
        if ".." in unquote(unquote(path)).split("/"):
            raise web.HTTPError(404, "there is nothing at this address")
        self._passing = asyncio.ensure_future(self._forward(path))
        try:
            await self._passing
        except asyncio.CancelledError:
            if not self.request.connection.stream.closed():  # type: ignore[union-attr]
                raise

    async def _forward(self, path: str) -> None:
        try:
            address = await self.nbflow.server.address()
            await self._pass(address, path)
        except (NotServedError, httpx.TransportError) as error:
            self.log.warning("nbflow: %s", error)
            if self._headers_written:
                self.finish()
                return
            message = (
                str(error) if isinstance(error, NotServedError) else f"the project's server does not answer: {str(error) or type(error).__name__}"
            )
            self.refuse(502, "no_server", message)

    async def _pass(self, address: Address, path: str) -> None:
        query = query_without_token(self.request.query)
        request = self.client().build_request(
            str(self.request.method),
            f"{address.url}{self.root}/{path}" + (f"?{query}" if query else ""),
            headers=told_to_server(self.request.headers.get_all(), address) | self.more_headers(),
            content=self.request.body or None,
        )
        answer = await self.client().send(request, stream=True)
        try:
            self.set_status(answer.status_code, answer.reason_phrase or None)
            self.clear_header("Content-Type")
            for name, value in told_to_browser(answer.headers):
                self.set_header(name, value)
            async for chunk in answer.aiter_raw():
                self.write(chunk)
                await self.flush()
            self.finish()
        except StreamClosedError:
            pass
        finally:
            await answer.aclose()

    def more_headers(self) -> dict[str, str]:
        """What else the project's server should know."""
        return {}


class ApiHandler(Proxy):
    """The REST API."""

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:  # noqa: D102
        await self.forward(path)

    @web.authenticated
    @authorized
    async def head(self, path: str) -> None:  # noqa: D102
        await self.forward(path)

    @web.authenticated
    @authorized
    async def post(self, path: str) -> None:  # noqa: D102
        await self.forward(path)

    @web.authenticated
    @authorized
    async def put(self, path: str) -> None:  # noqa: D102
        await self.forward(path)

    @web.authenticated
    @authorized
    async def patch(self, path: str) -> None:  # noqa: D102
        await self.forward(path)

    @web.authenticated
    @authorized
    async def delete(self, path: str) -> None:  # noqa: D102
        await self.forward(path)
