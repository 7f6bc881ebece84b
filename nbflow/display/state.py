"""An execution as its events tell it. Live views and the history fold the same events, so both show the same."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbflow.core import events
from nbflow.core.redaction import redactor
from nbflow.core.states import ENDED
from nbflow.display.capture import DISPLAY
from nbflow.display.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbflow.core.events import ErrorRecord
    from nbflow.core.flow import Flow

_MAX_DISPLAYS = 12  # of one node
_MAX_RETRIES = 5
_SHOWN_OF_A_BODY = 2_000  # characters


@dataclass(kw_only=True, slots=True)
class Display:
    """Something a node showed. `id` when the node can update it."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
    id: str | None = None


@dataclass(kw_only=True, slots=True)
class NodeState:
    """One node in one execution; a node in a loop is all its iterations together."""

    id: str
    type: str = ""
    ends: Counter[str] = field(default_factory=Counter)  # status: how often the node ended so
    running: set[tuple[int, ...]] = field(default_factory=set)  # paths of the iterations that run
    attempt: int = 1
    started_ns: int | None = None
    duration_ns: int = 0  # of all iterations together
    fraction: float | None = None
    message: str = ""
    done: int = 0
    total: int = 0
    iterations: int = 0
    in_loop: bool = False
    output: Transcript = field(default_factory=Transcript)
    displays: list[Display] = field(default_factory=list)
    preview: Any = None
    bundle: Mapping[str, Any] | None = None
    error: ErrorRecord | None = None
    error_path: tuple[int, ...] = ()
    retries: list[tuple[int, ErrorRecord]] = field(default_factory=list)  # (the attempt that failed, its error)
    usage: events.Usage | None = None

    @property
    def status(self) -> str:
        """The word of core/states.py that says most: a failed iteration counts more than a completed one."""
        if self.running:
            return "running"
        return next((status for status in ("failed", "cancelled", "completed", "skipped") if self.ends[status]), "pending")

    @property
    def detail(self) -> str:
        """A few words for the node's card: progress while it runs, time once it has ended."""
        from nbflow.display.look import duration

        if self.running and self.total:
            return f"{self.done:,}/{self.total:,}"
        if self.running and self.fraction is not None:
            return f"{self.fraction:.0%}"
        count = self.iterations or (sum(self.ends.values()) if self.in_loop else 0)
        told = duration(self.duration_ns) if self.ends["completed"] or self.ends["failed"] or self.ends["cancelled"] else ""
        return " · ".join(filter(None, [f"×{count:,}" if count else "", told]))  # noqa: RUF001  the sign for "times"

    @property
    def has_something_to_show(self) -> bool:
        """Whether there is more to say than its status."""
        return bool(self.output or self.displays or self.bundle or self.error or self.retries or self.preview is not None)


