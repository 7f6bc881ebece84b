"""The path under which a proxy shows this server, whether the proxy takes it away or passes it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """ASGI: `scope["root_path"]` is the prefix and `scope["path"]` begins with it, as ASGI wants it, for both kinds of proxies."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")
        self._raw = self._prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3."""
        if self._prefix and scope["type"] in {"http", "websocket"}:
            path = scope["path"]
            passed_on = path == self._prefix or path.startswith(f"{self._prefix}/")
            scope = {**scope, "root_path": self._prefix}
            if not passed_on:
                scope["path"] = self._prefix + path
                scope["raw_path"] = self._raw + scope.get("raw_path", path.encode())
        await self._app(scope, receive, send)
