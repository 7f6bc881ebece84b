"""The OpenAPI document and the page that shows it, both without anything from the internet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastapi_offline
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from nbflow import __version__
from nbflow.server.auth.place import route_path
from nbflow.server.errors import answer_to, responses

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import HTTPConnection
    from starlette.responses import HTMLResponse, JSONResponse

DOCUMENT = "/openapi.json"
PAGE = "/docs"
_ASSETS = "/docs-assets"
_OPEN = frozenset({("/api/v1", "get"), ("/api/v1/health", "get"), ("/health", "get"), ("/api/v1/auth/sync", "post")})
_ALWAYS = (401, 403, 422, 503)  # what any route behind the gate may answer
_ERROR = 400
_WITH_BODY = (400, 413, 415, 503)

OPTIONS: dict[str, Any] = {
    "openapi_url": None,  # ours are below
    "docs_url": None,
    "redoc_url": None,
    "redirect_slashes": False,  # FastAPI's redirects are absolute, and lead out of a proxy
    "generate_unique_id_function": lambda route: route.name,  # operations are called as their functions
}
"""What the application is made with."""

DESCRIPTION = """Runs and keeps workflows, and answers webhooks.

- **Sign in** with `Authorization: Bearer <the server's token, an API key (nbf_...), or a token of the identity provider>`; pages use a cookie.
- **Errors** are `{"error": {"code", "message", "details"}}`: `code` is for programs, `message` says what to do.
- **Lists** come in pages: give `next_cursor` as `cursor` until it is null.
- **Times** are UTC and end in `Z`; durations are milliseconds.
- **What belongs to another organization** is answered 404, as if it were not there.
- Every answer has an `X-Request-Id`.
"""


def install(app: FastAPI) -> None:
    """Gives the application its document and its page."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=f".{DOCUMENT}",  # relative: the page also works behind a proxy that adds a path
            title="nbflow API",
            swagger_js_url=f".{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f".{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f".{_ASSETS}/favicon.png",
            swagger_ui_parameters={"validatorUrl": None, "docExpansion": "list", "defaultModelsExpandDepth": 0, "displayRequestDuration": True},
        )

    def not_allowed(connection: HTTPConnection, error: Exception) -> JSONResponse:
        path = route_path(connection.scope)
        fitting = sorted((pattern for pattern in document()["paths"] if _fits(pattern, path)), key=lambda pattern: pattern.count("{"))
        methods = sorted(map(str.upper, document()["paths"][fitting[0]])) if fitting else []
        if methods and isinstance(error, HTTPException):  # the router knows only the first route of the path
            error = HTTPException(405, headers={"Allow": ", ".join(methods)})
        return answer_to(error, connection.scope)

    app.add_exception_handler(405, not_allowed)
    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way
    app.add_api_route(PAGE, docs, include_in_schema=False)
    app.add_api_route(DOCUMENT, document, include_in_schema=False)
    app.mount(_ASSETS, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"), name="docs-assets")


def _fits(pattern: str, path: str) -> bool:
    """Whether `/workflows/{workflow_id}` is the pattern of this path."""
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(one == other or (one.startswith("{") and other) for one, other in zip(wanted, given, strict=True))


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="nbflow", version=__version__, description=DESCRIPTION, routes=app.routes, servers=[{"url": ".", "description": "this server"}]
    )
    found["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The server's token, an API key, or a token of the identity provider."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "nbflow-8520",
            "description": "Set by the sign-in page; named after the port.",
        },
    }
    found["security"] = [{"bearer": []}, {"session": []}]
    for path, item in found["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation)
    return found


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """What holds for all operations alike is said here, not at each."""
    is_open = (path, method) in _OPEN
    if is_open:
        operation["security"] = []
    statuses = {422} if is_open else set(_ALWAYS)
    if "requestBody" in operation:
        statuses.update(_WITH_BODY)
    for status, declared in responses(*statuses).items():
        operation["responses"].setdefault(str(status), {"description": declared["description"]})
    for status, answer in operation["responses"].items():
        if int(status) >= _ERROR and "Health" not in str(answer):  # FastAPI has put its own 422 there, and the route's media type for the others
            answer["description"] = responses(int(status))[int(status)]["description"]
            answer["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    operation["responses"] = dict(sorted(operation["responses"].items()))
    for answer in operation["responses"].values():
        answer.setdefault("headers", {})["X-Request-Id"] = {"description": "Under this id the server's log tells more.", "schema": {"type": "string"}}
