"""Flow documents for the tests of the API."""

from __future__ import annotations

from typing import Any


def document(name: str = "greeting", *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A flow document; without nodes, one that greets `name`."""
    if not nodes:
        text = {"name": "text", "value": "Hello {{ params.name }}!"}
        nodes = ({"id": "greet", "type": "action.transform", "config": {"include": "none", "assignments": [text]}},)
        more.setdefault("parameters", {"type": "object", "properties": {"name": {"type": "string", "default": "you"}}})
    return {"nbflow": 1, "name": name, "nodes": list(nodes), **more}


def waiting(name: str = "slow", seconds: float = 60) -> dict[str, Any]:
    """A flow that takes its time."""
    return document(name, {"id": "wait", "type": "logic.wait", "config": {"duration": seconds}})


def hook(path: str, name: str = "hook", **config: Any) -> dict[str, Any]:
    """A flow with a webhook."""
    return document(name, {"id": "request", "type": "trigger.webhook", "config": {"path": path, **config}})


def failing(name: str = "failing") -> dict[str, Any]:
    """A flow whose one node fails."""
    return document(name, {"id": "broken", "type": "action.transform", "config": {"mode": "expression", "expression": "input.nothing.there"}})
