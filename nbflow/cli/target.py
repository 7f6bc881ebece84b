"""`notebook.ipynb:flow`, `file.py:flow`, `package.module:flow`, `x.flow.json`: from the command line's TARGET to flows that can run."""

from __future__ import annotations
import __future__

import ast
import asyncio
import functools
import importlib
import importlib.util
import inspect
import operator
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from nbflow.cli.failure import UsageError
from nbflow.core.errors import CheckError, DefinitionError, DocumentError, NbflowError
from nbflow.core.suggest import advice, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbflow.define import DefinedFlow
    from nbflow.workflows.needs import Statement

T = TypeVar("T")
_FUTURE: int = functools.reduce(operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))


def load_one(target: str) -> DefinedFlow:
    """The flow that the target names; without a name, the only one there. Raises UsageError, DefinitionError, DocumentError."""
    found = load_all(target)
    if len(found) != 1:
        message = f"{target} defines {len(found)} flows: {listed(flow.name for flow in found)}; say which: {target}:{found[0].name}"
        raise UsageError(message)
    return found[0]


def load_all(target: str) -> list[DefinedFlow]:
    """The flow that the target names; without a name, all there are (at least one)."""
    source, name = _split(target)
    if source.endswith(".json"):
        from nbflow.define import load

        _existing(source)
        return [load(source)]
    if source.endswith(".ipynb"):
        return _from_notebook(_existing(source), name)
    return _among(source, name, _flows_in(vars(_module(source))))


def guarded(work: Callable[[], T], place: str) -> T:
    """What `work` gives. Errors of the user's own code in it become a DefinitionError that names the place and shows their lines."""
    from nbflow.display.error import user_traceback

    try:
        return work()
    except (CheckError, DocumentError):
        raise  # they say where
    except NbflowError as error:
        message = f"{place}: {error}"
        raise DefinitionError(message) from error
    except SystemExit as error:
        message = f"{place}: it ended the program with sys.exit({error.code!r})"
        raise DefinitionError(message) from error
    except Exception as error:
        message = f"{place} failed:\n{user_traceback(error)}"
        raise DefinitionError(message) from error


def flow_names(source: Path) -> list[str]:
    """Flows that can be seen in a notebook or Python file without running it."""
    from nbflow.workflows.needs import Statement, defined_flows, statements
    from nbflow.workflows.notebook import read_cells

    if source.suffix == ".ipynb":
        return list(defined_flows(statements(read_cells(source))))
    return list(defined_flows([Statement(source.name, node) for node in ast.parse(source.read_text("utf-8")).body]))


def _split(target: str) -> tuple[str, str | None]:
    source, colon, name = target.rpartition(":")
    if not colon or Path(target).exists():
        return target, None
    if not name:
        message = f"{target}: give the flow's name after the colon, or leave the colon away"
        raise UsageError(message)
    return source, name


def _existing(source: str) -> Path:
    path = Path(source)
    if path.is_dir():
        message = f"{source} is a folder; give a notebook, a Python file or a .flow.json in it"
        raise UsageError(message)
    if not path.exists():
        folder = path.parent if path.parent.is_dir() else Path()
        near = advice(path.name, sorted(item.name for item in folder.iterdir() if item.suffix == path.suffix))
        message = f"there is no file {source}{near}"
        raise UsageError(message)
    return path


def _among(source: str, name: str | None, flows: dict[str, DefinedFlow]) -> list[DefinedFlow]:
    if name is None:
        if not flows:
            message = f"{source} defines no flow; a flow is a function decorated with @flow"
            raise UsageError(message)
        return list(flows.values())
    found = flows.get(name) or next((flow for flow in flows.values() if flow.name == name), None)
    if found is None:
        there = advice(name, flows) if flows else "; it defines none"
        message = f"{source} defines no flow '{name}'{there}"
        raise UsageError(message)
    return [found]


def _flows_in(names: dict[str, Any]) -> dict[str, DefinedFlow]:
    from nbflow.define import DefinedFlow

    found = {name: value for name, value in names.items() if isinstance(value, DefinedFlow)}
    return {name: flow for name, flow in found.items() if name == next(known for known, value in found.items() if value is flow)}


# Python -----------------------------------------------------------------------------------------


def _module(source: str) -> ModuleType:
    """A file is imported under its own name with its folder first on the path, as Python does with scripts."""
    if source.endswith(".py"):
        path = _existing(source).resolve()
        sys.path.insert(0, str(path.parent))
        name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"nbflow_target_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None  # noqa: S101, PT018 -- a .py file has a loader
        loader, module = spec.loader, importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        guarded(lambda: loader.exec_module(module), source)
        return module
    if not all(part.isidentifier() for part in source.split(".")):
        message = f"{source} is no notebook (.ipynb), Python file (.py), flow document (.flow.json) or module name"
        raise UsageError(message)
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.util.find_spec(source)
    except ModuleNotFoundError:
        found = None
    if found is None:
        message = f"there is no module '{source}' here, nor a file of that name; give a notebook, a .py or .flow.json file, or an installed module"
        raise UsageError(message)
    return guarded(lambda: importlib.import_module(source), source)


# Notebooks --------------------------------------------------------------------------------------


def _from_notebook(path: Path, name: str | None) -> list[DefinedFlow]:
    """Runs what the flow needs, in a module that is `__main__`, as in a kernel."""
    from nbflow.workflows.needs import defined_flows, needed, statements
    from nbflow.workflows.notebook import read_cells

    cells = read_cells(path)
    everything = statements(cells)
    known = defined_flows(everything)
    bound = {binding for statement in everything for binding in statement.binds}
    roots = set(known) if name is None else {variable for variable, called in known.items() if name in {variable, called}} or {name} & bound
    unreadable = "".join(f"\n  {cell.name}, {cell.error}" for cell in cells if cell.error)
    if not roots:
        missing = "no flow" if name is None else f"no flow '{name}'{advice(name, known)}"
        message = f"{path} defines {missing}" + (f"\nThese cells could not be read:{unreadable}" if unreadable else "")
        raise UsageError(message)
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.path.insert(0, str(path.resolve().parent))
    flags = 0
    chosen = needed(everything, roots, set(known) | roots)
    _lend(module, {used for statement in chosen for used in statement.uses})
    for statement in chosen:
        flags = _execute(statement, module, flags)
    return _among(str(path), name, _flows_in({variable: value for variable, value in vars(module).items() if variable in roots or name is None}))


def _lend(module: ModuleType, used: set[str]) -> None:
    """What a kernel has without an import."""
    if "display" in used:
        from IPython.display import display

        vars(module)["display"] = display
    if "get_ipython" in used:
        from IPython import get_ipython

        vars(module)["get_ipython"] = get_ipython


def _execute(statement: Statement, module: ModuleType, flags: int) -> int:
    """Gives the flags for what follows: `from __future__` holds for later cells."""
    tree = ast.Module(body=[statement.node], type_ignores=[])
    code = compile(tree, statement.cell, "exec", flags=flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)

    def work() -> None:
        waiting = eval(code, vars(module))  # noqa: S307 -- running the user's notebook is what was asked for
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(waiting)

    guarded(work, statement.place)
    future: int = code.co_flags & _FUTURE
    return flags | future
