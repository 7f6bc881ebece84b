"""GET nbflow/server: where the project is and where its server listens, for addresses that people copy."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from nbflow.jupyter.access import Handler
from nbflow.jupyter.project_server import NotServedError


class PlaceHandler(Handler):
    """Starts the server where there is none: an address that nobody answers on is none."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """`{"project", "url"}`; 502 as the API."""
        try:
            address = await self.nbflow.server.address()
        except NotServedError as error:
            self.refuse(502, "no_server", str(error))
            return
        self.answer({"project": str(self.nbflow.server.project), "url": address.url})