class ExecutionState:
    """Folds events, in their order, into what is known. Not locked: one thread at a time.

    For the past, feed it the stored events: `ExecutionState(flow).update(rows)`.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.execution_id = ""
        self.status = "pending"
        self.started_ns: int | None = None
        self.duration_ns: int | None = None
        self.error: ErrorRecord | None = None
        self.error_node: str | None = None
        self.outputs: Any = None
        self.nodes = {node.id: NodeState(id=node.id, type=node.type, in_loop=node.parent is not None) for node in flow.nodes}
        self.last_ended: str | None = None  # id of the node with a value that ended last

    def __call__(self, event: Any) -> None:
        """Takes one event. Unknown ones are left alone."""
        fold = _FOLDS.get(type(event))
        if fold is not None:
            fold(self, event)

    def update(self, stored: Iterable[Any]) -> ExecutionState:
        """Takes many events; gives itself."""
        for event in stored:
            self(event)
        return self

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED

    @property
    def elapsed_ns(self) -> int:
        """From the start to the end or, while it runs, to now."""
        if self.started_ns is None:
            return 0
        return time.time_ns() - self.started_ns if self.duration_ns is None else self.duration_ns

    @property
    def statuses(self) -> dict[str, str]:
        """Status by node id."""
        return {name: node.status for name, node in self.nodes.items()}

    @property
    def details(self) -> dict[str, str]:
        """Short texts for the cards, by node id."""
        return {name: node.detail for name, node in self.nodes.items()}

    @property
    def done(self) -> int:
        """Nodes that have ended."""
        return sum(node.status not in {"pending", "running", "waiting"} for node in self.nodes.values())

    def html(self) -> str:
        """The execution as HTML that survives in a saved notebook, trusted or not."""
        from nbflow.display.page import html

        return html(self)

    def text(self) -> str:
        """The execution as plain text."""
        from nbflow.display.page import text

        return text(self)

    def bundle(self) -> dict[str, str]:
        """The MIME bundle that a cell shows."""
        return {"text/html": self.html(), "text/plain": self.text()}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.bundle()

    def _node(self, event: Any) -> NodeState:
        node = self.nodes.get(event.node)
        if node is None:  # of an older version of the flow
            node = self.nodes[event.node] = NodeState(id=event.node)
        if event.path:
            node.in_loop = True
        return node


def _execution_started(state: ExecutionState, event: events.ExecutionStarted) -> None:
    state.execution_id = event.execution_id
    state.status = "running"
    state.started_ns = event.at_ns


def _node_started(state: ExecutionState, event: events.NodeStarted) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    node.running.add(event.path)
    node.started_ns = event.at_ns if node.started_ns is None else node.started_ns


def _node_retried(state: ExecutionState, event: events.NodeRetried) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    node.attempt = event.attempt + 1
    node.retries = [*node.retries, (event.attempt, event.error)][-_MAX_RETRIES:]
    node.message = f"trying again in {event.wait_s:.3g} s"


def _node_progressed(state: ExecutionState, event: events.NodeProgressed) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    node.fraction, node.message, node.done, node.total = event.fraction, event.message, event.done, event.total


def _node_logged(state: ExecutionState, event: events.NodeLogged) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    if event.stream in {"stdout", "stderr"}:
        node.output.write(event.stream, event.text)
    else:
        node.output.log(event.level, event.text)


def _node_displayed(state: ExecutionState, event: events.NodeDisplayed) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    notes = event.metadata.get(DISPLAY) or {}
    shown = Display(data=event.data, metadata=event.metadata, id=notes.get("display_id"))
    if notes.get("clear"):
        node.displays.clear()
        node.output.clear()
        return
    if notes.get("update"):
        for number, old in enumerate(node.displays):
            if old.id == shown.id:
                node.displays[number] = shown
        return
    node.displays.append(shown)
    del node.displays[:-_MAX_DISPLAYS]


def responded_text(event: events.NodeResponded) -> str:
    """What a record says of an answer: its status, type and the beginning of its body."""
    body = event.body if isinstance(event.body, str) else f"{len(event.body):,} bytes"
    shown = body if len(body) <= _SHOWN_OF_A_BODY else f"{body[:_SHOWN_OF_A_BODY]}… ({len(body):,} characters)"
    headers = "".join(f"\n{name}: {value}" for name, value in event.headers.items())
    return f"answered {event.status} {event.media_type}{headers}\n{shown}"


def _node_responded(state: ExecutionState, event: events.NodeResponded) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    node.displays.append(Display(data={"text/plain": responded_text(event)}, metadata={}))
    del node.displays[:-_MAX_DISPLAYS]


def _node_finished(state: ExecutionState, event: events.NodeFinished) -> None:
    node = state._node(event)  # noqa: SLF001  the same file
    node.type = event.type or node.type
    node.running.discard(event.path)
    node.ends[event.status] += 1
    node.attempt = max(node.attempt, event.attempt)
    node.started_ns = event.started_ns if node.started_ns is None else node.started_ns
    node.duration_ns += event.duration_ns
    node.iterations = event.iterations or node.iterations
    node.message = ""
    if event.preview is not None or event.bundle is not None:
        node.preview, node.bundle = event.preview, event.bundle
        if redactor.active:
            node.preview, node.bundle = redactor.value(event.preview), redactor.value(event.bundle)
    if event.preview is not None or event.bundle is not None or node.displays:
        state.last_ended = node.id
    if event.error is not None and (node.error is None or not event.path):
        node.error, node.error_path = event.error, event.path
    if event.usage is not None:
        before = node.usage or events.Usage()
        costs = [usage.cost_usd for usage in (before, event.usage) if usage.cost_usd is not None]
        node.usage = events.Usage(
            event.usage.model or before.model,
            before.tokens_in + event.usage.tokens_in,
            before.tokens_out + event.usage.tokens_out,
            sum(costs) if costs else None,
        )


def _execution_finished(state: ExecutionState, event: events.ExecutionFinished) -> None:
    state.execution_id = event.execution_id
    state.status = event.status
    state.started_ns, state.duration_ns = event.started_ns, event.duration_ns
    state.error, state.error_node, state.outputs = event.error, event.error_node, redactor.value(event.outputs) if redactor.active else event.outputs
    for node in state.nodes.values():
        if node.running:  # its end was not told
            node.running.clear()
            node.ends["cancelled" if event.status != "completed" else "completed"] += 1


_FOLDS: dict[type, Callable[[ExecutionState, Any], None]] = {
    events.ExecutionStarted: _execution_started,
    events.NodeStarted: _node_started,
    events.NodeRetried: _node_retried,
    events.NodeProgressed: _node_progressed,
    events.NodeLogged: _node_logged,
    events.NodeDisplayed: _node_displayed,
    events.NodeResponded: _node_responded,
    events.NodeFinished: _node_finished,
    events.ExecutionFinished: _execution_finished,
}
