"""Templates: flows to begin with. Each is a `.flow.json` in nbflow/server/templates/."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.core.flow import SUFFIX, Flow
from nbflow.server.access import Access, require
from nbflow.server.errors import ApiError, responses
from nbflow.server.paging import Page, whole
from nbflow.server.schemas.base import Answer

router = APIRouter(prefix="/templates", tags=["templates"])
Reading = Annotated[Access, require(Permission.WORKFLOW_READ)]


class TemplateItem(Answer):
    """A template in the list."""

    id: str = Field(examples=["simple-webhook"])
    name: str
    description: str
    node_types: list[str]


class TemplateDetail(TemplateItem):
    """A template with its definition, to be given to POST /workflows."""

    definition: dict[str, Any]


@router.get("", summary="List templates")
def list_templates(access: Reading) -> Page[TemplateItem]:  # noqa: ARG001 -- only the right is needed
    """Flows that pass the check and run as they are."""
    return whole([TemplateItem(**_facts(id_, flow)) for id_, flow in templates().items()])


@router.get("/{template_id}", summary="One template", responses=responses(404))
def get_template(access: Reading, template_id: Annotated[str, Path(max_length=100)]) -> TemplateDetail:  # noqa: ARG001
    """With its definition."""
    flow = templates().get(template_id)
    if flow is None:
        msg = f"there is no template '{template_id}'; there are {', '.join(templates())}"
        raise ApiError(404, "unknown_template", msg)
    return TemplateDetail(**_facts(template_id, flow), definition=flow.to_dict())


@cache
def templates() -> dict[str, Flow]:
    """All templates by id, in the order of their files' names."""
    found = (file for file in files("nbflow.server").joinpath("templates").iterdir() if file.name.endswith(SUFFIX))
    return {file.name.removesuffix(SUFFIX): Flow.from_json(file.read_bytes(), source=file.name) for file in sorted(found, key=lambda file: file.name)}


def _facts(id_: str, flow: Flow) -> dict[str, Any]:
    types = list(dict.fromkeys(node.type for node in flow.nodes))
    return {"id": id_, "name": flow.name, "description": flow.description, "node_types": types}
