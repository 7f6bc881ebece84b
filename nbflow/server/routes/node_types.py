"""Node types: what a flow can be made of, each with the schema of its config."""

import inspect
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from nbflow.accounts.rights import Permission
from nbflow.core.errors import UnknownNodeTypeError
from nbflow.core.node import NodeType
from nbflow.runtime.catalogue import registry
from nbflow.server.access import Access, require
from nbflow.server.errors import ApiError, responses
from nbflow.server.paging import Page, whole
from nbflow.server.schemas.base import Answer

router = APIRouter(prefix="/node-types", tags=["node types"])
Reading = Annotated[Access, require(Permission.WORKFLOW_READ)]


class InputPort(Answer):
    """Where values come in."""

    name: str
    required: bool
    many: bool = Field(description="Whether it takes more than one edge.")


class NodeTypeItem(Answer):
    """A node type in the list."""

    type: str = Field(examples=["action.http"])
    group: str = Field(examples=["action"])
    summary: str
    trigger: bool = Field(description="Whether it can start a flow.")
    container: bool = Field(description="Whether nodes can lie in it: a loop.")


class NodeTypeDetail(NodeTypeItem):
    """A node type with its ports and its config."""

    doc: str = Field(description="All of its documentation.")
    inputs: list[InputPort]
    outputs: list[str] = Field(description="With an empty config, where they depend on it.")
    outputs_depend_on_config: bool
    config_schema: dict[str, Any] = Field(description="JSON Schema of a node's `config`.")


@router.get("", summary="List node types")
def list_node_types(
    access: Reading,  # noqa: ARG001 -- only the right is needed
    group: Annotated[str | None, Query(max_length=50, description="Only of this group, such as `action`.")] = None,
) -> Page[NodeTypeItem]:
    """All that are installed, in the palette's order."""
    declared = (registry().get(name) for name in registry().types())
    return whole([NodeTypeItem(**_facts(item)) for item in declared if group in {None, item.group}])


@router.get("/{type}", summary="One node type", responses=responses(404))
def get_node_type(access: Reading, type: Annotated[str, Path(max_length=100)]) -> NodeTypeDetail:  # noqa: A002, ARG001 -- the document's word
    """With its ports and the schema of its config."""
    try:
        declared = registry().get(type)
    except UnknownNodeTypeError as error:
        raise ApiError(404, "unknown_node_type", str(error), details={"suggestions": list(error.suggestions)}) from None
    return NodeTypeDetail(
        **_facts(declared),
        doc=inspect.getdoc(declared.function) or "",
        inputs=[InputPort(name=port.name, required=port.required, many=port.many) for port in declared.inputs],
        outputs=list(_outputs(declared)),
        outputs_depend_on_config=callable(declared.outputs),
        config_schema=declared.config.model_json_schema() if declared.config else {},
    )


def _facts(declared: NodeType) -> dict[str, Any]:
    return {name: getattr(declared, name) for name in NodeTypeItem.model_fields}


def _outputs(declared: NodeType) -> tuple[str, ...]:
    try:
        return declared.outputs_of({})
    except Exception:  # noqa: BLE001 -- a plugin's rule may need more than an empty config
        return ()
