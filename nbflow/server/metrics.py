"""What a Prometheus server scrapes: requests as they pass, and queue, workers and executions as they are when asked.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from nbflow.server.auth.place import route_path
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from nbflow.server.state import ServerState

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BASE = "/api/v1"  # routers leave out where they are included
_PREFIXES = ("/webhooks-test", "/webhooks", "/executions", "/static", "/components", "/docs")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """The figures of one server."""

    def __init__(self, state: ServerState) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("nbflow_http_requests", "Requests answered, by route.", ["method", "route", "status"], registry=self._registry)
        self.seconds = Histogram(
            "nbflow_http_request_seconds", "From the request to the end of its answer.", ["route"], buckets=_BUCKETS, registry=self._registry
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # finding one takes longer than counting
        self._registry.register(_Present(state))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request, answered."""
        key = (method if method in _METHODS else "other", route, status)
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = self.requests.labels(key[0], route, str(status)), self.seconds.labels(route)
        found[0].inc()
        found[1].observe(seconds)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4. Blocks: one query."""
        return generate_latest(self._registry)


class _Present(Collector):
    """Read when scraped."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        state, queue = self._state, self._state.executor.status()
        yield GaugeMetricFamily("nbflow_executions_running", "Executions that run now.", queue.running)
        yield GaugeMetricFamily("nbflow_executions_waiting", "Accepted executions that wait for their turn.", queue.waiting)
        yield GaugeMetricFamily("nbflow_executions_limit", "Executions that may run at the same time.", queue.limit)
        yield GaugeMetricFamily("nbflow_queue_limit", "Executions that may wait.", queue.queue_limit)
        yield GaugeMetricFamily("nbflow_workers", "Worker kernels that live.", len(queue.workers))
        yield GaugeMetricFamily("nbflow_worker_memory_bytes", "Memory of all worker kernels.", sum(worker.rss_bytes for worker in queue.workers))
        yield GaugeMetricFamily("nbflow_feed_listeners", "Callers that follow executions live.", state.feed.listeners)
        yield GaugeMetricFamily("nbflow_page_sessions", "Open pages.", state.pages.sessions)
        yield GaugeMetricFamily("nbflow_start_time_seconds", "When the server started, seconds since the epoch.", state.started_at.timestamp())
        executions = CounterMetricFamily("nbflow_executions", "Executions in the history, by state.", labels=["status"])
        for status, count in state.store.query(statements("executions.sql")["by_status"]):
            executions.add_metric([status], count)
        yield executions


class CountRequests:
    """ASGI middleware. A route counts under its pattern, not under each path it was asked for."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts when the answer is done."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._metrics.count(scope["method"], _route(scope), status, time.perf_counter() - began)


def _route(scope: Scope) -> str:
    """The pattern that the router found, such as `/api/v1/workflows/{workflow_id}`; `other` where none did."""
    path = route_path(scope)
    pattern = getattr(scope.get("route"), "path_format", None)
    if pattern is None:
        return next((prefix for prefix in _PREFIXES if path.startswith(prefix)), "other")
    return f"{_BASE}{pattern}" if path.startswith(_BASE) and not pattern.startswith(_BASE) else str(pattern)
