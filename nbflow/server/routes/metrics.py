"""GET /metrics: figures for Prometheus."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from nbflow.accounts.rights import Permission
from nbflow.server.access import Access, require
from nbflow.server.state import State

router = APIRouter(tags=["server"])


class Exposition(PlainTextResponse):
    """As in https://prometheus.io/docs/instrumenting/exposition_formats/."""

    media_type = "text/plain; version=0.0.4"


@router.get("/metrics", summary="Figures for Prometheus", response_class=Exposition)
def metrics(server: State, access: Annotated[Access, require(Permission.METRICS_READ)]) -> Exposition:  # noqa: ARG001 -- only the right is needed
    """Of the whole server. The scraper signs in by an API key: `authorization: {credentials: nbf_...}` in its configuration."""
    return Exposition(server.metrics.text())
