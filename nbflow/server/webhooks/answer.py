"""What a caller gets: a receipt, the last node's value, or what a respond node said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbflow.server.errors import body as error_body
from nbflow.server.execution import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.catalogue.trigger.webhook import WebhookConfig
    from nbflow.server.execution import Response

EXECUTION = b"x-nbflow-execution"
_JSON = b"application/json"
_BINARY = b"application/octet-stream"
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te", "content-type"})


class Answer(NamedTuple):
    """Whole and immutable, so that it can be given any number of times."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def made(status: int, body: bytes, media_type: bytes, execution_id: str, more: list[tuple[bytes, bytes]] | None = None) -> Answer:
    """An answer with its length, its type and the execution's id."""
    headers = [(b"content-length", b"%d" % len(body)), (EXECUTION, execution_id.encode())]
    if body:
        headers.append((b"content-type", media_type))
    return Answer(status, headers + (more or []), body)


def receipt(config: WebhookConfig, execution_id: str) -> Answer:
    """Accepted, and no more: the execution's id."""
    return made(config.response_code or 202, b'{"execution_id":"%s","status":"accepted"}' % execution_id.encode(), _JSON, execution_id)


def of_result(config: WebhookConfig, result: Result) -> Answer:
    """The last node's value, as much of it as the config wants; 500 when the flow failed or the value has no form that can be sent."""
    if result.status != "completed":
        return failed(result)
    wanted = config.response_data
    if wanted == "none":
        return made(config.response_code or 204, b"", _JSON, result.execution_id)
    value = result.last
    if wanted == "first_file":
        value = _first_file(value)
        if value is None:
            message = "the last node gave no file: bytes, or an object with 'data' (bytes), 'name' and 'content_type'"
            return error(500, "no_file", message, result.execution_id)
    elif wanted == "first_json":
        value = _first(value)
    try:
        body, media_type, more = _encoded(value)
    except (TypeError, ValueError) as problem:
        return error(500, "unanswerable", f"the last node's value cannot be sent: {problem}", result.execution_id)
    return made(config.response_code or 200, body, media_type, result.execution_id, more)


def of_response(config: WebhookConfig, response: Response | Result, execution_id: str) -> Answer:
    """What a respond node said; 500 when the flow ended without one."""
    if isinstance(response, Result):
        if response.status != "completed":
            return failed(response)
        message = "the flow ended and no flow.respond node had run; this webhook answers in mode respond_node"
        return error(500, "no_response", message, execution_id)
    body = response.body.encode() if isinstance(response.body, str) else response.body
    status = response.status or config.response_code or 200
    more = [(name.lower().encode("latin-1"), text.encode("latin-1", "replace")) for name, text in _clean(response.headers).items()]
    media_type = next((text for name, text in response.headers.items() if name.lower() == "content-type"), response.media_type)
    return made(status, body, media_type.encode("latin-1", "replace"), execution_id, more)


def failed(result: Result) -> Answer:
    """A caller from outside hears that it failed, and where to look; not why."""
    if result.error is not None and result.error.type == "ServerStopping":
        return error(503, "stopping", result.error.message, result.execution_id)
    ended = "was cancelled" if result.status == "cancelled" else "failed"
    message = f"the execution {ended}; its record tells more: nf.execution('{result.execution_id}')"
    return error(500, f"execution_{result.status}", message, result.execution_id)


def late(seconds: float, execution_id: str) -> Answer:
    """The caller has waited long enough."""
    message = f"no answer within {seconds:g} s (the webhook's field response_timeout); the execution goes on"
    return error(504, "answer_timeout", message, execution_id)


def repeated(config: WebhookConfig, execution_id: str, status: str, outputs: Any) -> Answer:
    """To a repeated request whose answer is no longer in memory: what the history knows. `outputs` are previews, as JSON text."""
    import orjson

    if config.response_mode == "at_once":
        return receipt(config, execution_id)
    known = {"execution_id": execution_id, "status": status, "outputs": orjson.loads(outputs) if outputs else None}
    return made(200 if status == "completed" else 202, orjson.dumps(known), _JSON, execution_id)


def error(status: int, code: str, message: str, execution_id: str) -> Answer:
    """The one shape of errors, of an execution that was accepted."""
    import orjson

    return made(status, orjson.dumps(error_body(code, message, {"execution_id": execution_id})), _JSON, execution_id)


def _clean(headers: Mapping[str, str]) -> dict[str, str]:
    """Without those that belong to the connection, and without line breaks, which would begin another header."""
    return {name: " ".join(text.split()) for name, text in headers.items() if name.lower() not in _OURS and name.isascii()}


def _first(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        value = _records(value)
    return (value[0] if value else None) if isinstance(value, list | tuple) else value


def _first_file(value: Any) -> Any:
    """Bytes, a file as a multipart request has it, or the first such inside a list or object."""
    if isinstance(value, bytes | bytearray) or _is_file(value):
        return value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for item in inside if (found := _first_file(item)) is not None), None)


def _is_file(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("data"), bytes | bytearray)


def _encoded(value: Any) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
    """(body, media type, more headers). Raises TypeError for a value without a form."""
    if isinstance(value, bytes | bytearray):
        return bytes(value), _BINARY, []
    if isinstance(value, str):
        return value.encode("utf-8", "replace"), b"text/plain; charset=utf-8", []
    if _is_file(value):
        from urllib.parse import quote

        media_type = str(value.get("content_type") or "application/octet-stream").encode("latin-1", "replace")
        name = value.get("name")
        disposition = [(b"content-disposition", f"attachment; filename*=UTF-8''{quote(str(name), safe='')}".encode())] if name else []
        return bytes(value["data"]), media_type, disposition
    return as_json(value), _JSON, []


def as_json(value: Any) -> bytes:
    """Tables as lists of records, bytes in base64. Raises TypeError for a value without a form."""
    import orjson

    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        import json

        return json.dumps(value, default=_plain, ensure_ascii=True).encode()  # integers beyond 64 bits


def _plain(value: Any) -> Any:
    """What JSON encoders do not know. Raises TypeError for the rest."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return _records(value)
    if hasattr(value, "to_pylist"):
        return value.to_pylist()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if type(value).__name__ in {"Decimal", "PosixPath", "Timestamp", "timedelta", "Timedelta"}:
        return str(value)
    if isinstance(value, bytes | bytearray):
        import base64

        return base64.b64encode(value).decode()
    msg = f"a {type(value).__name__} has no JSON form; end the flow with a dict, a list, text, a table or bytes"
    raise TypeError(msg)


def _records(table: Any) -> Any:
    import json

    return json.loads(table.to_json(orient="records", date_format="iso"))
