"""No request has a body larger than the settings allow, whether it says so in its head or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from nbflow.server.auth.place import route_path
from nbflow.server.errors import answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: 413. Webhooks read their bodies themselves, with a limit each of their own."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._message = f"the body is larger than {most_bytes} bytes, the server's max_body_bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses at once what announces itself as too large, else as soon as it has become so."""
        if scope["type"] != "http" or route_path(scope).startswith(("/webhooks/", "/webhooks-test/")):
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > self._most_bytes:
            await answer(413, "body_too_large", self._message, headers={"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most_bytes:
                raise HTTPException(413, self._message)
            return message

        await self._app(scope, receive_counted, send)
