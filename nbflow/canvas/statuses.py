"""Live statuses for the canvas: an execution's events folded, and told at most ten times a second, whole every two seconds and at the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.events import ExecutionFinished
from nbflow.display.look import duration
from nbflow.display.state import ExecutionState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.canvas.link import Link
    from nbflow.core.flow import Flow
    from nbflow.display.state import NodeState

_EVERY_S = 0.1
_KEYFRAME_S = 2.0
_DETAIL_CHARS = 200


class Statuses:
    """What the canvas shows of one execution at a time, numbered over all of them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._seq = 0
        self._lock = threading.Lock()
        self.shown: _Followed | None = None

    def follow(self, flow: Flow, ended: Callable[[ExecutionState], None]) -> _Followed:
        """A sink for the events of an execution that is about to start. `ended` is called when the last frame is told, on a thread of ours."""
        self.shown = _Followed(flow, self, ended)
        return self.shown

    def show(self, state: ExecutionState | None) -> None:
        """An execution of the past, or none."""
        self.shown = None
        self.keyframe(state)

    def keyframe(self, state: ExecutionState | None) -> None:
        """Everything that is known."""
        if state is None:
            frame: dict[str, Any] = {"execution": None, "nodes": {}}
        else:
            frame = {"execution": execution_frame(state), "nodes": {id_: node_frame(node) for id_, node in state.nodes.items()}}
        self._link.set_trait("statuses", {"seq": self._next(), **frame})

    def delta(self, execution: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """What has changed."""
        self._link.send({"kind": "statuses", "seq": self._next(), "execution": execution, "nodes": nodes})

    def _next(self) -> int:
        with self._lock:
            self._seq += 1
            return self._seq


class _Followed:
    """The sink of one execution, and the thread that tells it."""

    def __init__(self, flow: Flow, statuses: Statuses, ended: Callable[[ExecutionState], None]) -> None:
        self.state = ExecutionState(flow)
        self._statuses = statuses
        self._ended = ended
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._hurry = threading.Event()
        statuses.keyframe(self.state)
        token = current_node.set(None)  # the thread belongs to no node
        try:
            threading.Thread(target=self._tell, name="nbflow-canvas", daemon=True).start()
        finally:
            current_node.reset(token)

    def __call__(self, event: Any) -> None:
        """Takes an event. Quick, from any thread."""
        with self._lock:
            self.state(event)
            if (node := getattr(event, "node", None)) is not None:
                self._dirty.add(node)
        if type(event) is ExecutionFinished:
            self._hurry.set()

    def give_up(self) -> None:
        """The execution did not start."""
        self.state.status = "failed"
        self._hurry.set()

    def _tell(self) -> None:
        whole_at = time.monotonic() + _KEYFRAME_S
        while not self.state.ended:
            self._hurry.wait(_EVERY_S)
            if self._statuses.shown is not self:
                continue  # another one is looked at; the end still has to be heard
            with self._lock:
                nodes = {id_: node_frame(self.state.nodes[id_]) for id_ in self._dirty if id_ in self.state.nodes}
                execution = execution_frame(self.state)
                self._dirty.clear()
            if time.monotonic() >= whole_at:
                whole_at = time.monotonic() + _KEYFRAME_S
                with self._lock:
                    self._statuses.keyframe(self.state)
            elif nodes:
                self._statuses.delta(execution, nodes)
        if self._statuses.shown is self:
            self._statuses.keyframe(self.state)
        self._ended(self.state)


def execution_frame(state: ExecutionState) -> dict[str, Any]:
    """`ExecutionStatus` of the canvas."""
    frame: dict[str, Any] = {"id": state.execution_id, "status": state.status, "done": state.done, "total": len(state.nodes)}
    if state.started_ns is not None:
        frame["elapsed"] = duration(state.elapsed_ns)
    if state.error is not None:
        frame |= {"error": _first_line(state.error.message), "error_node": state.error_node or ""}
    return frame


def node_frame(node: NodeState) -> dict[str, Any]:
    """`NodeStatus` of the canvas."""
    frame: dict[str, Any] = {"status": node.status, "detail": node.detail}
    if node.running and node.fraction is not None:
        frame["fraction"] = node.fraction
    if node.message:
        frame["message"] = _first_line(node.message)
    if node.attempt > 1:
        frame["attempt"] = node.attempt
    if node.error is not None:
        frame["error"] = _first_line(f"{node.error.type}: {node.error.message}")
    if (items := item_counts(node.preview)) and node.status == "completed":
        frame["items"] = items
    return frame


def item_counts(preview: Any) -> dict[str, int]:
    """How many items went out, as far as a preview of core/values.py tells it."""
    if isinstance(preview, list):
        more = preview[-1].get("$more", 0) if preview and isinstance(preview[-1], dict) and "$more" in preview[-1] else 0
        return {"output": len(preview) - bool(more) + more}
    if isinstance(preview, dict) and "$type" in preview:
        shape, length = preview.get("shape"), preview.get("length")
        if isinstance(shape, list) and shape:
            return {"output": int(shape[0])}
        if isinstance(length, int) and preview["$type"] != "str":
            return {"output": length}
    return {}


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:_DETAIL_CHARS]
