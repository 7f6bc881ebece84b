"""Finds node types: the built-in ones by file, those of other packages by the entry point group `nbflow.catalogue`.

Nothing is imported to list the built-in types, and one module to use one: `import nbflow` stays fast however long the catalogue grows.
"""

from __future__ import annotations

import importlib
import keyword
import pkgutil
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import DefinitionError, UnknownNodeTypeError
from nbflow.core.node import PYTHON_FUNCTION, NodeType
from nbflow.core.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.metadata import EntryPoint

    from nbflow.core.flow import Node

ENTRY_POINT_GROUP = "nbflow.nodes"
_DECLARATION = re.compile(r'^@node_type\(\s*"([\w.]+)"', re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginInfo:
    """What one entry point of another package brought. `error` is None when all went well; the other plugins work either way."""

    name: str  # of the entry point
    package: str  # the distribution's name
    version: str
    types: tuple[str, ...] = ()
    error: str | None = None


class Registry:
    """The catalogue of installed node types (`core.node.Catalogue`). A built-in type wins over a plugin's of the same name."""

    def __init__(self) -> None:
        self._loaded: dict[str, NodeType] = {}

    def get(self, type_: str) -> NodeType:
        """Imports the module of this one type. Raises UnknownNodeTypeError with the names that look alike."""
        if type_ not in self._loaded:
            module = self._builtin.get(type_)
            if module is not None:
                self._loaded[type_] = _declared_in(importlib.import_module(module), type_)
            elif type_ in self._plugin_types:
                self._loaded[type_] = self._plugin_types[type_]
            else:
                raise UnknownNodeTypeError(type_, self._suggestions(type_))
        return self._loaded[type_]

    def resolve(self, node: Node) -> NodeType:
        """The declaration of a node. Raises UnknownNodeTypeError; DefinitionError for a function, which only a session knows."""
        if node.type == PYTHON_FUNCTION:
            function = node.config.get("function", "?")
            msg = f"node '{node.id}' is the Python function '{function}', which is not to be had here; run the cell that defines it"
            raise DefinitionError(msg)
        return self.get(node.type)

    def types(self) -> tuple[str, ...]:
        """Names of all types, sorted by group (triggers first) and name. Imports plugins, but none of the built-in types."""
        return tuple(sorted({*self._builtin, *self._plugin_types}, key=lambda type_: (_place(type_), type_)))

    def groups(self) -> tuple[str, ...]:
        """First parts of the types' names, in the palette's order."""
        return tuple(dict.fromkeys(type_.partition(".")[0] for type_ in self.types()))

    def plugins(self) -> list[PluginInfo]:
        """What other packages brought, broken ones included."""
        return [info for info, _ in self._plugins]

    def _suggestions(self, type_: str) -> tuple[str, ...]:
        return nearest(type_, self.types()) or tuple(known for known in self.types() if known.rpartition(".")[2] == type_.rpartition(".")[2])

    @cached_property
    def _builtin(self) -> Mapping[str, str]:
        return dict(_builtin_types())

    @cached_property
    def _plugin_types(self) -> Mapping[str, NodeType]:
        return {declared.type: declared for _, types in self._plugins for declared in types}

    @cached_property
    def _plugins(self) -> list[tuple[PluginInfo, list[NodeType]]]:
        taken = dict.fromkeys(self._builtin, "nbflow")
        return [_load(entry, taken) for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name)]


def module_of(type_: str) -> str:
    """The module that holds a built-in type: `logic.loop.for` is `nbflow.catalogue.logic.loop_for`, `logic.if` `nbflow.catalogue.logic.if_`."""
    group, _, rest = type_.partition(".")
    name = rest.replace(".", "_")
    return f"nbflow.catalogue.{group}.{name}_" if keyword.iskeyword(name) else f"nbflow.catalogue.{group}.{name}"


def _builtin_types() -> Iterator[tuple[str, str]]:
    """(type, module) read from the declarations' text: from `vector_store.py` alone one cannot tell `vector_store` from `vector.store`."""
    for folder in sorted(path for path in Path(__file__).parent.iterdir() if (path / "__init__.py").is_file()):
        for path in sorted(folder.glob("[!_]*.py")):
            declaration = _DECLARATION.search(path.read_text(encoding="utf-8"))
            if declaration:
                yield declaration[1], f"nbflow.catalogue.{folder.name}.{path.stem}"


def _place(type_: str) -> tuple[int, str]:
    order = ("trigger", "action", "ai", "logic", "data", "flow", "communication", "integration")
    group = type_.partition(".")[0]
    return (order.index(group) if group in order else len(order), group)


def _declared_in(module: ModuleType, type_: str) -> NodeType:
    for declared in _node_types(module):
        if declared.type == type_:
            return declared
    raise UnknownNodeTypeError(type_)


def _node_types(module: ModuleType) -> list[NodeType]:
    return [value for value in vars(module).values() if isinstance(value, NodeType)]


def _load(entry: EntryPoint, taken: dict[str, str]) -> tuple[PluginInfo, list[NodeType]]:
    """Loads one plugin. Whatever it raises becomes its `error`: a broken package must not take the catalogue with it."""
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")

    def info(types: list[NodeType], error: str | None) -> tuple[PluginInfo, list[NodeType]]:
        names = tuple(declared.type for declared in types)
        return PluginInfo(name=entry.name, package=package, version=version, types=names, error=error), types

    try:
        declared = _declarations(entry.load())
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        return info([], f"{type(error).__name__}: {error}")
    except SystemExit as error:  # some modules end the process when imported
        return info([], f"it ended with SystemExit({error.code})")
    if not declared:
        return info([], f"{entry.value} holds no node type; point the entry point at a NodeType or at a module with some")
    clashes = sorted({item.type for item in declared if item.type in taken})
    free = [item for item in declared if item.type not in taken]
    taken.update({item.type: package for item in free})
    owners = ", ".join(f"'{type_}' of {taken[type_]}" for type_ in clashes)
    return info(free, f"already taken: {owners}; rename the type" if clashes else None)


def _declarations(loaded: Any) -> list[NodeType]:
    if isinstance(loaded, NodeType):
        return [loaded]
    if not isinstance(loaded, ModuleType):
        return []
    found = _node_types(loaded)
    for module in pkgutil.walk_packages(getattr(loaded, "__path__", ()), prefix=f"{loaded.__name__}."):
        found.extend(_node_types(importlib.import_module(module.name)))
    return list({id(declared): declared for declared in found}.values())
