"""Modules of the project that a published flow imports: they are installed nowhere, so they travel with it."""

from __future__ import annotations

import ast
import sys
import sysconfig
from importlib.machinery import PathFinder
from importlib.util import decode_source, find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.machinery import ModuleSpec

_NBFLOW = __name__.partition(".")[0]
_INSTALLED = tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_PACKAGE_FOLDERS = frozenset({"site-packages", "dist-packages"})


def local_files(source: str, modules: Iterable[str] = ()) -> dict[str, str]:
    """File name (posix, as it lies on the import path) -> source, of all local modules that `source` or `modules` import, and these import.

    Local is a Python file outside of the standard library and of site-packages. The files are read as they are on disk now.
    """
    files: dict[str, str] = {}
    seen: set[str] = set()
    pending = [*_imported(source, ""), *modules]
    while pending:
        name = pending.pop()
        if name in seen or name.partition(".")[0] == _NBFLOW:
            continue
        seen.add(name)
        spec = _spec(name)
        path = _local(spec)
        if spec is None or (path is None and spec.origin is not None):
            continue
        pending += _parents(name)
        if path is not None:
            is_package = spec.submodule_search_locations is not None
            text = decode_source(path.read_bytes())
            files[name.replace(".", "/") + ("/__init__.py" if is_package else ".py")] = text
            pending += _imported(text, name if is_package else name.rpartition(".")[0])
    return files


def _imported(source: str, package: str) -> Iterator[str]:
    """Modules that may be meant by the import statements, also those inside functions. `package`: what relative ones start at."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            if base:
                yield base
                yield from (f"{base}.{item.name}" for item in node.names if item.name != "*")


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _spec(name: str) -> ModuleSpec | None:
    """Without importing anything."""
    top, _, rest = name.partition(".")
    loaded = sys.modules.get(top)
    spec: ModuleSpec | None = getattr(loaded, "__spec__", None)
    if spec is None or spec.origin is None:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError, AttributeError):
            return None
    for part in rest.split(".") if rest else ():
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", list(spec.submodule_search_locations))
    return spec


def _local(spec: ModuleSpec | None) -> Path | None:
    """Its file, if that is a local module's."""
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin).resolve()
    if _PACKAGE_FOLDERS & set(path.parts) or str(path).startswith(_INSTALLED) or not path.is_file():
        return None
    return path
