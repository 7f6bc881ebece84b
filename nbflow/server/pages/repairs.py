"""What bokeh-fastapi 0.1.8 with Starlette 1 gets wrong, put right in one place.

- Nobody tells the application when a browser goes away, so sessions of closed pages stay for ever.
- A session token that is forged, garbage, expired or from before a restart ends in a traceback and status 500.
- Frames of two messages sent at once may mix; sending to a closed socket raises; a disconnect does not end the receive loop.
- `?bokeh_session_id=` lets a visitor choose a session, also somebody else's.
- What the visitor's browser sent (cookies, headers, query) stands in clear in the page's session token.

`test_repairs.py` says which of these the installed version still needs. Panel looks for the class of a socket by identity, hence `register`.
"""

from __future__ import annotations

import asyncio
import calendar
import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bokeh.util.token import check_token_signature, generate_jwt_token, generate_session_id, get_session_id, get_token_payload
from bokeh_fastapi.handler import WSHandler
from panel.io.document import extra_socket_handlers
from panel.io.fastapi import dispatch_fastapi
from panel.io.server import server_html_page_for_session
from starlette.responses import HTMLResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from tornado.ioloop import IOLoop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bokeh.protocol.message import Message
    from bokeh.server.contexts import ApplicationContext
    from bokeh_fastapi import BokehFastAPI
    from starlette.types import Receive, Scope, Send

WRITTEN_FOR = "0.1"  # series of bokeh-fastapi
TOKEN_S = 300  # from the page to its websocket
REFUSED = 1008  # policy violation; before the handshake it is HTTP 403
GONE = 1012  # service restart: the page reloads

log = logging.getLogger("nbflow.pages")


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """What Bokeh and Panel may know of a request: not its cookies, headers and query, which they would put into the page."""

    path: str
    uri: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


class Page:
    """ASGI endpoint of one page: a new session for every request, with nothing of the request in its token."""

    def __init__(self, application: BokehFastAPI, context: ApplicationContext) -> None:
        self._application = application
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the page."""
        session = await self._session(scope["path"])
        document = session.document
        page = server_html_page_for_session(
            session,
            resources=self._application.resources(),
            title=document.title,
            template=document.template,
            template_variables=document.template_variables,
        )
        headers = {"cache-control": "no-store"}  # it holds the session's token
        await HTMLResponse(page, headers=headers)(scope, receive, send)

    async def _session(self, path: str) -> Any:
        key = self._application.secret_key
        id_ = generate_session_id(secret_key=key, signed=True)
        token = generate_jwt_token(
            id_, secret_key=key, signed=True, expiration=TOKEN_S, extra_payload={"headers": {}, "cookies": {}, "arguments": {}}
        )
        if self._context.io_loop is None:
            self._context._loop = IOLoop.current()  # noqa: SLF001 -- as bokeh-fastapi does
        return await self._context.create_session_if_needed(id_, _Visit(path=path, uri=path), token)


class Socket(WSHandler):  # type: ignore[misc]  # untyped base
    """The websocket of one open page."""

    def __init__(self, application: BokehFastAPI, context: ApplicationContext, owner_of: Any = None) -> None:
        super().__init__(application, context)
        self._owner_of = owner_of  # session id -> the visitor for whom the session was made
        self._sending = asyncio.Lock()

    async def ws_connect(self, websocket: WebSocket) -> None:
        """From the handshake to the end; the application hears of the end exactly once."""
        self._socket = websocket
        token, problem = self._token(websocket)
        if problem:
            log.info("refused the websocket of a page: %s", problem)
            await websocket.close(REFUSED)
            return
        await websocket.accept("bokeh")
        if get_session_id(token) not in self.application_context._sessions:  # noqa: SLF001 -- there is no public way to ask
            await websocket.close(GONE, "this page is from before a restart")
            return
        try:
            await self._async_open(websocket, token)
            await self._receive_loop()
        except WebSocketDisconnect:
            pass
        except Exception:
            log.exception("the websocket of a page ended by a mistake")
        finally:
            connection, self.connection = vars(self).get("connection"), None
            if connection is not None:
                self.application.client_lost(connection)

    def _token(self, websocket: WebSocket) -> tuple[str, str]:
        """The session token that the browser sent, and what is wrong with it."""
        offered = websocket.scope.get("subprotocols") or []
        if len(offered) != 2 or offered[0] != "bokeh":  # noqa: PLR2004 -- Bokeh's own protocol and the token
            return "", "no Bokeh subprotocol with a session token"
        token = offered[1]
        try:
            signed = check_token_signature(token, secret_key=self.application.secret_key, signed=self.application.sign_sessions)
            payload = get_token_payload(token)
            session = get_session_id(token)
            expiry = int(payload["session_expiry"])
        except Exception:  # noqa: BLE001 -- garbage fails in any way: base64, zlib, JSON, missing fields
            return "", "the session token is malformed"
        if not signed:
            return "", "the session token has a wrong signature"
        if calendar.timegm(dt.datetime.now(tz=dt.UTC).timetuple()) >= expiry:
            return "", "the session token is too old; the page must be loaded again"
        if self._owner_of is not None and self._owner_of(session) not in {None, _visitor(websocket)}:
            return "", "the page was made for another user"
        return token, ""

    async def _receive_loop(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            fragment = received.get("text")
            message = await self._receive(received.get("bytes") if fragment is None else fragment)
            if message is None:
                continue
            work = await self._handle(message)
            if work:
                await self.send_message(work)

    async def send_message(self, message: Message[Any]) -> int:
        """Gives the number of characters and bytes sent: 0 when the browser has gone."""
        async with self._sending:
            if self._socket.application_state is not WebSocketState.CONNECTED or self._socket.client_state is not WebSocketState.CONNECTED:
                return 0
            try:
                sent: int = await super().send_message(message)
            except (WebSocketDisconnect, RuntimeError):  # Starlette's RuntimeError: sending after the close
                return 0
            return sent

    async def _internal_error(self, message: str) -> None:
        log.error("a page is closed: %s", message)
        await self._end(1011)

    async def _protocol_error(self, message: str) -> None:
        log.error("a page is closed, its browser broke the protocol: %s", message)
        await self._end(1002)

    async def _end(self, code: int) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code)


def identity(principal: Any) -> str | None:
    """The user's id as text: sockets with the same one belong to the same person. None without a principal."""
    return None if principal is None else str(principal.user.id)


def _visitor(websocket: WebSocket) -> str | None:
    return identity(websocket.scope.get("state", {}).get("principal"))


def register() -> None:
    """Tells Panel how to send through our sockets: as through bokeh-fastapi's."""
    extra_socket_handlers[Socket] = dispatch_fastapi
