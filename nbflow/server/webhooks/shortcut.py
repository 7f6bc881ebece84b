"""The way of webhooks past all layers of the application: they bring their own, and those layers and the router's patterns cost more than a flow.

What every request gets, they get here: an id, a place in the figures. The log is around it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nbflow.server.request_id import HEADER, note_id

if TYPE_CHECKING:
    from nbflow.server.metrics import Metrics
    from nbflow.server.webhooks.endpoint import WebhookEndpoint

_UNANSWERED = 500


class Shortcut:
    """ASGI, for what `takes` says is the endpoint's."""

    def __init__(self, endpoint: WebhookEndpoint, metrics: Metrics) -> None:
        self._endpoint = endpoint
        self._metrics = metrics
        self._route = endpoint.prefix
        self._under = endpoint.prefix + "/"

    def takes(self, scope: Any) -> bool:
        """Whether it is a request to the endpoint: whatever is below its prefix."""
        return scope["type"] == "http" and bool(scope["path"].startswith(self._under, len(scope.get("root_path", ""))))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI 3. The endpoint answers its faults itself."""
        began, status, id_ = time.perf_counter(), _UNANSWERED, note_id(scope)

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, id_)]
            await send(message)

        try:
            await self._endpoint(scope, receive, send_with_id)
        finally:
            self._metrics.count(scope["method"], self._route, status, time.perf_counter() - began)
