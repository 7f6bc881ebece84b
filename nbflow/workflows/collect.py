"""From functions in a kernel, a notebook's file or a script to a module that stands alone."""

from __future__ import annotations

import ast
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.authoring.function import FunctionNode
from nbflow.authoring.trace import Defined
from nbflow.core.errors import DefinitionError, PublishError
from nbflow.core.node import PYTHON_FUNCTION
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.workflows.local_modules import local_files
from nbflow.workflows.module import Module, ports_of
from nbflow.workflows.needs import Statement, defined_flows, needed, statements
from nbflow.workflows.notebook import Cell, read_cell, read_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbflow.authoring.trace import Definition
    from nbflow.core.node import NodeType

ENTRY = "published.py"
_MAIN = "__main__"
_LINE_ENDS = re.compile("\r\n|\r|\n")  # what Python counts as lines; str.splitlines counts form feeds too


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the functions of `__main__` were written."""

    folder: Path  # where relative paths start
    cells: Sequence[Cell] = ()
    kernel: Mapping[str, Any] = field(default_factory=dict)  # names that a kernel knows


def kernel_source() -> Source | None:
    """The cells that this kernel has run, in that order; None in a program that is no kernel."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return None
    history = enumerate(shell.history_manager.input_hist_raw)
    cells = [read_cell(f"Cell In[{number}]", text) for number, text in history if text.strip()]
    return Source(folder=Path(shell.starting_dir), cells=cells, kernel=shell.user_ns)


def notebook_source(path: Path) -> Source:
    """The cells of a notebook's file, from top to bottom. Raises DocumentError."""
    return Source(folder=path.resolve().parent, cells=read_cells(path))


def script_source(path: Path) -> Source:
    """A Python file that runs as a program; its relative paths start where it was started."""
    return Source(folder=Path.cwd(), cells=[read_cell(path.name, path.read_text("utf-8"))])


