"""A request as it came: headers, address, the raw bytes of its body, and the value that a flow gets of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from nbflow.server.errors import ApiError
from nbflow.server.webhooks.body import parse_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

BODY_S = 60.0  # for the whole body to come
_FIELDS = 1000  # most parameters of a query or form
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


class CallerGoneError(Exception):
    """The connection ended before the request did: nobody is left to be answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRequest:
    """`headers` have small letters, repeated ones joined; `segments` is the decoded path; `query` the raw text after `?`."""

    method: str
    segments: tuple[str, ...]
    headers: Mapping[str, str]
    query: bytes
    address: str  # the caller's; empty on a Unix socket

    @property
    def path(self) -> str:
        """As a webhook's config writes it."""
        return "/" + "/".join(self.segments)

    def value(self, raw: bytes, params: Mapping[str, str], *, raw_body: bool, secret_header: str = "") -> dict[str, Any]:
        """What the flow gets. Headers that carry secrets are not in it. Raises ApiError for a body that cannot be read."""
        hidden = _SECRET | {secret_header}
        body, files = (raw, {}) if raw_body else parse_body(raw, self.headers)
        return {
            "method": self.method,
            "path": self.path,
            "headers": {name: text for name, text in self.headers.items() if name not in hidden},
            "params": dict(params),
            "query": fields_of(self.query.decode("latin-1"), "query") if self.query else {},
            "body": body,
            "files": files,
        }


def read_head(scope: Mapping[str, Any], prefix: str) -> WebhookRequest:
    """The request without its body. `prefix` is the part of the path before the webhook's own."""
    headers: dict[str, str] = {}
    for raw_name, raw_text in scope["headers"]:
        name, text = raw_name.decode("latin-1"), raw_text.decode("latin-1")
        headers[name] = text if name not in headers else f"{headers[name]}{'; ' if name == 'cookie' else ', '}{text}"
    client = scope.get("client")
    return WebhookRequest(
        method=scope["method"].upper(),
        segments=_segments(scope, prefix),
        headers=headers,
        query=scope.get("query_string", b""),
        address=client[0] if client else "",
    )


def _segments(scope: Mapping[str, Any], prefix: str) -> tuple[str, ...]:
    """Split before decoding, so that a segment may hold %2F."""
    raw: bytes = scope.get("raw_path") or b""
    path = raw.decode("latin-1") if b"%" in raw else scope["path"]
    path = path.removeprefix(scope.get("root_path", "")).removeprefix(prefix).strip("/")
    parts = path.split("/")
    return tuple(map(unquote, parts)) if "%" in path else tuple(parts)


def fields_of(text: str, what: str) -> dict[str, Any]:
    """`a=1&b=2&b=3` as `{"a": "1", "b": ["2", "3"]}`. Raises ApiError for more than 1,000 fields."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        msg = f"the {what} has more than {_FIELDS} fields"
        raise ApiError(400, "malformed_request", msg) from None
    return gathered(pairs)


def gathered(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A name that occurs several times has a list."""
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


async def read_body(receive: Callable[[], Awaitable[Any]], headers: Mapping[str, str], most_bytes: int) -> bytes:
    """The exact bytes. Reads no further than the limit, whatever the headers say.

    Raises ApiError (413; 408 when it does not come within a minute) and CallerGoneError.
    """
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > most_bytes:
        raise _too_large(most_bytes, more=True)
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
        return body
    chunks, size = [body], len(body)
    try:
        async with asyncio.timeout(BODY_S):
            while message.get("more_body"):
                if size > most_bytes:
                    raise _too_large(most_bytes, more=True)
                message = await _next(receive)
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
    except TimeoutError:
        msg = f"the body did not come within {BODY_S:g} s"
        raise ApiError(408, "body_timeout", msg, headers={"Connection": "close"}) from None
    if size > most_bytes:
        raise _too_large(most_bytes)
    return b"".join(chunks)


async def _next(receive: Callable[[], Awaitable[Any]]) -> Any:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerGoneError
    return message


def _too_large(most_bytes: int, *, more: bool = False) -> ApiError:
    """`more` of it is still on its way: the connection is of no use afterwards."""
    msg = f"the body is larger than the {most_bytes} bytes that this webhook takes (its field max_body_bytes, or the server's max_body_bytes)"
    headers = {"Connection": "close"} if more else None
    return ApiError(413, "body_too_large", msg, details={"max_body_bytes": most_bytes}, headers=headers)
