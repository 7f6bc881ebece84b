"""A request's bytes as the value that a flow works with, by their content type."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

from nbflow.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

Parsed = tuple[Any, dict[str, Any]]  # body, files
_LONG_INTEGER = re.compile(rb"\d{19}")  # beyond 64 bits orjson gives a float
_FORM = "application/x-www-form-urlencoded"


def parse_body(raw: bytes, headers: Mapping[str, str]) -> Parsed:
    """JSON, forms, multipart and text are parsed; anything else stays bytes; nothing is None.

    Raises ApiError: 400 for a body that is not what its type says, 415 for an encoding that is not read.
    """
    if not raw:
        return None, {}
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        msg = f"a body with Content-Encoding {encoding} is not read; send it uncompressed, or let the webhook take bytes (its field raw_body)"
        raise ApiError(415, "unsupported_encoding", msg)
    declared = headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return parse_json(raw), {}
    if kind == _FORM:
        return _form(raw), {}
    if kind == "multipart/form-data":
        from nbflow.server.webhooks.multipart import parse_multipart

        return parse_multipart(raw, declared)
    if kind.startswith("text/") or kind in {"application/xml", "application/javascript"} or kind.endswith("+xml"):
        return _text(raw, declared), {}
    return (_undeclared(raw) if not kind else raw), {}


def parse_json(raw: bytes) -> Any:
    """Integers of any size stay exact. Raises ApiError that names line and column."""
    import orjson

    try:
        if _LONG_INTEGER.search(raw) is None:
            return orjson.loads(raw)
        import json

        orjson.loads(raw)  # NaN and lone surrogates are no JSON here either
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        msg = f"the body is not JSON: {error}"
        raise ApiError(400, "malformed_json", msg) from None


def _form(raw: bytes) -> Any:
    """`curl -d '{...}'` calls its JSON a form. A browser would have escaped the brace, so no real form begins with one."""
    from nbflow.server.webhooks.request import fields_of

    if raw[:1] in {b"{", b"["}:
        import orjson

        try:
            return orjson.loads(raw)
        except ValueError:
            pass
    return fields_of(raw.decode("latin-1"), "form")


def _text(raw: bytes, declared: str) -> str | bytes:
    """Without a charset UTF-8, or bytes where it is not."""
    from email.message import Message

    message = Message()
    message["Content-Type"] = declared
    charset = message.get_param("charset")
    if not isinstance(charset, str):
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw
    try:
        codecs.lookup(charset)
        return raw.decode(charset)
    except LookupError:
        msg = f"the charset {charset!r} of the body is not known; send UTF-8"
        raise ApiError(415, "unsupported_charset", msg) from None
    except UnicodeError:
        msg = f"the body is not {charset}, as its content type says"
        raise ApiError(400, "malformed_text", msg) from None


def _undeclared(raw: bytes) -> Any:
    """Whatever it looks like: JSON, text, bytes."""
    try:
        return parse_json(raw)
    except ApiError:
        return _text(raw, "text/plain")
