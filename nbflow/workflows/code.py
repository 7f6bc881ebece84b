"""A flow as Python, with the sources of its functions looked up where they were written."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.authoring.code import to_python
from nbflow.core.errors import DocumentError, PublishError
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.workflows.collect import Source, collect, own_source
from nbflow.workflows.loading import PREFIX

if TYPE_CHECKING:
    from nbflow.authoring.trace import Definition
    from nbflow.core.flow import Flow
    from nbflow.workflows.module import Module

_MAIN = "__main__:"
_HEAD = "# What the flow "


def code_of(definition: Definition, source: Source | None = None) -> str:
    """`source`: where functions of `__main__` were written; this kernel's cells or this script unless given. Raises DefinitionError."""
    return to_python(definition.flow, _sources(definition, source), catalogue=FunctionCatalogue(definition.functions))


def code_of_module(flow: Flow, module: Module | None) -> str:
    """Of a stored or exported flow. Its code is read, not executed. Raises DefinitionError."""
    declared = {} if module is None else module.declarations()
    entry = "" if module is None else _without_head(module.files[module.entry])
    return to_python(flow, dict.fromkeys(declared, entry), catalogue=FunctionCatalogue(declared))


def _sources(definition: Definition, source: Source | None) -> dict[str, str]:
    """With what the functions need, where that can be found; else the functions alone."""
    functions = {name: declared.function for name, declared in definition.functions.items() if name.startswith(_MAIN)}
    loaded = {function.__module__ for function in functions.values() if function.__module__.startswith(PREFIX)}
    files = {_file(module) for module in loaded} - {None}
    if files:
        text = "\n\n".join(_without_head(path.read_text("utf-8")) for path in files if path)
        return dict.fromkeys(functions, text)
    if not functions:
        return {}
    try:
        collected = collect(definition, source or own_source(), Path.cwd())
    except (PublishError, DocumentError, OSError):
        collected = None  # what cannot stand alone can be read all the same
    if collected is not None:
        return dict.fromkeys(functions, _without_head(collected.module.files[collected.module.entry]))
    found = {}
    for name, function in functions.items():
        try:
            found[name] = inspect.getsource(function)
        except (OSError, TypeError):
            continue
    return found


def _file(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if file and Path(file).exists() else None


def _without_head(entry: str) -> str:
    """Without the comment that `collect` writes above."""
    return entry.partition("\n")[2].lstrip("\n") if entry.startswith(_HEAD) else entry
