"""The canvas and its loaders, as files: `{base_url}nbflow/static/canvas/canvas.js?v=HASH`."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import AuthenticatedFileHandler
from tornado import web

_YEAR_S = 365 * 24 * 3600


class StaticHandler(AuthenticatedFileHandler):
    """An address that carries the content's hash (`?v=`) never changes; any other is asked for again each time."""

    auth_resource = "nbflow"

    @web.authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override]
        """Like get, without the content."""
        await web.StaticFileHandler.get(self, path, include_body=False)

    @web.authenticated
    @authorized
    async def get(self, path: str, **_: object) -> None:  # type: ignore[override]
        """A file of nbflow/static/."""
        await web.StaticFileHandler.get(self, path)

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 -- tornado's signature
        """Scripts only: nothing here may be taken for something else."""
        self.set_header("X-Content-Type-Options", "nosniff")
        lasting = f"private, max-age={_YEAR_S}, immutable" if self.get_argument("v", "") else "no-cache"
        self.set_header("Cache-Control", lasting)
