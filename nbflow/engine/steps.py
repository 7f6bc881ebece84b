"""Coroutines advanced step by step, so that one which holds the loop can be interrupted from another thread."""

from __future__ import annotations

import threading
import types
from typing import TYPE_CHECKING, Any

from nbflow.engine.threads import forget_interrupt, interrupt_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from nbflow.engine.call import NodeCall


_lock = threading.Lock()  # one for all: interruptions are rare, executions are not


class Hold:
    """Which call holds the loop's thread right now. Whoever sets `call` to None looks at `interrupted` after it, and then calls `settle`.

    No lock on the way of every node: the interrupter writes `interrupted` before it reads `call`, the loop writes `call` before it
    reads `interrupted`, so one of them sees the other.
    """

    __slots__ = ("_thread", "call", "interrupted")

    def __init__(self) -> None:
        self.call: NodeCall | None = None
        self.interrupted = False
        self._thread = threading.get_ident()

    def interrupt(self) -> bool:
        """From any thread: raises NodeInterrupted in the call that holds the loop. Gives whether there was one."""
        with _lock:
            self.interrupted = True
            if self.call is None:
                self.interrupted = False
                return False
            interrupt_thread(self._thread)
            return True

    def settle(self) -> None:
        """On the loop's thread: an interruption that came too late is not raised any more."""
        with _lock:
            forget_interrupt()
            self.interrupted = False


def step(hold: Hold, call: NodeCall | None, advance: Callable[[Any], Any], argument: Any) -> Any:
    """One step of a coroutine: what it yields. Raises StopIteration at its end, NodeInterrupted when interrupted."""
    hold.call = call
    try:
        return advance(argument)
    finally:
        hold.call = None
        if hold.interrupted:
            hold.settle()


@types.coroutine
def resume(hold: Hold, call: NodeCall | None, steps: Coroutine[Any, Any, Any], given: Any) -> Generator[Any, Any, Any]:
    """Awaits a coroutine whose first step is done already and gave this. Keeps nothing of it: what it gave may hold a big value."""
    advance: Callable[[Any], Any]
    while True:
        try:
            argument = yield given
        except BaseException as error:  # noqa: BLE001 -- passed on into the coroutine
            advance, argument = steps.throw, error
        else:
            advance = steps.send
        try:
            given, argument = step(hold, call, advance, argument), None
        except StopIteration as stop:
            return stop.value


async def stepped(hold: Hold, call: NodeCall | None, steps: Coroutine[Any, Any, Any]) -> Any:
    """Awaits a whole coroutine step by step."""
    try:
        rest = resume(hold, call, steps, step(hold, call, steps.send, None))
    except StopIteration as stop:
        return stop.value
    return await rest