def own_source() -> Source:
    """Of the program that is running: a kernel's cells, or the script."""
    source = kernel_source()
    if source is None and (file := getattr(sys.modules.get(_MAIN), "__file__", None)):
        source = script_source(Path(file))
    return source or Source(folder=Path.cwd())


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A module, and where its entry was written. The places are not in the module: cells are numbered anew in each kernel."""

    module: Module
    functions: Mapping[str, NodeType]  # by name in the document, those of this process
    entry: tuple[tuple[int, Statement], ...]  # the line on which each statement begins

    def written_at(self, line: int) -> str | None:
        """Where the user wrote what stands on this line of the entry: `Cell In[3], line 7`."""
        above = [(first, statement) for first, statement in self.entry if first <= line]
        if not above:
            return None
        first, statement = above[-1]
        return f"{statement.cell}, line {_first_line(statement) + line - first}"


def collect(definition: Definition, source: Source, project: Path) -> Collected | None:
    """The module of the flow's functions; None when it has none. Nothing is run.

    Raises PublishError, with the place and what to do, for a function without a name of its own at the top level, and for
    what exists only as state of the kernel.
    """
    declared = _declared(definition)
    if not declared:
        return None
    namespace = vars(sys.modules[_MAIN]) if _MAIN in sys.modules else {}
    functions = {name: _path_of(name, one, namespace) if name in definition.functions else name for name, one in declared.items()}
    chosen = _chosen({path.partition(".")[0] for path in functions.values() if ":" not in path}, source, namespace)
    entry, lines = _written(definition.flow.name, chosen, {cell.name: cell.source for cell in source.cells})
    modules = {path.partition(":")[0] for path in functions.values() if ":" in path}
    module = Module(
        files={**local_files(entry, modules), ENTRY: entry},
        entry=ENTRY,
        folder=Path(os.path.relpath(source.folder, project.resolve())).as_posix(),
        functions=functions,
        ports={name: ports_of(one) for name, one in declared.items()},
    )
    return Collected(module=module, functions=declared, entry=tuple(zip(lines, chosen, strict=True)))


def _declared(definition: Definition) -> dict[str, NodeType]:
    """The functions that the definition brought, and those that a document names (`package.module:name`). Raises PublishError."""
    catalogue = FunctionCatalogue(definition.functions)
    try:
        return {str(node.config["function"]): catalogue.resolve(node) for node in definition.flow.nodes if node.type == PYTHON_FUNCTION}
    except DefinitionError as error:
        raise PublishError(str(error)) from None


# Functions --------------------------------------------------------------------------------------


def _path_of(name: str, declared: NodeType, namespace: Mapping[str, Any]) -> str:
    """How the entry gets at a function: its name there, or `module:name`. Raises PublishError."""
    function = declared.function
    home, path = str(function.__module__), str(function.__qualname__)
    if "<lambda>" in path:
        message = f"{_place(function)}: the node is a lambda, which has no name to find it by in a published flow; write it as `@node` above a `def`"
        raise PublishError(message)
    if "<locals>" in path:
        outer, inner = path.split(".<locals>.", 1)
        message = (
            f"{_place(function)}: the function '{inner.rpartition('.')[2]}' is made inside the function '{outer}', so nobody else can get at it; "
            "define it at the top level of a cell, and give it what it needs as arguments (a decorator of your own needs functools.wraps)"
        )
        raise PublishError(message)
    within = namespace if home == _MAIN else vars(sys.modules[home]) if home in sys.modules else {}
    found = path if _is(_part(within, path), declared) else next((known for known, value in within.items() if _is(value, declared)), None)
    if found is None:
        message = (
            f"{_place(function)}: the node '{name.rpartition(':')[2]}' is not the value of a variable of {home}, so a published flow cannot find it; "
            "write it as `@node` above a `def` at the top level, or assign it to a name there"
        )
        raise PublishError(message)
    return found if home == _MAIN else f"{home}:{found}"


def _part(within: Mapping[str, Any], path: str) -> Any:
    first, *rest = path.split(".")
    found = within.get(first)
    for name in rest:
        found = getattr(found, name, None)
    return found


def _is(value: Any, declared: NodeType) -> bool:
    return isinstance(value, FunctionNode) and value.node_type is declared


def _place(function: Any) -> str:
    from nbflow.display.place import place_of

    code = getattr(function, "__code__", None)
    return f"{place_of(code.co_filename)}, line {code.co_firstlineno}" if code is not None else str(function)


# Statements -------------------------------------------------------------------------------------


def _chosen(roots: set[str], source: Source, namespace: Mapping[str, Any]) -> list[Statement]:
    """The statements that these names need, imports from `__future__` first."""
    if not roots:
        return []
    all_ = statements(source.cells)
    flows = set(defined_flows(all_)) | _flows(namespace)
    _refuse_nameless(roots, all_, source)
    try:
        chosen = needed(all_, roots, flows, kernel=source.kernel)
    except DefinitionError as error:
        raise PublishError(str(error)) from None
    return sorted(chosen, key=lambda statement: not (isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__"))


def _flows(namespace: Mapping[str, Any]) -> set[str]:
    return {name for name, value in namespace.items() if isinstance(value, Defined)}


def _refuse_nameless(roots: set[str], all_: Sequence[Statement], source: Source) -> None:
    bound = {name for statement in all_ for name in statement.binds}
    for name in sorted(roots - bound):
        state = "it exists only as state of this kernel" if name in source.kernel else "it came into being some other way"
        message = f"the function '{name}' is defined by no cell that can be read: {state}; run the cell that defines it again, then publish"
        raise PublishError(message)


def _written(flow: str, chosen: Sequence[Statement], texts: Mapping[str, str]) -> tuple[str, list[int]]:
    """The statements as one file, and the line on which each begins."""
    entry, lines, above = f"# What the flow {flow!r} needs, as nbflow published it.\n", [], True
    for statement in chosen:
        entry += "\n\n" if above or statement.is_definition else ""
        above = statement.is_definition
        lines.append(entry.count("\n") + 1)
        entry += source_of(statement, texts[statement.cell]) + "\n"
    return entry, lines


def source_of(statement: Statement, text: str) -> str:
    """A statement as it was written, decorators and comments inside it included."""
    node = statement.node
    start, end = _first_line(statement), node.end_lineno or node.lineno
    kept = [line.encode() for line in _LINE_ENDS.split(text)[start - 1 : end]]
    kept[-1] = kept[-1][: node.end_col_offset]
    if start == node.lineno:  # several statements may share a line
        kept[0] = kept[0][node.col_offset :]
    return b"\n".join(kept).decode()


def _first_line(statement: Statement) -> int:
    """With its decorators."""
    decorators: list[ast.expr] = getattr(statement.node, "decorator_list", [])
    return min([statement.node.lineno, *(item.lineno for item in decorators)])
