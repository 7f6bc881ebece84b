"""While a node runs, what it prints, logs, warns and displays goes to its own record, from any thread or task.

Everything here is a detour that asks `current_node` first: without a running node every call goes where it went before, only without secrets
once there are any (`core.redaction`): on the standard streams, to the handlers of logging, and in every message of a kernel to its notebook.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from copy import copy
from functools import wraps
from typing import TYPE_CHECKING, Any

from nbflow.core.current import NodeOutput, current_node
from nbflow.core.redaction import redactor
from nbflow.display import figures
from nbflow.display.bundle import bounded
from nbflow.display.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DISPLAY = "nbflow"
"""Key in the metadata of a displayed bundle: `{"display_id": str, "update": bool}` or `{"clear": True}`."""

_KEPT_DISPLAY_IDS = 1000

_lock = threading.RLock()
_publishers: list[Any] = []  # IPython display publishers that have our detour
_consoles: list[Any] = []  # the real streams behind ours
_sessions: list[Any] = []  # of kernels, that have our detour
_display_ids: OrderedDict[str, None] = OrderedDict()  # of displays made inside nodes
_fork_hook: list[bool] = []
_installed: list[Any] = []  # as `_marks` were after the last time
_handling: ContextVar[bool] = ContextVar("_handling", default=False)  # a log record is on its way to the user's handlers


def install() -> None:
    """Puts the detours in place. Cheap and idempotent: call it when an execution starts, since others replace `sys.stdout` too."""
    if _marks() == _installed and _shell() is None:
        return
    with _lock:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, NodeStream):
                setattr(sys, name, NodeStream(name, stream))
                _consoles[:] = [*_consoles[-8:], stream]
        _detour(threading.Thread, "start", _start_thread)
        _detour(ThreadPoolExecutor, "submit", _submit)
        _detour(logging.Logger, "callHandlers", _call_handlers)
        _detour(warnings, "showwarning", _show_warning)
        session = _session()
        if session is not None:
            _detour(session, "serialize", _serialize)
            if session not in _sessions:
                _sessions[:] = [*_sessions[-8:], session]
        publisher = _publisher()
        if publisher is not None:
            _detour(publisher, "publish", _publish)
            _detour(publisher, "clear_output", _clear_output)
            if publisher not in _publishers:
                _publishers[:] = [*_publishers[-8:], publisher]
        figures.install()
        if not _fork_hook:  # a forked child has a copy of the record that nobody reads
            _fork_hook.append(True)
            os.register_at_fork(after_in_child=lambda: current_node.set(None))
        _installed[:] = _marks()


def _marks() -> list[Any]:
    """What others replace."""
    return [sys.stdout, sys.stderr, threading.Thread.start, ThreadPoolExecutor.submit, logging.Logger.callHandlers, warnings.showwarning]


def uninstall() -> None:
    """Takes every detour away."""
    with _lock:
        for name in ("stdout", "stderr"):
            while isinstance(stream := getattr(sys, name), NodeStream):
                setattr(sys, name, stream.wrapped)
        owners: list[tuple[Any, str]] = [
            (threading.Thread, "start"),
            (ThreadPoolExecutor, "submit"),
            (logging.Logger, "callHandlers"),
            (warnings, "showwarning"),
        ]
        owners += [(publisher, name) for publisher in _publishers for name in ("publish", "clear_output")]
        owners += [(session, "serialize") for session in _sessions]
        for owner, name in owners:
            _restore(owner, name)
        _publishers.clear()
        _sessions.clear()
        _consoles.clear()
        figures.uninstall()


def finish(node: NodeOutput, value: Any = None) -> None:
    """At a node's end: figures it left open are rendered into its record and closed. Never raises.

    A figure that is the node's `value` is only closed, because the value is shown anyway.
    """
    figures.finish(node, value)


def _detour(owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    current = getattr(owner, name)
    if not hasattr(current, "nbflow_original"):
        replacement: Any = wraps(current)(make(current))
        replacement.nbflow_original = current
        setattr(owner, name, replacement)


def _restore(owner: Any, name: str) -> None:
    current = getattr(owner, name)
    while hasattr(current, "nbflow_original"):
        current = current.nbflow_original
        setattr(owner, name, current)


class NodeStream:
    """Stands in for sys.stdout or sys.stderr: the running node's own stream, else the wrapped one, which hears no secrets."""

    def __init__(self, name: str, wrapped: Any) -> None:
        self.stream = name
        self.wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __repr__(self) -> str:
        return repr(self.wrapped)

    def __iter__(self) -> Any:
        return iter(self.wrapped)

    def write(self, text: str) -> int | None:
        """As the wrapped stream's."""
        node = current_node.get()
        if node is None:
            if redactor.active and isinstance(text, str):
                self.wrapped.write(redactor.told(text))
                return len(text)
            count: int | None = self.wrapped.write(text)
            return count
        if not isinstance(text, str):
            message = f"write() argument must be str, not {type(text).__name__}"
            raise TypeError(message)
        if not _handling.get():
            node.write(self.stream, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As the wrapped stream's."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """A node's own stream holds nothing back."""
        if current_node.get() is None:
            self.wrapped.flush()

    def isatty(self) -> bool:
        """Whether colours and cursor movements would be understood: never in a node."""
        return current_node.get() is None and bool(self.wrapped.isatty())


# Threads ----------------------------------------------------------------------------------------


def _start_thread(original: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """Threads do not inherit context variables before Python 3.14: hand over the one that counts."""

    def start(self: threading.Thread) -> None:
        node = current_node.get()
        if node is not None:
            run = self.run

            def run_in_node() -> None:
                current_node.set(node)
                run()

            self.run = run_in_node  # type: ignore[method-assign]
        original(self)

    return start


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    """A job belongs to the node that submitted it, a pool's thread to none: later jobs may come from elsewhere."""

    def submit(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        node = current_node.get()
        if node is None:
            return original(self, fn, *args, **kwargs)

        def run_in_node() -> Any:
            token = current_node.set(node)
            try:
                return fn(*args, **kwargs)
            finally:
                current_node.reset(token)

        token = current_node.set(None)
        try:
            return original(self, run_in_node)
        finally:
            current_node.reset(token)

    return submit


# logging and warnings ---------------------------------------------------------------------------


def _call_handlers(original: Callable[..., None]) -> Callable[..., None]:
    """A handler on the root logger would be simpler, but it would turn `logging.basicConfig()` into nothing."""

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        node = current_node.get()
        if redactor.active and not _handling.get():
            record = _without_secrets(record)
        if node is None or _handling.get():
            original(self, record)
            return
        seen = {"console": False, "shown": False}
        logger: logging.Logger | None = self
        root_reached = False
        token = _handling.set(True)
        try:
            while logger is not None:
                for handler in logger.handlers:
                    reached = record.levelno >= handler.level
                    if _is_console(handler):
                        seen["console"] = True
                        seen["shown"] = seen["shown"] or reached
                    elif reached:
                        handler.handle(record)
                root_reached = logger.parent is None
                logger = logger.parent if logger.propagate else None
        finally:
            _handling.reset(token)
        if seen["shown"] or (root_reached and not seen["console"]):
            node.log(_text_of(record), level_name(record.levelno))

    return call_handlers


def _without_secrets(record: logging.LogRecord) -> logging.LogRecord:
    """The record, or a copy in which message and traceback are texts already when there was something in them."""
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001  a wrong format string is the handlers' business
        return record
    clean = redactor.text(message)
    trace = record.exc_text or (logging.Formatter().formatException(record.exc_info) if record.exc_info else "")
    clean_trace = redactor.text(trace)
    if clean is message and clean_trace is trace:
        return record
    record = copy(record)
    record.msg, record.args = clean, None
    if clean_trace is not trace:
        record.exc_info, record.exc_text = None, clean_trace
    return record


def _is_console(handler: logging.Handler) -> bool:
    """Whether this handler would write to the cell or the terminal (rich's handler has a console, not a stream)."""
    stream = getattr(handler, "stream", None) or getattr(getattr(handler, "console", None), "file", None)
    real = stream.wrapped if isinstance(stream, NodeStream) else stream
    return real is not None and any(real is item for item in (*_consoles, sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr))


def level_name(level: int) -> str:
    """The store's word (debug, info, warn, error) for a level of the logging module."""
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warn"
    return "info" if level >= logging.INFO else "debug"


def _text_of(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001  a wrong format string must not fail the node
        text = f"{record.msg} (cannot be formatted: {error})"
    if record.name not in {"root", "__main__"}:
        text = f"{record.name}: {text}"
    if record.exc_text and not record.exc_info:
        text += "\n" + record.exc_text
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    return text


def _show_warning(original: Callable[..., None]) -> Callable[..., None]:
    def showwarning(  # noqa: PLR0917  the hook's own signature
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        node = current_node.get()
        if node is None or file is not None:
            original(message, category, filename, lineno, file, line)
        else:
            node.log(f"{place_of(filename)}:{lineno}: {category.__name__}: {message}", "warn")

    return showwarning


# Display ----------------------------------------------------------------------------------------


def _shell() -> Any:
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _publisher() -> Any:
    shell = _shell()
    return None if shell is None else shell.display_pub


def _session() -> Any:
    """What signs and sends all messages of this process's kernel, if it is one."""
    return getattr(getattr(_shell(), "kernel", None), "session", None)


_SHOWN = frozenset(  # messages that carry what somebody will see, or what is saved with a notebook
    {"stream", "display_data", "update_display_data", "execute_result", "error", "execute_reply", "inspect_reply", "comm_open", "comm_msg"}
)


def _serialize(original: Callable[..., Any]) -> Callable[..., Any]:
    """Whatever shows a secret in a cell (a value, a widget, a traceback of any kind), all of it passes here on its way out."""

    def serialize(msg: dict[str, Any], ident: Any = None) -> Any:
        if redactor.active and msg.get("msg_type") in _SHOWN:
            msg = {**msg, "content": redactor.told(msg.get("content")), "metadata": redactor.told(msg.get("metadata"))}
        return original(msg, ident)

    return serialize


def _publish(original: Callable[..., None]) -> Callable[..., None]:
    def publish(
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *args: Any,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        node = current_node.get()
        display_id = (transient or {}).get("display_id")
        # a node that updates a display made in a cell means that display
        if node is None or (update and display_id not in _display_ids):
            original(data, metadata, *args, transient=transient, update=update, **kwargs)
            return
        notes = dict(metadata or {})
        if display_id is not None:
            notes[DISPLAY] = {"display_id": display_id, "update": update}
            with _lock:
                _display_ids[display_id] = None
                while len(_display_ids) > _KEPT_DISPLAY_IDS:
                    _display_ids.popitem(last=False)
        node.display(bounded(data), notes)

    return publish


def _clear_output(original: Callable[..., None]) -> Callable[..., None]:
    def clear_output(*args: Any, **kwargs: Any) -> None:
        node = current_node.get()
        if node is None:
            original(*args, **kwargs)
        else:
            node.display({}, {DISPLAY: {"clear": True}})

    return clear_output
