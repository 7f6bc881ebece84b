"""The pages as one ASGI application: Panel's documents, their websockets, and what they load. Imports Panel."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
from fastapi import FastAPI
from panel.io.fastapi import add_applications
from starlette.routing import Mount, Route, Router, WebSocketRoute

from nbflow.server.pages import repairs
from nbflow.server.pages.executions import executions_page
from nbflow.server.pages.live import Live
from nbflow.server.pages.mount import PAGES, visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

UNUSED_MS = 4000  # after which the session of a closed page goes; a reload within that time finds it alive
CHECK_MS = 2000

_MAKERS: dict[str, Callable[[Any, Live], Any]] = {"/executions": executions_page}


class Site:
    """Made once Panel is imported. `start` on the server's loop, `close` at its end."""

    def __init__(self, state: Any) -> None:
        repairs.register()
        self._live = Live(state)
        self._owners: dict[str, str | None] = {}  # session id: for whom it was made
        host = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self._bokeh = add_applications(
            {path: self._maker(_MAKERS[path]) for path in PAGES},
            app=host,
            title={path: f"{title} - nbflow" for path, title in PAGES.items()},
            secret_key=secrets.token_bytes(32),
            sign_sessions=True,
            include_headers=[],
            include_cookies=[],
            check_unused_sessions_milliseconds=CHECK_MS,
            unused_session_lifetime_milliseconds=UNUSED_MS,
        )
        self._router = Router(routes=[*self._pages(), *_assets(host)])
        self._cleaning: asyncio.Task[None] | None = None

    @property
    def sessions(self) -> int:
        """Sessions of all pages."""
        return sum(len(context.sessions) for context in self._contexts.values())

    @property
    def _contexts(self) -> dict[str, Any]:
        return self._bokeh._applications  # type: ignore[no-any-return]  # noqa: SLF001 -- bokeh-fastapi has no public way

    def _pages(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = []
        for path, context in self._contexts.items():
            routes.append(Route(path, repairs.Page(self._bokeh, context), methods=["GET"]))
            routes.append(WebSocketRoute(f"{path}/ws", partial(self._socket, context)))
        return routes

    async def _socket(self, context: Any, websocket: Any) -> None:
        await repairs.Socket(self._bokeh, context, self._owners.get).ws_connect(websocket)

    def _maker(self, page: Callable[[Any, Live], Any]) -> Callable[[], Any]:
        """What Panel calls for each new session, in the task of the request for the page. Panel calls plain functions only."""

        def make() -> Any:
            who = visitor.get()
            self._owners[pn.state.curdoc.session_context.id] = repairs.identity(who.principal)
            pn.state.on_session_destroyed(lambda context: self._owners.pop(context.id, None))
            return page(who, self._live)

        return make

    def start(self) -> None:
        """Begins to forget sessions of closed pages."""
        self._cleaning = asyncio.create_task(self._bokeh._cleanup_loop(), name="nbflow-pages-cleaning")  # noqa: SLF001 -- its lifespan is not ours

    async def close(self) -> None:
        """Ends what runs for the pages."""
        await self._live.close()
        if self._cleaning is not None:
            self._cleaning.cancel()
            with suppress(asyncio.CancelledError):
                await self._cleaning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await self._router(scope, receive, send)


def _assets(host: FastAPI) -> list[BaseRoute]:
    """What pages load: BokehJS and Panel's own files. Not Panel's route for components: it imports whatever module its path names."""
    return [route for route in host.routes if isinstance(route, Mount)]
