"""What a flow's trigger nodes register: paths for the webhook registry, rules for the scheduler."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from pydantic import BaseModel

    from nbflow.core.flow import Flow, Node

WEBHOOK = "trigger.webhook"
SCHEDULE = "trigger.schedule"
_PARAMETER = re.compile(r":[^/]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One method of a webhook node."""

    node: str
    path: str
    method: str
    config: Mapping[str, Any]

    @property
    def shape(self) -> str:
        """The path without the names of its parameters: routes of one shape and method answer the same requests."""
        return _PARAMETER.sub(":", self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    """A schedule node: `cron` or `every`."""

    node: str
    cron: str | None
    every: timedelta | None
    timezone: str
    config: Mapping[str, Any]


def routes(flow: Flow) -> list[Route]:
    """Of all webhook nodes that are not disabled. The flow has been checked (`check`, `trigger_problems`)."""
    return [route for node in _nodes(flow, WEBHOOK) for route in _routes(node)]


def timers(flow: Flow) -> list[Timer]:
    """Of all schedule nodes that are not disabled. The flow has been checked."""
    from nbflow.catalogue.trigger.schedule import ScheduleConfig

    found = []
    for node in _nodes(flow, SCHEDULE):
        config = ScheduleConfig.model_validate(dict(node.config))
        zone = config.timezone or flow.settings.timezone
        found.append(Timer(node=node.id, cron=config.cron, every=config.every, timezone=zone, config=node.config))
    return found


def trigger_problems(flow: Flow) -> Iterator[Problem]:
    """What `check` cannot see, because it matters only to a workflow that is stored. The flow has passed `check`."""
    from nbflow.catalogue.trigger.schedule import ScheduleConfig
    from nbflow.catalogue.trigger.webhook import WebhookConfig

    wrong = [
        *_fixed(flow, WEBHOOK, WebhookConfig, ("path", "methods")),
        *_fixed(flow, SCHEDULE, ScheduleConfig, ("cron", "every", "timezone")),
    ]
    yield from wrong
    if wrong:
        return
    taken: dict[tuple[str, str], str] = {}
    for route in routes(flow):
        other = taken.setdefault((route.method, route.shape), route.node)
        if other != route.node:
            message = f"{route.method} {route.path} is what node '{other}' answers already; give one of them another path or method"
            yield Problem("webhook-clash", message, route.node, "path")


def _fixed(flow: Flow, type_: str, model: type[BaseModel], fields: tuple[str, ...]) -> Iterator[Problem]:
    """Triggers are registered before any execution exists, so an expression has nothing to be evaluated over."""
    from pydantic import ValidationError

    for node in _nodes(flow, type_):
        try:
            model.model_validate(dict(node.config))
        except ValidationError as error:
            field = next((str(item["loc"][0]) for item in error.errors() if item["loc"] and item["loc"][0] in fields), None)
            message = "a trigger is registered before anything runs: write the value itself, not an {{ expression }}"
            yield Problem("trigger-expression", message, node.id, field)


def _routes(node: Node) -> Iterator[Route]:
    from nbflow.catalogue.trigger.webhook import WebhookConfig

    config = WebhookConfig.model_validate(dict(node.config))
    for method in config.methods:
        yield Route(node=node.id, path=config.path, method=method, config=node.config)


def _nodes(flow: Flow, type_: str) -> Iterator[Node]:
    return (node for node in flow.nodes if node.type == type_ and not node.settings.disabled)
