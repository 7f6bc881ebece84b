"""Every request has an id: the caller's `X-Request-Id` or a new one, in the answer's header, the log and the text of a 500."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

from nbflow.core.ids import new_text_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"
_GOOD = re.compile(rb"[A-Za-z0-9._:-]{1,64}")  # what may stand in a log line

current_request_id: ContextVar[str] = ContextVar("nbflow_request_id", default="")


class RequestId:
    """ASGI middleware: puts the id into `scope["state"]["request_id"]`, `current_request_id` and the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        id_ = note_id(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, id_)]}
            await send(message)

        await self._app(scope, receive, send_with_id)


def note_id(scope: Scope) -> bytes:
    """The request's id, put where the log and the answers look for it."""
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    id_ = given if given and _GOOD.fullmatch(given) else new_text_id().encode()
    text = id_.decode()
    scope.setdefault("state", {})["request_id"] = text
    current_request_id.set(text)
    return id_
