"""The one gate before everything: http and websocket alike. Closed unless a path is listed as open."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection, Request

from nbflow.core.errors import MalformedAuthorizationError, NbflowError, NotSignedInError, SignInError
from nbflow.server import errors
from nbflow.server.auth import place
from nbflow.server.auth.header import bearer
from nbflow.server.auth.login import PATHS, Login, login_query, see_other
from nbflow.server.auth.origin import check_host, check_origin, known_origins

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from nbflow.server.auth.authenticator import Authenticator
    from nbflow.server.principal import Principal

OPEN = frozenset({"/health", "/api/v1", "/api/v1/", "/api/v1/health", "/api/v1/auth/sync", "/favicon.ico", "/robots.txt"})
OPEN_UNDER = ("/webhooks/", "/static/")  # webhooks have sign-in of their own; static files are libraries that everybody can have anyway
_API = ("/api/", "/webhooks-test/", "/metrics", "/health")  # what programs call: refused by JSON, never by a redirect
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class Gate:
    """ASGI middleware. Finds out who asks and puts the `Principal` (None on open paths) into `scope["state"]["principal"]`.

    Pages of a browser are sent to the sign-in page, everything else is answered 401 or 403 in the one error shape; websockets 403.
    """

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator
        self._settings = authenticator.settings
        self._known = known_origins(self._settings)
        self._login = Login(authenticator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._lifespan(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_and_close() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._authenticator.close()  # before the store is closed: there may be something left to note in it
            return message

        await self._app(scope, receive_and_close, send)

    # http -------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = place.route_path(scope)
        state = scope.setdefault("state", {})
        state["authenticator"] = self._authenticator
        if path in OPEN or path.startswith(OPEN_UNDER):
            state["principal"] = None
            await self._app(scope, receive, send)
            return
        refusal = await self._admit(Request(scope, receive), path)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    async def _admit(self, request: Request, path: str) -> Response | None:
        """None: come in. Else the answer."""
        is_page = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "") and not path.startswith(_API)
        try:
            token = place.token_of(request.scope) if is_page and self._settings.auth == "token" else None
            if token is not None:
                return await self._login.by_address(request, token)
            if path in PATHS:
                return await self._login.answer(request, path, await self._if_signed_in(request))
            principal = await self._principal(request)
            if principal.kind in {"session", "none"} and request.method not in _READING:
                check_origin(request.headers, self._known)
        except SignInError as error:
            return self._to_login(request, path, error) if is_page else _refusal(error, request.scope)
        except NbflowError as error:
            return _refusal(error, request.scope)
        request.scope["state"]["principal"] = principal
        request.scope["state"]["watch"] = Watch(self, request)
        return None

    def _to_login(self, request: Request, path: str, error: SignInError) -> Response:
        return see_other(f"{place.upward(path)}login?{login_query(place.here(request.scope), error)}")

    async def _if_signed_in(self, request: Request) -> Principal | None:
        """On the sign-in pages themselves a cookie that is no good any more is as good as none."""
        try:
            return await self._principal(request)
        except SignInError:
            return None

    # websocket --------------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        try:
            check_origin(connection.headers, self._known)
            principal = await self._principal(connection)
        except NbflowError:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before it was accepted: the server answers 403
            return
        scope.setdefault("state", {})["principal"] = principal
        watched = _Watched(Watch(self, connection), send)
        await self._app(scope, watched.receive_from(receive), watched.send)

    # both -------------------------------------------------------------------------------------------

    async def _principal(self, connection: HTTPConnection) -> Principal:
        """Raises a SignInError for each cause, ForeignOriginError, IdentityProviderError, StoreError."""
        headers = connection.headers
        if self._settings.auth == "none":
            check_host(headers.get("host", ""), self._settings)
        cookie = connection.cookies.get(self._authenticator.sessions.name)
        try:
            credential = bearer(headers)
        except MalformedAuthorizationError:
            if cookie is None and self._settings.auth != "none":
                raise
            credential = None  # not meant for us: such as what a proxy in front asks for
        if credential is not None:
            return await self._authenticator.bearer(credential, connection.client.host if connection.client else None)
        if self._settings.auth == "none":
            return await self._authenticator.anybody()
        if cookie is not None:
            return await self._authenticator.cookie(cookie)
        msg = "sign in first: send 'Authorization: Bearer <token or API key>', or open the server's page in a browser"
        raise NotSignedInError(msg)

    async def still_signed_in(self, connection: HTTPConnection) -> bool:
        """Whether whoever opened this connection could open it now."""
        try:
            await self._principal(connection)
        except SignInError:
            return False
        except NbflowError:  # nobody can tell at the moment; the next change asks again
            return True
        return True

    def generation(self) -> int:
        """Another number after each change of accounts."""
        return self._authenticator.roster.generation()


class Watch:
    """Whether who opened a connection that lasts could open it now. Asking costs a microsecond as long as no account has changed."""

    def __init__(self, gate: Gate, connection: HTTPConnection) -> None:
        self._gate = gate
        self._connection = connection
        self._generation = gate.generation()
        self._ended = False

    async def may_go_on(self) -> bool:
        """False from the sign-out, the revoked key or the removed user on."""
        generation = self._gate.generation()
        if generation != self._generation and not self._ended:
            self._generation = generation
            self._ended = not await self._gate.still_signed_in(self._connection)
        return not self._ended


class _Watched:
    """A websocket that ends when its session does: it looks before each message."""

    def __init__(self, watch: Watch, send: Send) -> None:
        self._watch = watch
        self._send = send
        self._closed = False

    def receive_from(self, receive: Receive) -> Receive:
        async def receive_if_signed_in() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and not await self._may_go_on():
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        return receive_if_signed_in

    async def send(self, message: Message) -> None:
        if self._closed or (message["type"] == "websocket.send" and not await self._may_go_on()):
            return  # the application hears of it when it receives next
        await self._send(message)

    async def _may_go_on(self) -> bool:
        may = await self._watch.may_go_on()
        if not may and not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": "signed out"})
        return may


def _refusal(error: NbflowError, scope: Scope) -> Response:
    answer = errors.answer_to(error, scope)
    answer.headers["Cache-Control"] = "no-store"
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="nbflow"'
    return answer
