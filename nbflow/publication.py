"""`nf.published()` and `nf.workflow(name)`: what was published, from a notebook."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from nbflow.core.flow import Flow
    from nbflow.workflows.difference import Difference
    from nbflow.workflows.library import Workflows
    from nbflow.workflows.workflow import Workflow


def published() -> pd.DataFrame:
    """The project's published workflows, the newest first, one row each."""
    import pandas as pd

    from nbflow.workflows.finding import everything
    from nbflow.workflows.publish import triggers_of

    found = list(everything(_library()))
    columns = {
        "name": [one.name for one in found],
        "version": [one.version for one in found],
        "active": [one.active for one in found],
        "started_by": [", ".join(triggers_of(one)) for one in found],
        "tags": [", ".join(one.tags) for one in found],
        "changed_at": pd.Series([one.updated_at.replace(tzinfo=None) for one in found], dtype="datetime64[us]"),
        "id": [str(one.id) for one in found],
    }
    return pd.DataFrame(columns)


def workflow(name: str) -> PublishedWorkflow:
    """One of them, by its name, its id, or the beginning of its id. Raises UnknownWorkflowError."""
    from nbflow.workflows.finding import find

    return PublishedWorkflow(find(_library(), name))


class PublishedWorkflow:
    """A published workflow as it was when it was looked up; what is done to it here shows at once."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    @property
    def name(self) -> str:
        """Its name."""
        return self._workflow.name

    @property
    def id(self) -> str:
        """Its id, which stays when it is renamed."""
        return str(self._workflow.id)

    @property
    def version(self) -> int:
        """Number of the version that runs now; they count from 1."""
        return self._workflow.version

    @property
    def active(self) -> bool:
        """Whether its triggers start it. It can be run by hand either way."""
        return self._workflow.active

    @property
    def document(self) -> Flow:
        """The flow's document."""
        return self._workflow.flow

    @property
    def code(self) -> dict[str, str]:
        """Source by file name: what travels with the flow. Empty for flows of catalogue nodes alone."""
        return dict(self._workflow.module.files) if self._workflow.module else {}

    def versions(self) -> pd.DataFrame:
        """All versions, the newest first, one row each."""
        import pandas as pd

        found = _library().versions(self._workflow.id)
        columns = {
            "version": [one.version for one in found],
            "made_at": pd.Series([one.created_at.replace(tzinfo=None) for one in found], dtype="datetime64[us]"),
            "comment": [one.comment for one in found],
            "nodes": [len(one.flow.nodes) for one in found],
            "definition": [one.flow_hash[:12] for one in found],
        }
        return pd.DataFrame(columns)

    def diff(self, before: int | None = None, after: int | None = None) -> Difference:
        """What changed between two versions: by default from the one before `after` to `after`, and `after` is the newest.

        Raises UnknownVersionError.
        """
        from nbflow.workflows.difference import between

        return between(_library(), self._workflow, before, after)

    def restore(self, version: int) -> PublishedWorkflow:
        """Makes a new version with the content of an old one; none is ever lost. Raises UnknownVersionError, WebhookClashError."""
        return self._changed(lambda library: library.restore(self._workflow.id, version))

    def activate(self) -> PublishedWorkflow:
        """Lets its triggers start it. Raises WebhookClashError when another workflow has its path."""
        return self._changed(lambda library: library.activate(self._workflow.id))

    def deactivate(self) -> PublishedWorkflow:
        """Its triggers start it no more."""
        return self._changed(lambda library: library.deactivate(self._workflow.id))

    def duplicate(self) -> PublishedWorkflow:
        """A copy, not active, named `NAME (Copy)`."""
        return PublishedWorkflow(_library().duplicate(self._workflow.id))

    def delete(self) -> None:
        """Deletes it with its versions and the history of its executions."""
        _library().delete(self._workflow.id)

    def export(self, path: str | Path) -> Path:
        """Writes one `.flow.json` with document, code, name and tags; credentials are in it by name only. `nbflow workflows import` reads it."""
        from nbflow.workflows.file import to_document

        target = Path(path)
        target.write_text(json.dumps(to_document(self._workflow), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return target

    def _changed(self, change: Callable[[Workflows], Workflow]) -> PublishedWorkflow:
        self._workflow = change(_library())
        return self

    def _triggers(self) -> tuple[str, ...]:
        from nbflow.runtime.runtime import runtime
        from nbflow.store.project import read_server_card
        from nbflow.workflows.publish import triggers_of

        return triggers_of(self._workflow, read_server_card(runtime().project).get("url"))

    def __repr__(self) -> str:
        head = f"workflow '{self.name}', version {self.version}, {'active' if self.active else 'not active'}"
        return "\n".join([head, *(f"  {trigger}" for trigger in self._triggers())])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        from nbflow.display.flow import flow_bundle

        state, colour = ("active", "#2da44e") if self.active else ("not active", "#8b93a1")
        triggers = "".join(f"<div><code>{escape(trigger)}</code></div>" for trigger in self._triggers())
        head = f'<div><span style="color:{colour}">●</span> <b>{escape(self.name)}</b> version {self.version}, {state}</div>{triggers}'
        drawn = flow_bundle(self.document, [])
        return {"text/plain": repr(self), "text/html": f"{head}{drawn.get('text/html', '')}"}


def _library() -> Workflows:
    from nbflow.runtime.runtime import runtime
    from nbflow.workflows.library import Workflows

    return Workflows(runtime().store)
