"""The way of webhooks past gate, limits and router: they bring their own, and the router's patterns cost more than a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbflow.server.webhooks.endpoint import WebhookEndpoint


class Shortcut:
    """ASGI middleware, put around the gate. Whatever is below the endpoint's prefix is the endpoint's."""

    def __init__(self, app: Any, *, endpoint: WebhookEndpoint) -> None:
        self._app = app
        self._endpoint = endpoint
        self._under = endpoint.prefix + "/"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI 3."""
        if scope["type"] == "http" and scope["path"].startswith(self._under, len(scope.get("root_path", ""))):
            await self._endpoint(scope, receive, send)
        else:
            await self._app(scope, receive, send)
