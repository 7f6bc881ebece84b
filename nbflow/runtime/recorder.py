"""Events of one execution to records of the journal. Events are only kept on the engine's thread; the work is done when flushing."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.core.events import (
    ErrorRecord,
    ExecutionFinished,
    ExecutionStarted,
    NodeDisplayed,
    NodeFinished,
    NodeLogged,
    NodeRetried,
    NodeStarted,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_CHARACTERS = 16_384  # kept of a node's output: the last ones
DISPLAYS = 10  # rich outputs kept of a node: the last ones
_NO_ERROR = ErrorRecord("", "")
_NO_USAGE = Usage()


class Records(Protocol):
    """The part of a store that recording needs."""

    def submit(self, records: list[Mapping[str, Any]]) -> Future[None]:
        """Queues records; the future is done when they are durable."""


class Recorder:
    """A sink of events. `flush` moves what has come since to the store; called from one thread at a time."""

    def __init__(self, execution_id: str, store: Records, accepted: list[Mapping[str, Any]]) -> None:
        self.execution_id = execution_id
        self._store = store
        self._events: deque[Any] = deque()
        self._last: Future[None] | None = None
        self._first = accepted  # records that go before all others
        self._lock = threading.Lock()
        self._seq = 0
        self._logs: dict[tuple[str, tuple[int, ...]], list[tuple[int, str, str, str]]] = defaultdict(list)
        self._shown: dict[tuple[str, tuple[int, ...]], list[dict[str, Any]]] = defaultdict(list)

    def __call__(self, event: Any) -> None:
        """Keeps the event."""
        self._events.append(event)

    def flush(self) -> Future[None]:
        """Hands all events so far to the store; the future is done when they, and all before them, are durable. Never raises itself."""
        with self._lock:
            records, self._first = self._first, []
            while self._events:
                record = self._record(self._events.popleft())
                if record is not None:
                    records.append(record)
            if records or self._last is None:
                try:
                    self._last = self._store.submit(records)
                except Exception as error:  # noqa: BLE001 -- told through the future, like every other failure to write
                    self._last = Future()
                    self._last.set_exception(error)
            return self._last

    def _record(self, event: Any) -> dict[str, Any] | None:
        kind = type(event)
        if kind is NodeFinished:
            return self._node(event)
        if kind is NodeLogged:
            self._logs[event.node, event.path].append((event.at_ns, event.stream, event.level, event.text))
            return None
        if kind is NodeDisplayed:
            shown = self._shown[event.node, event.path]
            shown.append({"data": dict(event.data), "metadata": dict(event.metadata)})
            del shown[:-DISPLAYS]
            return None
        if kind is NodeStarted:
            return {"k": "node_started", "execution_id": self.execution_id, "node_id": event.node, "path": dotted(event.path), "ts": event.at_ns}
        if kind is NodeRetried:
            text = f"try {event.attempt} failed: {event.error.type}: {event.error.message}; the next one in {event.wait_s:.1f} s"
            self._logs[event.node, event.path].append((event.at_ns, "log", "warn", text))
            return None
        if kind is ExecutionStarted:
            return {"k": "started", "execution_id": self.execution_id, "ts": event.at_ns}
        if kind is ExecutionFinished:
            error = event.error or _NO_ERROR
            return {
                "k": "finished",
                "execution_id": self.execution_id,
                "status": event.status,
                "ts": event.started_ns + event.duration_ns,
                "duration": event.duration_ns,
                "outputs": event.outputs,
                "error_type": error.type or None,
                "error_message": error.message or None,
                "error_node": event.error_node,
            }
        return None

    def _node(self, event: NodeFinished) -> dict[str, Any]:
        self._seq += 1
        error, usage = event.error or _NO_ERROR, event.usage or _NO_USAGE
        payload: dict[str, Any] = {"preview": event.preview}
        if event.bundle:
            payload["bundle"] = dict(event.bundle)
        if error.traceback:
            payload["traceback"] = error.traceback
        place = (event.node, event.path)
        if place in self._logs:
            payload["logs"] = bounded(self._logs.pop(place))
        if place in self._shown:
            payload["displays"] = self._shown.pop(place)
        return {
            "k": "node",
            "execution_id": self.execution_id,
            "seq": self._seq,
            "node_id": event.node,
            "node_type": event.type,
            "path": dotted(event.path),
            "status": event.status,
            "level": "error" if event.status == "failed" else "info",
            "started": event.started_ns,
            "duration": event.duration_ns,
            "attempt": event.attempt,
            "error_type": error.type or None,
            "error_message": error.message or None,
            "model": usage.model or None,
            "tokens_in": usage.tokens_in if event.usage else None,
            "tokens_out": usage.tokens_out if event.usage else None,
            "cost_usd": usage.cost_usd,
            "iterations": event.iterations,
            "payload": payload,
        }


def dotted(path: tuple[int, ...]) -> str:
    """`(0, 3)` as `0.3`; empty outside loops."""
    return ".".join(map(str, path))


def bounded(logs: list[tuple[int, str, str, str]]) -> list[dict[str, Any]]:
    """Neighbouring writes to one stream joined, and only the last LOG_CHARACTERS of it all, with a line that says so."""
    joined: list[dict[str, Any]] = []
    for at_ns, stream, level, text in logs:
        if joined and stream != "log" and joined[-1]["stream"] == stream:
            joined[-1]["text"] += text
        else:
            joined.append({"at": at_ns, "stream": stream, "level": level, "text": text})
    left = LOG_CHARACTERS
    kept: list[dict[str, Any]] = []
    for entry in reversed(joined):
        if left <= 0:
            break
        entry["text"] = entry["text"][-left:]
        left -= len(entry["text"])
        kept.append(entry)
    lost = sum(len(text) for *_, text in logs) - sum(len(entry["text"]) for entry in kept)
    if lost:
        kept.append({"at": logs[0][0], "stream": "log", "level": "warn", "text": f"({lost} earlier characters were not kept)"})
    return kept[::-1]
