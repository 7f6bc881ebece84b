"""The server's logs: lines for people or JSON lines for programs, one request log, no secret in either.

Of a request's address only the path is logged: queries carry tokens. Libraries that log addresses or headers of what they call stay at WARNING.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIBRARIES = ("asyncio", "bokeh", "bokeh_fastapi", "httpcore", "httpx", "panel", "param", "tornado", "urllib3", "uvicorn", "websockets")
_QUIET = ("/health", "/api/v1/health", "/static/", "/metrics", "/api/v1/metrics")  # asked for all the time: logged at `debug`
_LEVELS = {"warning": "WARN", "critical": "ERROR"}
_FACTS = "facts"  # the attribute of a record that holds what a JSON line has as fields of their own
_TOLD = frozenset({"method", "path", "status"})  # by the message of a request already
_SERVER_ERROR = 500

log = logging.getLogger("nbflow.request")


@lru_cache(maxsize=4)
def _local_time(second: int) -> str:
    """Formatted once a second, not once a line."""
    return f"{datetime.fromtimestamp(second).astimezone():%Y-%m-%d %H:%M:%S}"


class Entry(NamedTuple):
    """What a line tells. `level` in small letters."""

    created_s: float
    level: str
    name: str
    message: str
    facts: Mapping[str, Any]
    trace: str = ""


class _Formatter(logging.Formatter):
    """Every secret that is known leaves the finished line, traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, _FACTS, None) or {}
        return self.line(Entry(record.created, record.levelname.lower(), record.name, record.getMessage(), facts, _trace(record)))

    def line(self, entry: Entry) -> str:
        """As it is written."""
        line = self._line(entry)
        return redactor.text(line) if redactor.active else line

    def _line(self, entry: Entry) -> str:
        raise NotImplementedError


class TextFormatter(_Formatter):
    """`2026-11-24 09:30:00.123 INFO  nbflow.server: message key=value`, local time; a traceback follows on its own lines."""

    def _line(self, entry: Entry) -> str:
        second, part = divmod(entry.created_s, 1)
        told = [f" {fact}={value}" for fact, value in entry.facts.items() if fact not in _TOLD and value is not None and value != ""]
        text = _printable(f"{entry.message}{''.join(told)}")
        level = _LEVELS.get(entry.level) or entry.level.upper()
        line = f"{_local_time(int(second))}.{int(part * 1000):03d} {level:<5} {entry.name}: {text}"
        return f"{line}\n{entry.trace}" if entry.trace else line


class JsonFormatter(_Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, the record's own facts, and `traceback` when there is one."""

    def _line(self, entry: Entry) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(entry.created_s, UTC),
            "level": entry.level,
            "logger": entry.name,
            "message": entry.message,
            **entry.facts,
        }
        if entry.trace:
            told["traceback"] = entry.trace
        return orjson.dumps(told, default=str, option=orjson.OPT_UTC_Z).decode()


class _Console(logging.StreamHandler[Any]):
    """Where all lines go."""

    def __init__(self, form: _Formatter) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(form)
        self._form = form
        self._told: list[str] = []

    def tell(self, entry: Entry) -> None:
        """Like a record that came here, without making one: that takes longer than the line. One turn of the loop is written at once."""
        if not self._told:
            asyncio.get_running_loop().call_soon(self.write_out)
        self._told.append(self._form.line(entry) + self.terminator)

    def write_out(self) -> None:
        """Writes what was told."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):  # a reader of the log that goes away must not stop the server
            told, self._told = self._told, []
            if told:
                self.stream.write("".join(told))
                self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """After what came before."""
        self.write_out()
        super().emit(record)

    def is_all(self) -> bool:
        """Whether nobody else wants to hear of requests."""
        return logging.root.handlers == [self] and not log.handlers and log.propagate and not log.filters and not log.disabled


def configure(format_: Literal["text", "json"] = "text", level: str = "info") -> None:
    """Sends all logging of the process to stderr in this form; uvicorn's own access log is replaced by `RequestLog`."""
    root = logging.getLogger()
    root.handlers[:] = [_Console(JsonFormatter() if format_ == "json" else TextFormatter())]
    root.setLevel(level.upper())
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING, root.level))
    logging.getLogger("uvicorn.access").disabled = True
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line tells them, and each record would look them up
    logging.raiseExceptions = False  # a reader of the log that goes away must not stop the server


class RequestLog:
    """ASGI: one line a request, with method, path, status, duration, request id and who asked. The outermost layer; `serve` puts it on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Logs when the answer is done. A websocket is logged when it closes."""
        level = _level(scope)
        if scope["type"] == "lifespan" or not log.isEnabledFor(logging.WARNING):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})  # the inner layers leave the id and the principal there
        status = 0
        began = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close" and not status:
                status = 403
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException:
            status = status or _SERVER_ERROR
            raise
        finally:
            level = logging.WARNING if status >= _SERVER_ERROR else level
            if log.isEnabledFor(level):
                _note(scope, state, level, status, (time.perf_counter() - began) * 1000)


def _note(scope: Scope, state: dict[str, Any], level: int, status: int, duration_ms: float) -> None:
    principal = state.get("principal")
    method = "SOCKET" if scope["type"] == "websocket" else scope["method"]
    facts = {
        "duration_ms": round(duration_ms, 1),
        "request_id": state.get("request_id"),
        "user": None if principal is None else principal.user.label,
        "address": scope["client"][0] if scope.get("client") else None,
    }
    facts = {"method": method, "path": scope["path"], "status": status, **facts}
    console = logging.root.handlers[0] if logging.root.handlers else None
    if isinstance(console, _Console) and console.is_all():
        console.tell(Entry(time.time(), logging.getLevelName(level).lower(), log.name, f"{method} {scope['path']} {status}", facts))
    else:
        log.log(level, "%s %s %s", method, scope["path"], status, extra={_FACTS: facts})


def _level(scope: Scope) -> int:
    return logging.DEBUG if scope.get("path", "").startswith(_QUIET) else logging.INFO


def _printable(text: str) -> str:
    """One line: what comes from outside (a path, a name) cannot begin a line of its own or move a terminal's cursor."""
    return text if text.isprintable() else "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _trace(record: logging.LogRecord) -> str:
    return "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else ""
