"""Workflows by what people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.core.errors import UnknownWorkflowError, WorkflowError
from nbflow.core.suggest import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbflow.workflows.library import Workflows
    from nbflow.workflows.workflow import Workflow

_PAGE = 200


def find(library: Workflows, wanted: str) -> Workflow:
    """By name, id, or beginning of the id. Raises UnknownWorkflowError, with the nearest names; WorkflowError when several are meant."""
    known = list(everything(library))
    found = [workflow for workflow in known if workflow.name == wanted]
    found = found or [workflow for workflow in known if wanted and str(workflow.id).startswith(wanted.lower())]
    if not found:
        raise UnknownWorkflowError(wanted, advice(wanted, [workflow.name for workflow in known]))
    if len(found) > 1:
        ids = ", ".join(str(workflow.id) for workflow in found[:3])
        message = f"{len(found)} workflows are called '{wanted}' or begin so: {ids}; give the id of one"
        raise WorkflowError(message)
    return found[0]


def everything(library: Workflows) -> Iterator[Workflow]:
    """All workflows, the newest first."""
    before = None
    while page := library.list(before=before, limit=_PAGE):
        yield from page
        before = page[-1].id
