"""The node types as the canvas draws them: the registry's, and the Python functions of a session."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

from nbflow.core.filters import FILTERS
from nbflow.core.node import PYTHON_FUNCTION
from nbflow.core.values import preview
from nbflow.runtime.catalogue import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.node import NodeType, Port

_GROUPS = {"ai": "AI", "python": "Functions"}
_TITLES = {"http": "HTTP request", "csv": "CSV", "json": "JSON", "foreach": "For each", "for": "For range", "while": "While", "python": "Python code"}


def catalogue(functions: Mapping[str, NodeType]) -> dict[str, Any]:
    """`Catalogue` of the canvas, JSON. `functions` by their name in the document."""
    types = [*_catalogue_types(), *(_function(name, declared) for name, declared in functions.items())]
    groups = dict.fromkeys([*(one["group"] for one in types), "python"])
    return {
        "groups": [{"name": name, "title": _GROUPS.get(name, name.capitalize())} for name in groups],
        "types": types,
        "filters": _filters(),
    }


@cache
def _catalogue_types() -> tuple[dict[str, Any], ...]:
    known = registry()
    return tuple(_type(known.get(name)) for name in known.types())


@cache
def _filters() -> list[dict[str, str]]:
    return [{"name": name, "doc": (inspect.getdoc(function) or "").partition("\n")[0]} for name, function in sorted(FILTERS.items())]


def _type(declared: NodeType) -> dict[str, Any]:
    last = declared.type.rpartition(".")[2]
    return {
        "type": declared.type,
        "group": declared.group,
        "title": _TITLES.get(last, last.strip("_").replace("_", " ").capitalize()),
        "summary": declared.summary,
        "doc": (inspect.getdoc(declared.function) or "").partition("\n")[2].strip(),
        "inputs": [_port(one) for one in declared.inputs],
        "outputs": [{"name": name} for name in declared.outputs_of({})],
        "container": declared.container,
        "trigger": declared.trigger,
        "lazy": sorted(declared.lazy),
        "verbatim": sorted(declared.verbatim),
        "schema": declared.config.model_json_schema() if declared.config else None,
    }


def _function(name: str, declared: NodeType) -> dict[str, Any]:
    short = name.rpartition(":")[2]
    defaults = {key: parameter.default for key, parameter in inspect.signature(declared.function).parameters.items()}
    ports = []
    for port in declared.inputs:
        given = defaults.get(port.name, inspect.Parameter.empty)
        ports.append(_port(port) | ({} if given is inspect.Parameter.empty else {"default": preview(given)}))
    return {
        **_type(declared),
        "type": f"{PYTHON_FUNCTION}:{name}",
        "group": "python",
        "title": f"{short}()",
        "inputs": ports,
        "schema": None,
        "source": _source(declared),
    }


def _source(declared: NodeType) -> str:
    try:
        return inspect.getsource(declared.function)
    except (OSError, TypeError):  # made by exec, or a builtin
        return ""


def _port(port: Port) -> dict[str, Any]:
    told: dict[str, Any] = {"name": port.name, "required": port.required, "many": port.many}
    if port.annotation is not None:
        told["type"] = port.annotation if isinstance(port.annotation, str) else getattr(port.annotation, "__name__", str(port.annotation))
    return told
