"""An execution in a terminal: a table that follows it, or plain lines where nobody watches (a pipe, a CI log)."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Self, TextIO

from nbflow.core import events
from nbflow.core.redaction import redactor
from nbflow.display.capture import NodeStream
from nbflow.display.look import duration, look_of
from nbflow.display.page import text
from nbflow.display.state import ExecutionState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from nbflow.core.flow import Flow
    from nbflow.display.state import NodeState

_REFRESHES_PER_SECOND = 8
_HEADER_LINES = 5


class TerminalView:
    """A sink (`core.events.Sink`) that writes to the terminal, by default to stderr, so that stdout stays free for results.

    Use it as a context manager around the execution: leaving it gives the terminal back, whatever happened.
    """

    def __init__(self, flow: Flow, *, file: TextIO | None = None, logs: bool = True) -> None:
        from rich.console import Console

        self.state = ExecutionState(flow)
        stream: Any = file or sys.stderr
        while isinstance(stream, NodeStream):  # what is written here must not become a node's output
            stream = stream.wrapped
        self._console: Console = Console(file=stream)
        self._lines: dict[tuple[str, str], str] = {}  # (node, stream): the part of a line after its last newline
        self._logs = logs
        self._lock = threading.RLock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(
                console=self._console,
                get_renderable=self._table,
                refresh_per_second=_REFRESHES_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        if self._console.is_terminal:
            with self._lock:
                self._console.print(self._table(whole=True))
        elif self.state.started_ns is not None:
            self._print(text(self.state))

    def __call__(self, event: Any) -> None:
        """Takes one event, from any thread."""
        with self._lock:
            self.state(event)
            for line in self._told(event):
                self._print(line)

    def _told(self, event: Any) -> Iterator[str]:
        if isinstance(event, events.NodeLogged):
            yield from self._logged(event)
        elif isinstance(event, events.NodeRetried):
            yield f"{event.node}: try {event.attempt} failed ({event.error.type}: {event.error.message}), again in {event.wait_s:.3g} s"
        elif isinstance(event, events.NodeFinished):
            yield from self._rest_of_lines(event.node)
            if event.error is not None and event.status == "failed":
                yield f"{event.node}: {event.error.traceback or f'{event.error.type}: {event.error.message}'}"
            if self._live is None and not event.path:
                look = look_of(event.status)
                yield f"{look.symbol} {event.node} {look.word}" + ("" if event.status == "skipped" else f" in {duration(event.duration_ns)}")
        elif isinstance(event, events.ExecutionStarted) and self._live is None:
            yield f"{look_of('running').symbol} {event.flow} ({event.execution_id})"

    def _logged(self, event: events.NodeLogged) -> Iterator[str]:
        if not self._logs:
            return
        if event.stream not in {"stdout", "stderr"}:
            tag = "" if event.level == "info" else f"{event.level} "
            yield f"{event.node} | {tag}{event.text}"
            return
        *whole, rest = (self._lines.pop((event.node, event.stream), "") + event.text).split("\n")
        if rest:
            self._lines[event.node, event.stream] = rest
        for line in whole:
            yield f"{event.node} | {line.rpartition(chr(13))[2]}"

    def _rest_of_lines(self, node: str) -> Iterator[str]:
        for stream in ("stdout", "stderr"):
            if rest := self._lines.pop((node, stream), ""):
                yield f"{node} | {rest}"

    def _print(self, line: str) -> None:
        self._console.print(redactor.text(line), markup=False, highlight=False, soft_wrap=True)

    def _table(self, *, whole: bool = False) -> Table:
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            state = self.state
            nodes = list(state.nodes.values())
            room = max(3, self._console.height - _HEADER_LINES)
            shown = nodes if whole or len(nodes) <= room else _most_telling(nodes, room - 1)
            look = look_of(state.status)
            table = Table(title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
            table.title = Text.assemble(
                (f"{look.symbol} {state.flow.name} {look.word}", f"bold {look.colour}"),
                (f"  {state.done} of {len(nodes)} nodes · {duration(state.elapsed_ns)}", "dim"),
            )
            for node in shown:
                mark = look_of(node.status)
                style = "dim" if node.status in {"pending", "skipped"} else ""
                told = node.error.message.partition("\n")[0] if node.error is not None and node.status == "failed" else node.message
                table.add_row(
                    Text(mark.symbol, style=mark.colour),
                    Text(node.id, style=style or "bold"),
                    Text(node.status, style=mark.colour),
                    Text(node.detail, style="dim"),
                    Text(told[:80], style="dim"),
                )
            if len(shown) < len(nodes):
                table.add_row("", Text(f"... {len(nodes) - len(shown)} more", style="dim"))
            return table


def _most_telling(nodes: list[NodeState], room: int) -> list[NodeState]:
    """Failed and running ones first, then what ended last; in the flow's order."""
    ranks = {"failed": 0, "running": 1, "waiting": 1, "cancelled": 2, "completed": 3, "pending": 4, "skipped": 5}
    ranked = sorted(nodes, key=lambda node: (ranks.get(node.status, 4), -(node.started_ns or 0)))
    kept = {node.id for node in ranked[:room]}
    return [node for node in nodes if node.id in kept]
