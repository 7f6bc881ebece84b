"""What is seen while a flow runs: the live view in a terminal, one line a node elsewhere. On stderr, so that stdout holds results only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbflow.cli.output import console, duration, plain, styled
from nbflow.core.events import NodeFinished, NodeRetried

if TYPE_CHECKING:
    from rich.console import Console

    from nbflow.core.flow import Flow

Sink = Callable[[Any], object]
ITERATIONS = 3  # lines about iterations of one node; failures are always told


@contextmanager
def progress(flow: Flow, *, quiet: bool) -> Iterator[Sink]:
    """A sink for the execution's events while it lasts."""
    if quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        from nbflow.display.terminal import TerminalView

        with TerminalView(flow, console=console(stderr=True)) as view:
            yield view
    else:
        yield Lines(console(stderr=True))


class Lines:
    """A sink that prints a line when a node has ended or is tried again."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._told: dict[str, int] = {}

    def __call__(self, event: Any) -> None:
        """Prints at once: without a terminal somebody may be reading a log."""
        if type(event) is NodeFinished:
            self._finished(event)
        elif type(event) is NodeRetried:
            self._say(f"{plain(event.node)}: try {event.attempt} failed ({plain(event.error.message)}); next in {event.wait_s:.1f} s")

    def _finished(self, event: NodeFinished) -> None:
        if event.path:
            told = self._told[event.node] = self._told.get(event.node, 0) + 1
            if told > ITERATIONS and event.status != "failed":
                return
        place = plain(f"{event.node}[{'.'.join(map(str, event.path))}]" if event.path else event.node)
        count = f", {event.iterations:,} iterations" if event.iterations else ""
        took = f" in {duration(event.duration_ns / 1e6)}" if event.status in {"completed", "failed"} else ""
        error = f": {plain(event.error.type)}: {plain(event.error.message.partition(chr(10))[0])}" if event.error else ""
        self._say(f"{place}: {styled(event.status)}{took}{count}{error}")

    def _say(self, text: str) -> None:
        try:
            self._screen.print(text, soft_wrap=True)
        except OSError:  # nobody reads any more; the execution goes on
            return
