"""POST nbflow/api/v1/executions/{id}/cancel: here if it runs here, else at the project's server."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbflow.jupyter.proxy import ApiHandler

_PATIENCE_S = 10.0


class CancelHandler(ApiHandler):
    """The server that answers the rest of the API cannot reach into this process."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        """Stops it and answers when it has ended."""
        execution = self.nbflow.runtime.running(execution_id)
        if execution is None:
            await self.forward(f"v1/executions/{execution_id}/cancel")
            return
        execution.cancel()
        await asyncio.wait([asyncio.ensure_future(execution.recorded())], timeout=_PATIENCE_S)
        self.answer({"execution_id": execution.id, "status": str(execution.status)})
