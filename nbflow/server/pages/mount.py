"""Where the pages hang in the server: routes at once, Panel (a second or more of imports) only when it is wanted.

`create_app` makes `Pages(state)`, calls `install(app)` after its own routes, and awaits `close()` in its lifespan's end. `serve` calls `open()` once
the server answers; without that, the first request for a page does.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import BaseRoute, Match, NoMatchFound

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.datastructures import URLPath
    from starlette.types import Receive, Scope, Send

    from nbflow.server.pages.site import Site
    from nbflow.server.principal import Principal
    from nbflow.server.state import ServerState

PAGES = {"/executions": "Executions"}  # path: title in the navigation, in its order
HOME = "./executions"
_ASSETS = "/static"

log = logging.getLogger("nbflow.pages")


class Visitor(NamedTuple):
    """For whom a page is made, and the address that they come from."""

    principal: Principal
    address: str | None


visitor: ContextVar[Visitor] = ContextVar("visitor")  # of the request that makes a page now


class Pages:
    """All pages of one server. `state` is the server's (`nbflow.server.state`), lent to every page."""

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self._site: Site | None = None
        self._opening: asyncio.Task[Site] | None = None
        self._error: Exception | None = None

    @property
    def status(self) -> Literal["closed", "opening", "open", "failed"]:
        """For the health route: pages that are not open yet do not make the server unhealthy."""
        if self._site is not None:
            return "open"
        if self._error is not None:
            return "failed"
        return "closed" if self._opening is None else "opening"

    @property
    def sessions(self) -> int:
        """Open pages, counting those closed a few seconds ago."""
        return 0 if self._site is None else self._site.sessions

    def install(self, app: FastAPI) -> None:
        """Adds the routes of the pages and of what they load. They are in no OpenAPI document."""
        app.router.routes.append(_PageRoute(self))

    async def open(self) -> None:
        """Imports Panel in a thread and makes the pages; once. A failure is logged and told to whoever asks for a page."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="nbflow-pages")
        try:
            await asyncio.shield(self._opening)
        except Exception as error:
            if self._error is None:
                self._error = error
                log.exception("the pages cannot be shown; everything else works")

    async def _open(self) -> Site:
        made = await asyncio.to_thread(_import_site)
        self._site = made(self.state)
        self._site.start()
        return self._site

    async def close(self) -> None:
        """Ends all sessions. Sockets are closed by the HTTP server."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        if self._site is not None:
            await self._site.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Waits for the pages to be open."""
        await self.open()
        if self._site is None:
            await _refuse(scope, receive, send, f"The pages cannot be shown: {self._error}")
            return
        principal = scope.get("state", {}).get("principal")
        if principal is None and not _path(scope).startswith(
            _ASSETS
        ):  # the gate lets nobody through without one; should it be missing, nothing is shown
            await _refuse(scope, receive, send, "Sign in to see this page.", status=401)
            return
        token = visitor.set(Visitor(principal, scope["client"][0] if scope.get("client") else None))
        try:  # Panel makes relative links of the path: it must not see a proxy's prefix
            await self._site({**scope, "path": _path(scope), "root_path": ""}, receive, send)
        finally:
            visitor.reset(token)


class _PageRoute(BaseRoute):
    """All paths of the pages, in one route: a `Mount` each would cut the path that Panel's links are made from."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in {"http", "websocket"}:
            return Match.NONE, {}
        path = _path(scope)
        known = path == "/" or any(path == prefix or path.startswith(f"{prefix}/") for prefix in (*PAGES, _ASSETS))
        return (Match.FULL, {"endpoint": self._pages}) if known else (Match.NONE, {})

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _path(scope) == "/":
            await RedirectResponse(HOME, status_code=307)(scope, receive, send)
            return
        await self._pages(scope, receive, send)


def _path(scope: Scope) -> str:
    from starlette._utils import get_route_path

    return get_route_path(scope)


def _import_site() -> type[Site]:
    from nbflow.server.pages.site import Site

    return Site


async def _refuse(scope: Scope, receive: Receive, send: Send, message: str, *, status: int = 503) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        return
    await PlainTextResponse(message, status_code=status)(scope, receive, send)
