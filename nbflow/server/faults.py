"""What nobody foresaw: logged once with the request's id, answered 500 without a word about the inside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nbflow.server.errors import unexpected

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("nbflow.server")


class Faults:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers in place of an application that failed before it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_and_see(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        except Exception:
            log.exception("%s %s failed, request id %s", scope["method"], scope["path"], scope["state"]["request_id"])
            if begun:
                raise  # the connection is cut, which is all that can be told now
            await unexpected(scope)(scope, receive, send)
