"""What an execution tells, in the past tense. The engine hands each to one sink, in order; everything seen or stored comes from these.

Named tuples, because a flow of 30,000 nodes makes 30,000 of them. Times are nanoseconds since the epoch (UTC);
durations are nanoseconds of a monotonic clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = tuple[Any, ...]


class Sink(Protocol):
    """Where events go. Called on the engine's thread or, for output of nodes, on theirs; must not block or raise. `list.append` is one."""

    def __call__(self, event: Any, /) -> object:
        """Takes one event."""


class ErrorRecord(NamedTuple):
    """An exception as it is kept: no object, no frame. `traceback` starts with the user's own lines."""

    type: str
    message: str
    traceback: str = ""
    retryable: bool = False


class Usage(NamedTuple):
    """What remote models consumed in one node; `cost_usd` is None when the price is unknown."""

    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None


class ExecutionStarted(NamedTuple):
    """The plan is ready and the first nodes begin."""

    execution_id: str
    flow: str
    at_ns: int


class NodeStarted(NamedTuple):
    """Told only of nodes that can be seen running: in threads, processes, on the loop, containers. Inline nodes just finish."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    at_ns: int


class NodeRetried(NamedTuple):
    """A try failed and another one follows after `wait_s` seconds."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    at_ns: int
    attempt: int  # the one that failed
    wait_s: float
    error: ErrorRecord


class NodeProgressed(NamedTuple):
    """`fraction` 0 to 1 or None; for containers and `each`, `done` of `total`."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    fraction: float | None
    message: str
    done: int = 0
    total: int = 0


class NodeLogged(NamedTuple):
    """Text from `stdout`, `stderr` (as written, maybe part of a line), `log` (logging, warnings, ctx.log: whole lines)."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    at_ns: int
    stream: str
    level: str
    text: str


class NodeDisplayed(NamedTuple):
    """A rich value that the node showed: a MIME bundle as in nbformat's display_data."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]


class NodeResponded(NamedTuple):
    """A node answered whoever waits for the execution; the flow goes on. `body` is bytes for binary answers, else text."""

    execution_id: str
    node: str
    path: tuple[int, ...]
    at_ns: int
    status: int  # HTTP's
    headers: Mapping[str, str]
    body: str | bytes
    media_type: str  # as in Content-Type


class NodeFinished(NamedTuple):
    """One node's end, whatever way. `preview` is at most 4 KB of JSON-able values (see core/values.py), None without a value.

    `iterations` counts what a container or an `each` node ran; iterations between the 20th and the last that went well are not told singly.
    """

    execution_id: str
    node: str
    type: str
    path: tuple[int, ...]
    status: str
    attempt: int
    started_ns: int
    duration_ns: int
    preview: Any = None
    bundle: Mapping[str, Any] | None = None  # rich MIME form of the output, where it has one
    error: ErrorRecord | None = None
    usage: Usage | None = None
    iterations: int = 0


class ExecutionFinished(NamedTuple):
    """The last event of an execution."""

    execution_id: str
    flow: str
    status: str
    started_ns: int
    duration_ns: int
    outputs: Any = None  # preview of the flow's outputs
    error: ErrorRecord | None = None
    error_node: str | None = None
