"""A published module loaded into this process: what worker kernels do, and the trial before publishing."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.authoring.function import FunctionNode, function_type
from nbflow.core.errors import PublishError
from nbflow.display.place import name_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from nbflow.core.node import NodeType
    from nbflow.workflows.module import Module

PREFIX = "nbflow_published_"
_HASH_CHARS = 12
_loading: ContextVar[bool] = ContextVar("loading", default=False)


def is_loading() -> bool:
    """Whether the code of a published module is being executed here, for the sake of its definitions."""
    return _loading.get()


def module_name(module: Module) -> str:
    """The name under which its entry is imported: another one for other code, so that two versions are never mixed up."""
    return PREFIX + module.hash[:_HASH_CHARS]


def load_module(module: Module, target_dir: str | Path) -> Mapping[str, NodeType]:
    """Name in the document -> a declaration that can be called.

    Writes the files below `target_dir`, puts that first on `sys.path` and executes the entry as the module `nbflow_published_<hash>`, with
    `await` at its top level, `display` and `get_ipython` as in a notebook. Does not change the working directory. Raises whatever the
    module's own code raises, and PublishError for a function that is not there.
    """
    folder, name = Path(target_dir).resolve(), module_name(module)
    for file, source in module.files.items():
        path = folder / (f"{name}.py" if file == module.entry else file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        name_files({str(path): file})
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    with _marked():
        loaded = _executed(name, folder / f"{name}.py")
        return {known: _declared(known, where, loaded) for known, where in module.functions.items()}


def _executed(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 -- a .py file has one
    loaded = module_from_spec(spec)
    source = path.read_text("utf-8")
    tree = ast.parse(source, filename=str(path))
    code = compile(tree, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    vars(loaded).update(_lent(source))
    sys.modules[name] = loaded
    try:
        waiting = eval(code, vars(loaded))  # noqa: S307 -- running published code is what was asked for
        if code.co_flags & inspect.CO_COROUTINE:
            _wait(waiting)
            import cloudpickle

            cloudpickle.register_pickle_by_value(loaded)  # another process cannot import a module that awaits
    except BaseException:
        del sys.modules[name]
        raise
    return loaded


def _wait(waiting: Any) -> None:
    """In a thread with a loop of its own: a kernel's loop runs already."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(waiting)
        except BaseException as error:  # noqa: BLE001 -- it is raised again where it was waited for
            failed.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), name="nbflow-loading")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _lent(source: str) -> dict[str, Any]:
    """What a kernel has without an import."""
    lent: dict[str, Any] = {}
    if "display" in source:
        from IPython.display import display

        lent["display"] = display
    if "get_ipython" in source:
        from IPython import get_ipython

        lent["get_ipython"] = get_ipython
    return lent


def _declared(known: str, where: str, entry: ModuleType) -> NodeType:
    place, colon, path = where.rpartition(":")
    found: Any = importlib.import_module(place) if colon else entry
    try:
        for part in path.split("."):
            found = getattr(found, part)
    except AttributeError:
        message = f"the function '{known}' is not in its module: '{where}' is missing there; publish the flow again"
        raise PublishError(message) from None
    if not callable(found):
        message = f"'{where}' is no function any more but {type(found).__name__}, so '{known}' cannot be called; publish the flow again"
        raise PublishError(message)
    return found.node_type if isinstance(found, FunctionNode) else function_type(found)


@contextmanager
def _marked() -> Iterator[None]:
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)
