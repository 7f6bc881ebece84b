"""Plugins: packages that bring node types of their own."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.runtime.catalogue import registry
from nbflow.server.access import Access, require
from nbflow.server.paging import Page, whole
from nbflow.server.schemas.base import Answer

router = APIRouter(prefix="/plugins", tags=["node types"])


class PluginItem(Answer):
    """One entry point of an installed package."""

    name: str = Field(description="Of the entry point in the group `nbflow.nodes`.")
    package: str
    version: str
    types: list[str] = Field(description="The node types it brought.")
    error: str | None = Field(description="Why it could not be loaded; all others work either way.")


@router.get("", summary="List plugins")
def list_plugins(access: Annotated[Access, require(Permission.PLUGIN_READ)]) -> Page[PluginItem]:  # noqa: ARG001 -- only the right is needed
    """Installed with pip, found at the server's start."""
    return whole(
        [
            PluginItem(name=plugin.name, package=plugin.package, version=plugin.version, types=list(plugin.types), error=plugin.error)
            for plugin in registry().plugins()
        ]
    )
