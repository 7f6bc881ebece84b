"""`flow.respond`."""

import binascii
from typing import Any, Literal

from pydantic import Field

from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError, InputError
from nbflow.core.node import Context, node_type
from nbflow.core.portable import portable

_MEDIA_TYPES = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "binary": "application/octet-stream",
}
_OURS = {"content-length", "transfer-encoding", "connection", "content-type"}


class RespondConfig(NodeConfig):
    """The answer. Without a body it is the input."""

    status: int = Field(default=200, ge=200, le=599, description="HTTP status of the answer.")
    headers: dict[str, str] = Field(default_factory=dict, description="Further headers of the answer.")
    body: Any = Field(default=None, description="What to answer, as a value or with expressions; nothing is the input.")
    format: Literal["json", "text", "html", "binary"] = Field(
        default="json", description="How the body is written; binary takes bytes, or a file of a request."
    )
    media_type: str = Field(default="", description="Content type of the answer; by default that of the format.")


@node_type("flow.respond")
async def respond(config: RespondConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002 - the port's name
    """Answer whoever waits for the flow, such as a webhook's caller.

    The flow goes on afterwards, with the input unchanged. The first answer counts. When nobody waits, the answer is only recorded.
    Raises ConfigError for a header that cannot be sent, InputError for a body that does not fit the format.
    """
    headers = {name: _header(name, value) for name, value in config.headers.items()}
    value = input if config.body is None else config.body
    body, media_type = _body(config.format, value)
    ctx.respond(body, status=config.status, headers=headers, media_type=config.media_type or media_type)
    return input


def _header(name: str, value: str) -> str:
    if name.lower() in _OURS:
        msg = f"'{name}' is set by the server; for Content-Type use the field media_type"
        raise ConfigError(msg, field="headers")
    if not name or not name.isascii() or any(char in f"{name}{value}" for char in "\r\n\0") or any(char in " :" for char in name):
        msg = f"{name!r} cannot be sent as a header; take out spaces and line ends"
        raise ConfigError(msg, field="headers")
    return value


def _body(format_: str, value: Any) -> tuple[str | bytes, str]:
    media_type = _MEDIA_TYPES[format_]
    if format_ == "binary":
        if isinstance(value, dict) and isinstance(value.get("data"), bytes):  # a file of a request
            return value["data"], str(value.get("content_type") or media_type)
        if not isinstance(value, bytes | bytearray | memoryview):
            msg = f"a binary answer is made of bytes, this is {type(value).__name__}; use format text or json"
            raise InputError(msg)
        return bytes(value), media_type
    if format_ == "json":
        import orjson

        return orjson.dumps(portable(value), default=_encoded).decode(), media_type
    if isinstance(value, bytes):
        return value, media_type
    plain = portable(value)
    return ("" if plain is None else plain if isinstance(plain, str) else str(plain)), media_type


def _encoded(value: Any) -> Any:
    """Bytes inside JSON: as text where they are text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return binascii.b2a_base64(value, newline=False).decode("ascii")
    raise TypeError
