from __future__ import annotations

import asyncio
import json
import logging
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from nbflow.core.redaction import redactor
from nbflow.server import logs


class Written:
    """All of stderr so far."""

    def __init__(self, capsys):
        self._capsys = capsys
        self._text = ""

    def getvalue(self):
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def written(capsys):
    """What is logged, from `configure` on; afterwards logging is as it was."""
    names = ("", *logs.LIBRARIES, "uvicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers[:], logger.level, logger.propagate, logger.disabled) for logger in loggers]
    raising = logging.raiseExceptions
    yield Written(capsys)
    logging.raiseExceptions = raising
    for logger, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled
        logger.setLevel(level)


def answering(status=200, principal=None):
    async def answer(request):
        if status is None:
            message = "broken inside"
            raise ValueError(message)
        request.scope["state"] |= {"request_id": "the-id", "principal": principal}
        return PlainTextResponse("", status_code=status)

    return logs.RequestLog(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))


async def ask(app, path, method="GET"):
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.request(method, path)
        await asyncio.sleep(0)  # lines are written at the end of the loop's turn
        return answer


def test_a_text_line_is_for_people(written):
    logs.configure("text")
    logging.getLogger("nbflow.server").info("serving at %s", "http://here")
    line = written.getvalue()
    assert line.endswith(" INFO  nbflow.server: serving at http://here\n")
    assert line[4] == line[7] == "-"


def test_a_json_line_is_one_object(written):
    logs.configure("json")
    logging.getLogger("nbflow.server").warning("two\nlines")
    told = json.loads(written.getvalue())
    assert (told["level"], told["logger"], told["message"]) == ("warning", "nbflow.server", "two\nlines")
    assert told["time"].endswith("Z")
    assert written.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_is_logged_without_secrets(written, form):
    logs.configure(form)
    redactor.learn("canary-secret-12345", name="prod-pg")
    try:
        message = "password canary-secret-12345 refused"
        raise ValueError(message)
    except ValueError:
        logging.getLogger("nbflow.server").exception("could not connect with canary-secret-12345")
    assert "ValueError" in written.getvalue()
    assert "[redacted prod-pg]" in written.getvalue()
    assert "canary-secret" not in written.getvalue()


def test_what_comes_from_outside_cannot_make_a_line(written):
    logs.configure("text")
    logging.getLogger("nbflow.server").info("path %s", "/a\n2026 ERROR forged\x1b[2J")
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()


async def test_a_request_is_one_line(written):
    logs.configure("text")
    await ask(answering(202, SimpleNamespace(user=SimpleNamespace(label="Ann"))), "/webhooks/orders", "POST")
    [line] = written.getvalue().splitlines()
    assert "nbflow.request: POST /webhooks/orders 202 duration_ms=" in line
    assert "request_id=the-id user=Ann address=127.0.0.1" in line


async def test_a_request_has_fields_in_json(written):
    logs.configure("json")
    await ask(answering(404), "/nothing")
    told = json.loads(written.getvalue())
    assert {name: told[name] for name in ("method", "path", "status", "request_id", "user", "message")} == {
        "method": "GET",
        "path": "/nothing",
        "status": 404,
        "request_id": "the-id",
        "user": None,
        "message": "GET /nothing 404",
    }
    assert told["duration_ms"] >= 0


async def test_no_query_is_logged(written):
    logs.configure("text", "debug")
    await ask(answering(), "/executions?nbflow_token=canary")
    assert "/executions 200" in written.getvalue()
    assert "canary" not in written.getvalue()


async def test_probes_and_files_are_logged_at_debug_only(written):
    logs.configure("text", "info")
    for path in ("/health", "/static/js/bokeh.min.js", "/metrics"):
        await ask(answering(), path)
    assert not written.getvalue()
    await ask(answering(503), "/health")
    assert "WARN  nbflow.request: GET /health 503" in written.getvalue()


async def test_a_request_that_breaks_is_a_warning(written):
    logs.configure("text", "warning")
    await ask(answering(None), "/broken")
    assert "WARN  nbflow.request: GET /broken 500" in written.getvalue()


async def test_the_level_decides_whether_requests_are_logged(written):
    logs.configure("text", "warning")
    await ask(answering(), "/fine")
    assert not written.getvalue()


@pytest.mark.parametrize("library", ["httpx", "uvicorn.error", "bokeh.server"])
def test_libraries_that_log_addresses_stay_quiet(written, library):
    logs.configure("text", "debug")
    logging.getLogger(library).info("GET https://example.org?key=secret")
    assert not written.getvalue()
    logging.getLogger(library).warning("something is wrong")
    assert "something is wrong" in written.getvalue()
