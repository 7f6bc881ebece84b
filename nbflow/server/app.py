"""The server's application: gate, API, webhooks and pages put together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from nbflow import __version__
from nbflow.server import errors, openapi
from nbflow.server.body_limit import BodyLimit
from nbflow.server.faults import Faults
from nbflow.server.gate import Gate
from nbflow.server.metrics import CountRequests
from nbflow.server.request_id import RequestId
from nbflow.server.state import assemble
from nbflow.server.webhooks.shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from nbflow.server.settings import ServerSettings
    from nbflow.server.state import ServerState

BASE = "/api/v1"
RESOURCES = (  # modules of routes/, in the order of the documentation
    "workflows",
    "versions",
    "workflow_files",
    "execute",
    "executions",
    "events",
    "webhooks",
    "templates",
    "node_types",
    "plugins",
    "credentials",
    "auth",
    "api_keys",
    "organizations",
    "workspaces",
    "audit_logs",
    "stats",
    "metrics",
    "health",
    "root",
)


class _Application(FastAPI):
    shortcut: Shortcut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.shortcut if self.shortcut.takes(scope) else super().__call__)(scope, receive, send)


def create_app(settings: ServerSettings, *, project: Path | None = None) -> FastAPI:
    """An ASGI application for one project (default: `find_project()`). Its parts are on `app.state.nbflow` (`ServerState`).

    Nothing starts before its lifespan does. Raises StoreReadOnlyError when the project's folder refuses writing.
    """
    server = assemble(settings, project)
    app = _Application(title="nbflow", version=__version__, lifespan=_lifespan, **openapi.OPTIONS)
    app.state.nbflow = server
    app.shortcut = Shortcut(server.webhooks, server.metrics)
    errors.install(app)
    app.add_middleware(BodyLimit, most_bytes=settings.max_body_bytes)  # the innermost first
    app.add_middleware(Gate, authenticator=server.authenticator)
    app.add_middleware(CountRequests, metrics=server.metrics)
    app.add_middleware(Faults)
    app.add_middleware(RequestId)
    app.include_router(api())
    for name in ("health", "metrics"):  # where probes and scrapers look for them
        app.include_router(import_module(f"nbflow.server.routes.{name}").router, include_in_schema=False)
    openapi.install(app)
    app.router.routes.append(Route("/webhooks-test/{path:path}", endpoint=server.trials))
    server.pages.install(app)
    return app


def api() -> APIRouter:
    """All routes of the API."""
    router = APIRouter()
    for name in RESOURCES:
        module = import_module(f"nbflow.server.routes.{name}")
        for value in vars(module).values():
            if isinstance(value, APIRouter):
                router.include_router(value, prefix=BASE)
    return router


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    server: ServerState = app.state.nbflow
    server.store.warm()
    await server.executor.start()
    try:
        await asyncio.to_thread(lambda: server.home)
        await server.webhooks.start()
        await server.idempotency.load()
        yield
    finally:
        server.stop()
        await server.feed.close()
        await server.executor.drain(server.settings.shutdown_grace_s)
        await server.webhooks.close()
        await server.pages.close()
        await server.executor.close()
        await asyncio.to_thread(server.runtime.close)
