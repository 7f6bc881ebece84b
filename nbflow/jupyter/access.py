"""What all handlers have: who may come in, and the one shape of errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.base.handlers import APIHandler
from tornado import web

if TYPE_CHECKING:
    from nbflow.jupyter.extension import NbflowExtension

AUTH_RESOURCE = "nbflow"


def nbflow_of(handler: web.RequestHandler) -> NbflowExtension:
    """The extension that the handler belongs to."""
    return cast("NbflowExtension", handler.settings["nbflow"])


class Handler(APIHandler):
    """For programs: without a token 403 as JSON, never a redirect to a page."""

    auth_resource = AUTH_RESOURCE

    @property
    def nbflow(self) -> NbflowExtension:
        """What the handlers share."""
        return nbflow_of(self)

    def answer(self, body: Any, status: int = 200) -> None:
        """JSON, and the end of the request."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body))

    def refuse(self, status: int, code: str, message: str) -> None:
        """An error in the shape of nbflow's API."""
        self.answer({"error": {"code": code, "message": message, "details": {}}}, status)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of Jupyter and tornado in the same shape."""
        error = kwargs.get("exc_info", (None, None))[1]
        told = error.log_message if isinstance(error, web.HTTPError) and error.log_message else self._reason
        code = {403: "forbidden", 404: "not_found", 405: "method_not_allowed"}.get(status_code, "failed")
        self.refuse(status_code, code, str(told))
