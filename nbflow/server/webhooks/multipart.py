"""Multipart forms (RFC 7578): fields as text, files as bytes with their names and content types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from nbflow.server.errors import ApiError

_PARTS = 1000


@dataclass(slots=True)
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class _Collector:
    """What the parser tells, as parts."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.ended = False
        self._name = b""
        self._text = b""

    def begin(self) -> None:
        if len(self.parts) == _PARTS:
            _malformed(f"it has more than {_PARTS} parts")
        self.parts.append(_Part())

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_text(self, data: bytes, start: int, end: int) -> None:
        self._text += data[start:end]

    def header_end(self) -> None:
        self.parts[-1].headers[self._name.decode("latin-1").lower()] = self._text
        self._name = self._text = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]

    def end(self) -> None:
        self.ended = True


def parse_multipart(raw: bytes, content_type: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(fields, files) by name, a list where a name occurs several times. A file is `{"name", "content_type", "data": bytes}`.

    Raises ApiError for a body that breaks its form or ends early.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    from nbflow.server.webhooks.request import gathered

    boundary = parse_options_header(content_type.encode("latin-1"))[1].get(b"boundary")
    if not boundary:
        _malformed("its content type names no boundary")
    collector = _Collector()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.begin,
                "on_header_field": collector.header_name,
                "on_header_value": collector.header_text,
                "on_header_end": collector.header_end,
                "on_part_data": collector.data,
                "on_end": collector.end,
            },
        )
        parser.write(raw)
        parser.finalize()
    except FormParserError as error:
        _malformed(str(error))
    if not collector.ended:
        _malformed("it ends before its last boundary")
    fields: list[tuple[str, Any]] = []
    files: list[tuple[str, Any]] = []
    for part in collector.parts:
        options = parse_options_header(part.headers.get("content-disposition", b""))[1]
        if b"name" not in options:
            _malformed("a part has no name")
        name = options[b"name"].decode("utf-8", "replace")
        if b"filename" in options:
            content = part.headers.get("content-type", b"application/octet-stream").decode("latin-1")
            files.append((name, {"name": options[b"filename"].decode("utf-8", "replace"), "content_type": content, "data": bytes(part.data)}))
        else:
            fields.append((name, part.data.decode("utf-8", "replace")))
    return gathered(fields), gathered(files)


def _malformed(why: str) -> NoReturn:
    msg = f"the multipart body cannot be read: {why}"
    raise ApiError(400, "malformed_multipart", msg) from None
