"""What the server is asked to run, and what it answers: requests, tickets, results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from uuid import UUID

    from nbflow.core.flow import Flow
    from nbflow.workflows.module import Module

Mode = Literal["wait", "queue"]
"""`wait`: somebody waits for the result. `queue`: accepted and answered at once; it runs when its turn comes, also after a restart."""


@dataclass(frozen=True, kw_only=True)
class ExecutionRequest:
    """One execution, wanted. `params` and `input` hold JSON values and bytes; `input` None stands for the parameters themselves.

    `max_running` and `on_interrupt` None: what the flow's own settings say. `workflow_id` and `version_id` belong to stored workflows,
    an unsaved flow has neither. `user` is a name for people, `source` where it came from (`POST /orders`).
    """

    flow: Flow
    module: Module | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    input: Any = None
    trigger: str = "manual"
    mode: Mode = "wait"
    source: str = ""
    workflow_id: UUID | None = None
    version_id: UUID | None = None
    organization_id: UUID | None = None
    max_running: int | None = None
    on_interrupt: Literal["fail", "run_again"] | None = None
    idempotency_key: str | None = None
    user: str | None = None
    parent_execution_id: str | None = None


class Response(NamedTuple):
    """What a `flow.respond` node answers with. `body` is bytes for binary answers, else text; `media_type` as in Content-Type."""

    status: int
    headers: Mapping[str, str]
    body: str | bytes
    media_type: str


class Fault(NamedTuple):
    """Why an execution failed: the exception's class, its message, and the node (None when it was the flow itself)."""

    type: str
    message: str
    node: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an execution ended. `status` is completed, failed or cancelled.

    `outputs` (by name) and `last` (the value of the node that ended last) are JSON values, bytes or text; tables are lists of
    records. In mode `queue` nobody waits for values, and both are empty: the history has previews.
    """

    execution_id: str
    status: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    last: Any = None
    response: Response | None = None
    error: Fault | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """An accepted execution. Both futures are done with a value, never with an exception, and belong to the executor: do not cancel
    them (wait on `asyncio.shield(ticket.finished)` or with `asyncio.wait`).

    `responded` is done with the `Response` as soon as a node has answered; with the `Result` when the flow ended without an answer.
    """

    execution_id: str
    finished: asyncio.Future[Result]
    responded: asyncio.Future[Response | Result]


class WorkerStatus(NamedTuple):
    """One worker kernel. `module` is the beginning of the hash of the code that it holds, empty for a spare."""

    pid: int
    module: str
    execution_id: str | None  # what it runs now
    runs: int
    age_s: float
    rss_bytes: int


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """What runs and what waits now. `limit` is how many may run at the same time, `queue_limit` how many may wait.

    `workflows`: name of the flow, how many of it run and wait. `draining`: the server is about to stop and accepts nothing more.
    """

    running: int
    waiting: int
    limit: int
    queue_limit: int
    workflows: Mapping[str, tuple[int, int]]
    workers: tuple[WorkerStatus, ...]
    draining: bool = False
