"""The server's logs: lines for people or JSON lines for programs, one request log, no secret in either.

Of a request's address only the path is logged: queries carry tokens. Libraries that log addresses or headers of what they call stay at WARNING.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIBRARIES = ("asyncio", "bokeh", "bokeh_fastapi", "httpcore", "httpx", "panel", "param", "tornado", "urllib3", "uvicorn", "websockets")
_QUIET = ("/health", "/api/v1/health", "/static/", "/metrics", "/api/v1/metrics")  # asked for all the time: logged at `debug`
_LEVELS = {"warning": "WARN", "critical": "ERROR"}
_FACTS = "facts"  # the attribute of a record that holds what a JSON line has as fields of their own
_TOLD = frozenset({"method", "path", "status"})  # by the message of a request already
_SERVER_ERROR = 500

log = logging.getLogger("nbflow.request")


class _Formatter(logging.Formatter):
    """Every secret that is known leaves the finished line, traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        line = self._line(record)
        return redactor.text(line) if redactor.active else line

    def _line(self, record: logging.LogRecord) -> str:
        raise NotImplementedError


class TextFormatter(_Formatter):
    """`2026-11-24 09:30:00.123 INFO  nbflow.server: message key=value`, local time; a traceback follows on its own lines."""

    def _line(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone()
        level = _LEVELS.get(record.levelname.lower(), record.levelname)
        facts = "".join(f" {name}={value}" for name, value in getattr(record, _FACTS, {}).items() if name not in _TOLD and value not in {None, ""})
        text = _printable(f"{record.getMessage()}{facts}")
        line = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} {level:<5} {record.name}: {text}"
        return f"{line}\n{_trace(record)}" if record.exc_info else line


class JsonFormatter(_Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, the record's own facts, and `traceback` when there is one."""

    def _line(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FACTS, {}),
        }
        if record.exc_info:
            told["traceback"] = _trace(record)
        return orjson.dumps(told, default=str, option=orjson.OPT_UTC_Z).decode()


def configure(format_: Literal["text", "json"] = "text", level: str = "info") -> None:
    """Sends all logging of the process to stderr in this form; uvicorn's own access log is replaced by `RequestLog`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format_ == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING, root.level))
    logging.getLogger("uvicorn.access").disabled = True
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
    log.log(level, "%s %s %s", method, scope["path"], status, extra={_FACTS: {"method": method, "path": scope["path"], "status": status, **facts}})


def _level(scope: Scope) -> int:
    return logging.DEBUG if scope.get("path", "").startswith(_QUIET) else logging.INFO


def _printable(text: str) -> str:
    """One line: what comes from outside (a path, a name) cannot begin a line of its own or move a terminal's cursor."""
    return text if text.isprintable() else "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _trace(record: logging.LogRecord) -> str:
    return "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else ""
