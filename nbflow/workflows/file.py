"""A workflow as a file: its `.flow.json` with the module and the record's own facts. Credentials are in it by name only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbflow.core.errors import DocumentError
from nbflow.core.flow import Flow
from nbflow.core.redaction import redactor
from nbflow.workflows.module import Module

if TYPE_CHECKING:
    from nbflow.workflows.workflow import Version, Workflow

_FACTS = frozenset({"name", "description", "tags"})


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowFile:
    """What such a file holds."""

    flow: Flow
    module: Module | None
    name: str
    description: str
    tags: tuple[str, ...]


def read_file(path: str | Path) -> WorkflowFile:
    """What `nbflow workflows export` wrote, or a plain flow document. Raises DocumentError when it is missing or neither."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise DocumentError(message) from error
    try:
        document = json.loads(text)
    except ValueError:
        document = Flow.from_json(text, source=str(path))  # says where it breaks
    return from_document(document, source=str(path))


def to_document(workflow: Workflow, version: Version | None = None) -> dict[str, Any]:
    """The flow document, plus `"module"` and `"workflow": {name, description, tags}`; of another version when one is given."""
    chosen = workflow if version is None else version
    document = chosen.flow.to_dict()
    if chosen.module is not None:
        document["module"] = chosen.module.to_dict()
    document["workflow"] = {"name": workflow.name, "description": workflow.description, "tags": list(workflow.tags)}
    clean: dict[str, Any] = redactor.definition(document) if redactor.active else document
    return clean


def from_document(document: object, *, source: str = "workflow file") -> WorkflowFile:
    """Reads such a document, and plain flow documents. Raises DocumentError naming what is wrong."""
    if not isinstance(document, dict):
        _wrong(source, f"it is no JSON object but {type(document).__name__}")
    body = dict(document)
    module, facts = body.pop("module", None), body.pop("workflow", {})
    if not isinstance(facts, dict):
        _wrong(source, "'workflow' is an object with name, description and tags")
    if unknown := sorted(set(facts) - _FACTS):
        _wrong(source, f"'workflow' has an unknown field '{unknown[0]}'; it has name, description and tags")
    tags = facts.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        _wrong(source, "'workflow.tags' is a list of texts")
    flow = Flow.from_dict(body, source=source)
    return WorkflowFile(
        flow=flow,
        module=None if module is None else Module.from_dict(module, source=f"{source}, module"),
        name=_text(facts, "name", flow.name, source),
        description=_text(facts, "description", flow.description, source),
        tags=tuple(tags),
    )


def _text(facts: dict[str, Any], name: str, default: str, source: str) -> str:
    value = facts.get(name, default)
    if not isinstance(value, str):
        _wrong(source, f"'workflow.{name}' is a text")
    return value or default


def _wrong(source: str, reason: str) -> NoReturn:
    message = f"{source}: {reason}; export the workflow again"
    raise DocumentError(message)
