"""Shell completion: cheap answers or none. Nothing here raises, prints, or runs a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Completer = Callable[[str], list[str]]


def _quiet(find: Completer) -> Completer:
    """A shell that completes must see no error: no answer is answer enough. The parameter's name is what typer looks for."""

    def complete(incomplete: str) -> list[str]:
        try:
            return [found for found in find(incomplete) if found.startswith(incomplete)]
        except Exception:  # noqa: BLE001
            return []

    return complete


@_quiet
def targets(incomplete: str) -> list[str]:
    """Notebooks, Python files, flow documents; after the colon the flows defined there."""
    path, colon, _ = incomplete.rpartition(":")
    if colon:
        from nbflow.cli.target import flow_names

        return [f"{path}:{name}" for name in flow_names(Path(path))]
    folder = Path(incomplete).parent if incomplete and not incomplete.endswith("/") else Path(incomplete)
    found = [item for item in sorted(folder.iterdir()) if not item.name.startswith(".")]
    return [f"{item}/" if item.is_dir() else str(item) for item in found if item.is_dir() or item.name.endswith((".ipynb", ".py", ".flow.json"))]


@_quiet
def node_types(_incomplete: str) -> list[str]:
    """The catalogue."""
    from nbflow.runtime.catalogue import registry

    return list(registry().types())


@_quiet
def statuses(_incomplete: str) -> list[str]:
    """States of an execution."""
    from nbflow.core.states import ExecutionStatus

    return list(ExecutionStatus)


@_quiet
def execution_ids(_incomplete: str) -> list[str]:
    """The latest executions."""
    return [str(row[0]) for row in _ask("SELECT execution_id FROM executions ORDER BY execution_id DESC LIMIT 50")]


@_quiet
def flows(_incomplete: str) -> list[str]:
    """Flows that have run here."""
    return [str(row[0]) for row in _ask("SELECT DISTINCT flow FROM executions WHERE flow IS NOT NULL ORDER BY flow")]


@_quiet
def workflow_names(_incomplete: str) -> list[str]:
    """Workflows that were published here."""
    return [str(row[0]) for row in _ask("SELECT DISTINCT name FROM workflows ORDER BY name")]


def _ask(query: str) -> list[tuple[Any, ...]]:
    from nbflow.store.opening import open_store
    from nbflow.store.project import FOLDER, find_project

    if not (find_project() / FOLDER).is_dir():
        return []
    store = open_store()
    try:
        return store.query(query, timeout_s=2).rows
    finally:
        store.close()
