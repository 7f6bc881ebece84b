"""The live view of one execution: one display in a notebook, updated while it runs, static once it has ended.

A kernel may send about a thousand messages and one megabyte a second before Jupyter's server drops some. All views of a process
share one thread that stays far below: a view is sent when it changed, at most five times a second, less often when it is big.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from nbflow.core.current import current_node
from nbflow.core.events import ExecutionFinished
from nbflow.display.graph import place_of
from nbflow.display.page import html, text
from nbflow.display.state import ExecutionState

if TYPE_CHECKING:
    from nbflow.core.flow import Flow
    from nbflow.display.layout import Placement

MAX_UPDATES_PER_SECOND = 5.0  # of one view
MAX_MESSAGES_PER_SECOND = 10.0  # of all views of this process
MAX_BYTES_PER_SECOND = 250_000  # of all views of this process
_IDLE_SHARE = 9  # drawing takes at most a tenth of the time from the execution


class LiveView:
    """A sink (`core.events.Sink`) that shows what it is told. As the last value of a cell it displays itself, in several cells if wanted."""

    def __init__(self, flow: Flow) -> None:
        self.state = ExecutionState(flow)
        self._lock = threading.RLock()  # a finalizer may print in the middle of an event
        self._sending = threading.Lock()  # two senders would overtake each other
        self._placement: Placement | None = None  # made when first drawn: most executions are never looked at
        self._display_id = uuid.uuid4().hex
        self._shown = False
        self._changes = 0  # counted, to know whether what was sent is still true
        self._sent = 0
        self._next_time = 0.0

    def __call__(self, event: Any) -> None:
        """Keeps an event. Quick, from any thread."""
        with self._lock:
            self.state(event)
            self._changes += 1
        if self._shown:
            _pacer.wake(at_once=type(event) is ExecutionFinished)

    def display(self) -> None:
        """Shows the view here, in the running cell; from then on it follows the execution. Outside a kernel it prints the text form."""
        if not in_kernel():
            print(self.text())  # noqa: T201  what display() does outside of notebooks
            return
        from IPython.display import publish_display_data

        with self._sending:
            changes, data = self._render()
            publish_display_data(data, transient={"display_id": self._display_id})
            self._shown, self._sent = True, max(self._sent, changes)
        if not self.state.ended:
            _pacer.add(self)

    _ipython_display_ = display

    def flush(self) -> None:
        """Sends what has not been sent yet, now. To be called before a cell that waits for the execution ends: later would be too late.

        nbclient and papermill keep only what is sent while a cell runs.
        """
        if self._shown and self._sent != self._changes:
            self._send()

    def html(self) -> str:
        """The view as HTML, as it is now."""
        with self._lock:
            return self._html()

    def text(self) -> str:
        """The view as plain text, as it is now."""
        with self._lock:
            return text(self.state)

    def _render(self) -> tuple[int, dict[str, str]]:
        with self._lock:
            return self._changes, {"text/html": self._html(), "text/plain": text(self.state)}

    def _html(self) -> str:
        if self._placement is None:
            self._placement = place_of(self.state.flow)
        return html(self.state, placement=self._placement)

    def _send(self) -> int:
        """One update message; gives its size in bytes. By its display id it finds the cell, whichever cell runs now."""
        from IPython.display import publish_display_data

        with self._sending:
            changes, data = self._render()
            token = current_node.set(None)
            try:
                publish_display_data(data, transient={"display_id": self._display_id}, update=True)
            finally:
                current_node.reset(token)
            self._sent = changes
        return sum(map(len, data.values()))


def in_kernel() -> bool:
    """Whether this process is a Jupyter kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class _Pacer:
    """The one thread that sends updates. It ends when no shown view can change any more."""

    def __init__(self) -> None:
        self._views: list[LiveView] = []
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, view: LiveView) -> None:
        with self._lock:
            if view not in self._views:
                self._views.append(view)
            if self._thread is None:
                token = current_node.set(None)  # the thread belongs to no node, whoever starts it
                try:
                    self._thread = threading.Thread(target=self._run, name="nbflow-display", daemon=True)
                    self._thread.start()
                finally:
                    current_node.reset(token)
        self.wake(at_once=False)

    def wake(self, *, at_once: bool) -> None:
        if not self._changed.is_set():
            self._changed.set()
        if at_once:
            self._hurry.set()

    def _run(self) -> None:
        while True:
            self._changed.wait(timeout=1.0)  # elapsed time goes on without events
            self._changed.clear()
            with self._lock:
                views = list(self._views)
            for view in views:
                self._update(view)
            with self._lock:
                self._views = [view for view in self._views if not (view.state.ended and view._sent == view._changes)]  # noqa: SLF001
                if not self._views:
                    self._thread = None
                    return
            self._hurry.wait(timeout=1 / MAX_MESSAGES_PER_SECOND)
            self._hurry.clear()
            if any(view._sent != view._changes for view in views):  # noqa: SLF001
                self._changed.set()

    def _update(self, view: LiveView) -> None:
        now = time.monotonic()
        if now < view._next_time and not view.state.ended:  # noqa: SLF001
            return
        if view._sent == view._changes and (view.state.ended or now < view._next_time + 1):  # noqa: SLF001
            return
        size = 0
        try:
            size = view._send()  # noqa: SLF001
        except Exception:  # noqa: BLE001  a kernel that shuts down; the execution must not notice
            view._sent = view._changes  # noqa: SLF001
        share = max(1, len(self._views))
        spent = time.monotonic() - now
        wait = max(1 / MAX_UPDATES_PER_SECOND, share / MAX_MESSAGES_PER_SECOND, size * share / MAX_BYTES_PER_SECOND, spent * _IDLE_SHARE)
        view._next_time = time.monotonic() + wait  # noqa: SLF001


_pacer = _Pacer()
