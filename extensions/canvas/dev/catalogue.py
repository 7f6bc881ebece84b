"""Writes dev/catalogue.json from the installed node types, as protocol.ts describes it: python dev/catalogue.py > dev/catalogue.json."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

from nbflow.catalogue.registry import Registry
from nbflow.core.filters import FILTERS
from nbflow.core.node import NodeType, Port

TITLES = {
    "action.http": "HTTP request", "action.code.python": "Python code", "logic.loop.for": "For loop", "logic.loop.foreach": "For each",
    "logic.loop.while": "While loop", "data.csv": "CSV", "data.json": "JSON", "flow.respond": "Respond",
}  # fmt: skip
GROUPS = {"trigger": "Triggers", "action": "Actions", "ai": "AI", "logic": "Logic", "data": "Data", "flow": "Flow", "python": "This notebook"}


def port(one: Port) -> dict[str, Any]:
    made: dict[str, Any] = {"name": one.name, "required": one.required, "many": one.many}
    if one.annotation is not None:
        made["type"] = getattr(one.annotation, "__name__", str(one.annotation))
    return made


def entry(node: NodeType) -> dict[str, Any]:
    doc = inspect.getdoc(node.function) or ""
    return {
        "type": node.type,
        "group": node.group,
        "title": TITLES.get(node.type, node.type.rpartition(".")[2].replace("_", " ").capitalize()),
        "summary": node.summary,
        "doc": doc.partition("\n")[2].strip(),
        "inputs": [port(one) for one in node.inputs],
        "outputs": [{"name": name} for name in node.outputs_of({})],
        "container": node.container,
        "trigger": node.trigger,
        "lazy": sorted(node.lazy),
        "verbatim": sorted(node.verbatim),
        "schema": node.config.model_json_schema() if node.config else None,
    }


registry = Registry()
types = [entry(registry.get(name)) for name in registry.types()]
groups = list(dict.fromkeys(one["group"] for one in types)) + ["python"]
filters = [{"name": name, "doc": (inspect.getdoc(function) or "").partition("\n")[0]} for name, function in sorted(FILTERS.items())]
json.dump(
    {"groups": [{"name": name, "title": GROUPS.get(name, name.capitalize())} for name in groups], "types": types, "filters": filters},
    sys.stdout,
    indent=1,
)
