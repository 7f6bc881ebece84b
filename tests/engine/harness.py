"""Flows drawn from functions and run by the engine alone: no store, no display, no kernel."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbflow.authoring.namespace import Namespace
from nbflow.authoring.trace import Definition, draw
from nbflow.catalogue.registry import Registry
from nbflow.core.check import check
from nbflow.core.events import NodeFinished, NodeLogged, NodeStarted
from nbflow.core.flow import FlowSettings, Node
from nbflow.core.node import PYTHON_FUNCTION, NodeType
from nbflow.engine.plan import Plan, compile_flow
from nbflow.engine.run import Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbflow.engine.services import Services

registry = Registry()
nodes: Any = Namespace(lambda: registry)


class Catalogue:
    def __init__(self, functions: Any, more: dict[str, NodeType] | None = None) -> None:
        self.functions = functions
        self.more = more or {}

    def resolve(self, node: Node) -> NodeType:
        if node.type == PYTHON_FUNCTION:
            return self.functions[node.config["function"]]
        return self.more.get(node.type) or registry.get(node.type)


@dataclass
class Ran:
    outcome: Outcome
    events: list[Any]
    plan: Plan

    @property
    def output(self) -> Any:
        (value,) = self.outcome.outputs.values()
        return value

    @property
    def statuses(self) -> dict[str, str]:
        """Of the nodes at the top."""
        return {event.node: event.status for event in self.finished() if not event.path}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def finished(self, node: str | None = None) -> list[NodeFinished]:
        return [event for event in self.of(NodeFinished) if node in {None, event.node}]

    def started(self, node: str) -> list[NodeStarted]:
        return [event for event in self.of(NodeStarted) if event.node == node]

    def printed(self, node: str) -> str:
        return "".join(event.text for event in self.of(NodeLogged) if event.node == node)


@dataclass
class Started:
    """An execution that is under way, to be cancelled."""

    run: Run
    task: asyncio.Task[Outcome]
    events: list[Any] = field(default_factory=list)

    async def cancel(self) -> Ran:
        self.task.cancel()
        return Ran(await asyncio.wait_for(self.task, 20), self.events, self.run.plan)


def drawn(function: Callable[..., Any], **settings: Any) -> Definition:
    return draw(function, name=function.__name__, description="", parameters={}, settings=FlowSettings(**settings))


def planned(definition: Definition) -> Plan:
    catalogue = Catalogue(definition.functions)
    problems = check(definition.flow, catalogue)
    assert not problems, problems  # an outer loop's item in an inner loop: the checker refuses it still, the engine captures it
    return compile_flow(definition.flow, catalogue)


def start(function: Callable[..., Any], params: dict[str, Any] | None = None, *, services: Services | None = None, **settings: Any) -> Started:
    plan = planned(drawn(function, **settings))
    events: list[Any] = []
    run = Run("the-id", plan, sink=events.append, params=params or {}, services=services)
    return Started(run, asyncio.ensure_future(run.execute()), events)


async def ran(function: Callable[..., Any], params: dict[str, Any] | None = None, *, services: Services | None = None, **settings: Any) -> Ran:
    started = start(function, params, services=services, **settings)
    return Ran(await asyncio.wait_for(started.task, 60), started.events, started.run.plan)


async def until(condition: Callable[[], Any]) -> None:
    """Waits for something that another thread or task does."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    message = "it did not happen within 20 seconds"
    raise AssertionError(message)
