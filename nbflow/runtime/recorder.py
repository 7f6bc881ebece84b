"""Events of one execution to records of the journal. Events are only kept on the engine's thread; the work is done when flushing."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbflow.core.events import (
    ErrorRecord,
    ExecutionFinished,
    ExecutionStarted,
    NodeDisplayed,
    NodeFinished,
    NodeLogged,
    NodeResponded,
    NodeRetried,
    NodeStarted,
)
from nbflow.display.capture import DISPLAY
from nbflow.display.state import responded_text

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_CHARACTERS = 16_384  # kept of a node's output: the last ones
_JOINED = 4096  # characters after which a new entry begins, so that old ones can go
DISPLAYS = 12  # rich outputs kept of a node: the last ones
_NO_ERROR = ErrorRecord("", "")


class Records(Protocol):
    """The part of a store that recording needs."""

    def submit(self, records: list[Mapping[str, Any]]) -> Future[None]:
        """Queues records; the future is done when they are durable."""


class Recorder:
    """A sink of events. `flush` moves what has come since to the store; called from one thread at a time.

    All records of an execution are numbered in the order of the journal (`seq`): 0 is the acceptance. `first` are records that go before
    all others, numbered already; `next_seq` is the first free number; `started` says that the start was written down before.
    """

    def __init__(self, execution_id: str, store: Records, first: list[Mapping[str, Any]], *, next_seq: int = 1, started: bool = False) -> None:
        self.execution_id = execution_id
        self._store = store
        self._events: deque[Any] = deque()
        self._last: Future[None] | None = None
        self._first = first
        self._lock = threading.Lock()
        self._seq = next_seq
        self._started = started
        self._abandoned = False
        self._logs: dict[tuple[str, tuple[int, ...]], Logs] = defaultdict(Logs)
        self._shown: dict[tuple[str, tuple[int, ...]], list[dict[str, Any]]] = defaultdict(list)

    def __call__(self, event: Any) -> None:
        """Keeps the event."""
        self._events.append(event)

    def abandon(self) -> None:
        """Keeps nothing any more."""
        with self._lock:
            self._abandoned = True

    def flush(self) -> Future[None]:
        """Hands all events so far to the store; the future is done when they, and all before them, are durable. Never raises itself."""
        with self._lock:
            if self._abandoned:
                self._events.clear()
                return self._last or _nothing_to_write()
            records = self._records()
            if records or self._last is None:
                written = self._submitted(records)
                if self._last is None or not self._last.done() or self._last.exception() is None:  # what was refused once stays missing
                    self._last = written
            return self._last

    def take(self) -> list[Mapping[str, Any]]:
        """The records of all events so far, for whoever writes them down in place of `flush`."""
        with self._lock:
            if self._abandoned:
                self._events.clear()
                return []
            return self._records()

    def _records(self) -> list[Mapping[str, Any]]:
        records, self._first = self._first, []
        while self._events:
            record = self._record(self._events.popleft())
            if record is not None:
                records.append(self._numbered(record))
        return records

    def _numbered(self, record: dict[str, Any]) -> dict[str, Any]:
        record["seq"] = self._seq
        self._seq += 1
        return record

    def _submitted(self, records: list[Mapping[str, Any]]) -> Future[None]:
        try:
            return self._store.submit(records)
        except Exception as error:  # noqa: BLE001 -- told through the future, like every other failure to write
            refused: Future[None] = Future()
            refused.set_exception(error)
            return refused

    def _record(self, event: Any) -> dict[str, Any] | None:
        kind = type(event)
        if kind is NodeFinished:
            return self._node(event)
        if kind is NodeLogged:
            self._logs[event.node, event.path].add(event.at_ns, event.stream, event.level, event.text)
            return None
        if kind is NodeDisplayed:
            self._displayed(event)
            return None
        if kind is NodeResponded:
            shown = self._shown[event.node, event.path]
            shown.append({"data": {"text/plain": responded_text(event)}, "metadata": {}})
            del shown[:-DISPLAYS]
            return None
        if kind is NodeStarted:
            return {"k": "node_started", "execution_id": self.execution_id, "node_id": event.node, "path": dotted(event.path), "ts": event.at_ns}
        if kind is NodeRetried:
            text = f"try {event.attempt} failed: {event.error.type}: {event.error.message}; the next one in {event.wait_s:.1f} s"
            self._logs[event.node, event.path].add(event.at_ns, "log", "warn", text)
            return None
        if kind is ExecutionStarted:
            return None if self._started else {"k": "started", "execution_id": self.execution_id, "ts": event.at_ns}
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

    def _displayed(self, event: NodeDisplayed) -> None:
        """An update takes the place of what it updates, as in the live view."""
        notes = event.metadata.get(DISPLAY) or {}
        shown = self._shown[event.node, event.path]
        if notes.get("clear"):
            shown.clear()
            self._logs.pop((event.node, event.path), None)
            return
        entry = {"data": dict(event.data), "metadata": dict(event.metadata)}
        if not notes.get("update"):
            shown.append(entry)
            del shown[:-DISPLAYS]
            return
        entry["metadata"][DISPLAY] = {**notes, "update": False}
        for number, old in enumerate(shown):
            if (old["metadata"].get(DISPLAY) or {}).get("display_id") == notes.get("display_id"):
                shown[number] = entry

    def _node(self, event: NodeFinished) -> dict[str, Any]:
        payload: dict[str, Any] = {"preview": event.preview}
        if event.bundle:
            payload["bundle"] = dict(event.bundle)
        if event.error is not None and event.error.traceback:
            payload["traceback"] = event.error.traceback
        place = (event.node, event.path)
        if place in self._logs:
            payload["logs"] = self._logs.pop(place).kept()
        if place in self._shown:
            payload["displays"] = self._shown.pop(place)
        record: dict[str, Any] = {  # what is not said is NULL, or what the table has for it: most nodes have half of the columns
            "k": "node",
            "execution_id": self.execution_id,
            "node_id": event.node,
            "node_type": event.type,
            "status": event.status,
            "started": event.started_ns,
            "duration": event.duration_ns,
            "attempt": event.attempt,
            "iterations": event.iterations,
            "payload": payload,
        }
        if event.path:
            record["path"] = dotted(event.path)
        if event.status == "failed":
            record["level"] = "error"
        if event.error is not None:
            record |= {"error_type": event.error.type or None, "error_message": event.error.message or None}
        if event.usage is not None:
            usage = event.usage
            record |= {"model": usage.model or None, "tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out, "cost_usd": usage.cost_usd}
        return record


def _nothing_to_write() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done


def dotted(path: tuple[int, ...]) -> str:
    """`(0, 3)` as `0.3`; empty outside loops."""
    return ".".join(map(str, path))


class Logs:
    """One node's output: neighbouring writes to one stream joined, and only the last LOG_CHARACTERS of it all, with a line that says so."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self._characters = 0
        self._lost = 0
        self._began_ns = 0

    def add(self, at_ns: int, stream: str, level: str, text: str) -> None:
        """Takes a write. A node that prints without end costs no more memory than what is kept."""
        self._began_ns = self._began_ns or at_ns
        last = self._entries[-1] if self._entries else None
        if last is None or stream == "log" or last.stream != stream or last.characters + len(text) > _JOINED:
            self._entries.append(_Entry(at_ns, stream, level, [text], len(text)))
        else:
            last.texts.append(text)
            last.characters += len(text)
        self._characters += len(text)
        while self._characters - self._entries[0].characters >= LOG_CHARACTERS:
            gone = self._entries.popleft()
            self._characters -= gone.characters
            self._lost += gone.characters

    def kept(self) -> list[dict[str, Any]]:
        """As the store keeps it."""
        found: list[dict[str, Any]] = []
        for entry in self._entries:
            text = "".join(entry.texts)
            if found and entry.stream != "log" and found[-1]["stream"] == entry.stream:
                found[-1]["text"] += text
            else:
                found.append({"at": entry.at_ns, "stream": entry.stream, "level": entry.level, "text": text})
        over = max(0, self._characters - LOG_CHARACTERS)
        if over:
            found[0]["text"] = found[0]["text"][over:]  # the first entry is longer: else it would be gone
        if lost := self._lost + over:
            found.insert(0, {"at": self._began_ns, "stream": "log", "level": "warn", "text": f"({lost} earlier characters were not kept)"})
        return found


@dataclass(slots=True)
class _Entry:
    at_ns: int
    stream: str
    level: str
    texts: list[str]
    characters: int
