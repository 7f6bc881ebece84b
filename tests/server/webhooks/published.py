"""Small workflows with a webhook, stored in a running server's project."""

from __future__ import annotations

import itertools
from typing import Any

from nbflow.core.flow import Edge, Flow, Node

_numbers = itertools.count()


def echoing(path: str, *nodes: Node, name: str | None = None, **config: Any) -> Flow:
    """trigger.webhook, then the nodes in a chain. Without nodes the request itself is the last value."""
    trigger = Node(id="hook", type="trigger.webhook", config={"path": path, **config})
    chain = (trigger, *nodes)
    edges = tuple(Edge(source=first.id, target=second.id) for first, second in itertools.pairwise(chain))
    return Flow(name=name or f"flow-{next(_numbers)}", nodes=chain, edges=edges)


def publish(server: Any, path: str, *nodes: Node, active: bool = True, **config: Any) -> Any:
    """Stores a workflow; the next request finds it. In mode last_node unless the config says otherwise."""
    config.setdefault("response_mode", "last_node")
    return server.state.workflows.create(echoing(path, *nodes, **config), active=active)


def shaped(**assignments: str) -> Node:
    """A node that makes an object of expressions."""
    rows = [{"name": name, "value": value} for name, value in assignments.items()]
    return Node(id="shape", type="action.transform", config={"assignments": rows, "include": "none"})


def executions(server: Any, workflow: Any) -> int:
    """How many executions of a workflow the history has."""
    rows = server.state.store.query("select count(*) from workflow_executions where workflow_id = ?::UUID", [str(workflow.id)])
    return rows.rows[0][0]
