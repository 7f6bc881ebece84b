"""Cells run in this process as a kernel runs them, one after the other, in `__main__`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbflow.workflows.collect import Source, collect
from nbflow.workflows.notebook import read_cell

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from nbflow.authoring.trace import Definition
    from nbflow.workflows.collect import Collected

HEAD = "from nbflow import flow, node"
CLEAN = "@node\ndef clean(value: int) -> int:\n    return value + LIMIT"
DAILY = "@flow\ndef daily(value: int):\n    return clean(value)"


def run(main: ModuleType, *sources: str, folder: Path, skip: tuple[int, ...] = ()) -> Source:
    """What a kernel that ran these cells knows. Cells in `skip` ran, but are not in its history."""
    cells = []
    for number, source in enumerate(sources, 1):
        cell = read_cell(f"Cell In[{number}]", source)
        exec(compile(source, cell.name, "exec"), vars(main))
        if number not in skip:
            cells.append(cell)
    return Source(folder=folder, cells=cells, kernel=vars(main))


def definition(main: ModuleType, name: str = "daily") -> Definition:
    found: Any = vars(main)[name]
    return found.definition()


def collected(main: ModuleType, *sources: str, folder: Path, name: str = "daily", **options: Any) -> Collected:
    source = run(main, *sources, folder=folder, **options)
    found = collect(definition(main, name), source, folder)
    assert found is not None
    return found
