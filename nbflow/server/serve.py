"""`nbflow serve`: one process, one port, until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nbflow.core.errors import AddressError, ServerRunningError
from nbflow.server import garbage, logs
from nbflow.server.auth.token import QUERY
from nbflow.server.logs import RequestLog
from nbflow.server.prefix import Prefix
from nbflow.store.project import find_project, read_server_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from nbflow.server.settings import ServerSettings
    from nbflow.server.state import ServerState

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 -- what to type in a browser of this machine for "every network"
_ANSWERS_S = 5  # for the last answers to leave, once nothing runs any more

log = logging.getLogger("nbflow.server")


def serve(settings: ServerSettings, *, project: Path | None = None, open_browser: bool = False) -> None:
    """Runs the server until SIGTERM or SIGINT; a second one ends it at once.

    When told to stop it accepts nothing more and gives what runs `shutdown_grace_s` to end; open pages are closed with 1012 (service
    restart). Raises AddressError (port in use, no such address), ServerRunningError, StoreError; the message says what to do.
    """
    import uvicorn

    from nbflow.server.app import create_app
    from nbflow.server.protocol import GatheringProtocol

    logs.configure(settings.log_format, settings.log_level)
    with _listener(settings, project or find_project()) as listener:
        port = listener.getsockname()[1]
        app = create_app(settings.model_copy(update={"port": port}), project=project)  # the real one: cookies are named after it
        state: ServerState = app.state.nbflow
        state.executor.lock.acquire()
        failure = _StartFailure(RequestLog(Prefix(app, settings.root_path)))
        config = uvicorn.Config(
            failure,
            http=GatheringProtocol,
            loop="uvloop",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=_ANSWERS_S,
            ws_max_size=settings.max_body_bytes,
        )
        address = settings.public_url or f"http://{_host(settings.host)}:{port}{settings.root_path}"
        server = _server(config, state, lambda: _announce(state, address, open_browser=open_browser))
        try:
            server.run(sockets=[listener])
        except SystemExit:
            if failure.error is not None:
                raise failure.error from None
            raise
        finally:
            state.executor.lock.release()


def _listener(settings: ServerSettings, project: Path) -> socket.socket:
    """Raises AddressError, or ServerRunningError when it is this project's own server that has the port."""
    try:
        return listen(settings.host, settings.port)
    except AddressError:
        card = read_server_card(project)
        if card.get("url") and urlsplit(card["url"]).port == settings.port:
            raise ServerRunningError(str(project), pid=card.get("pid"), url=card["url"]) from None
        raise


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressError with what to do."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        message = (
            f"host '{host}' is no address of this machine ({error.strerror}): use 127.0.0.1 for this machine alone, 0.0.0.0 for all its networks"
        )
        raise AddressError(message) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressError(_refusal(error, host, port)) from None
    listener.setblocking(False)  # noqa: FBT003 -- the standard library's form
    return listener


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program: choose another with --port, or --port 0 for any free one"
    if error.errno == errno.EACCES:
        advice = f"choose one above 1023, and let a proxy such as nginx show it on {port} (`nbflow serve --example nginx`)"
        return f"port {port} is kept for the system: {advice}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host '{host}' is no address of this machine: use 127.0.0.1 for this machine alone, 0.0.0.0 for all its networks"
    return f"cannot listen on {host}:{port}: {error.strerror}"


def _host(host: str) -> str:
    """As it stands in an address for people on this machine."""
    shown = _ANY.get(host, host)
    return f"[{shown}]" if ":" in shown else shown


class _StartFailure:
    """ASGI: keeps the exception that ends the start, which uvicorn would only print."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.error: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def without_traceback(message: Message) -> None:
            await send({**message, "message": ""} if message["type"] == "lifespan.startup.failed" else message)

        try:
            await self._app(scope, receive, without_traceback)
        except BaseException as error:
            self.error = error
            raise


def _server(config: Any, state: ServerState, announce: Callable[[], None]) -> Any:
    """Uvicorn's server that says where it is, opens the pages after it answers, and drains before it closes connections."""
    import uvicorn

    class Server(uvicorn.Server):
        _opening: asyncio.Task[None] | None = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            logging.getLogger("uvicorn.error").disabled = True  # a failure is told as one message of ours
            await super().startup(sockets)
            logging.getLogger("uvicorn.error").disabled = False
            announce()
            self._opening = asyncio.create_task(state.pages.open(), name="nbflow-pages-open")
            self._opening.add_done_callback(lambda _: garbage.settle())

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for listening in self.servers:
                listening.close()
            state.stop()
            log.info("stopping: what runs has %g s to end", state.settings.shutdown_grace_s)
            left = await self._drained(state.settings.shutdown_grace_s)
            if left:
                log.warning("%d executions were still running and are ended", left)
                await state.executor.close()
            await super().shutdown(sockets)
            log.info("stopped")

        async def _drained(self, grace_s: float) -> int:
            """How many still run; waits no longer when a second signal came."""
            draining = asyncio.create_task(state.executor.drain(grace_s))
            while not draining.done() and not self.force_exit:
                await asyncio.wait([draining], timeout=0.1)
            if draining.done():
                return draining.result()
            draining.cancel()
            return state.executor.status().running

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- uvicorn's signature
            self.force_exit = self.should_exit  # stopping on request is no failure: uvicorn would raise the signal again afterwards
            self.should_exit = True

    return Server(config)


def _announce(state: ServerState, address: str, *, open_browser: bool) -> None:
    """Tells people where the server is, with the token that they could not know otherwise; never through the log."""
    settings = state.settings
    state.executor.lock.announce(address)
    new = settings.auth == "token" and settings.token_is_new
    entry = f"{address}/?{QUERY}={settings.token.get_secret_value()}" if new else f"{address}/"
    how = {
        "token": "This address signs you in. Programs send `Authorization: Bearer TOKEN`." if new else "Sign in with the token that you have set.",
        "oidc": f"Sign in with {settings.oidc.issuer}.",
        "none": "Without sign-in, for this machine only.",
    }
    lines = ["", f"nbflow serves {state.project}", "", f"    {entry}", "", f"{how[settings.auth]} Ctrl-C stops the server.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    log.info("serving at %s", address)
    if open_browser:
        import webbrowser

        secret = f"?{QUERY}={settings.token.get_secret_value()}" if settings.auth == "token" else ""
        webbrowser.open(f"{address}/{secret}")
