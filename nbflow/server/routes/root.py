"""GET /api/v1: what this is, and where to go on."""

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import RedirectResponse

from nbflow import __version__
from nbflow.server.schemas.base import Answer

router = APIRouter(tags=["server"])


class Root(Answer):
    """The entrance of the API. Links are relative to it."""

    name: str
    version: str
    links: dict[str, str] = Field(examples=[{"workflows": "./v1/workflows", "documentation": "../docs"}])


@router.get("", summary="Name, version, links")
def root() -> Root:
    """Open to everybody."""
    resources = ("workflows", "executions", "templates", "node-types", "webhooks", "credentials", "stats", "health")
    links = {name.replace("-", "_"): f"./v1/{name}" for name in resources}
    return Root(name="nbflow", version=__version__, links={**links, "documentation": "../docs", "openapi": "../openapi.json"})


@router.get("/", include_in_schema=False)
def root_with_slash() -> RedirectResponse:
    """The links are relative to the address without the slash."""
    return RedirectResponse("../v1", status_code=308)
