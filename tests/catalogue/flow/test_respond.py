"""`flow.respond`: what the caller gets, in each format."""

import pandas as pd
import pytest
from pydantic import ValidationError

from nbflow.core.errors import ConfigError, InputError
from nbflow.testing import run_node


async def respond(ctx, config, value=None):
    assert await run_node("flow.respond", config, value, ctx=ctx) is value
    (answer,) = ctx.responses
    return answer


async def test_without_a_body_the_input_is_the_answer(ctx):
    answer = await respond(ctx, {}, {"a": 1})
    assert (answer["body"], answer["status"], answer["media_type"]) == ('{"a":1}', 200, "application/json")


async def test_tables_bytes_and_texts_have_a_json_form(ctx):
    value = {"rows": pd.DataFrame({"a": [1, 2]}), "raw": b"text", "picture": b"\xff\x00", "none": None}
    answer = await respond(ctx, {"status": 201}, value)
    assert answer["body"] == '{"rows":[{"a":1},{"a":2}],"raw":"text","picture":"/wA=","none":null}'
    assert answer["status"] == 201


@pytest.mark.parametrize(
    ("format_", "body", "said", "media_type"),
    [
        ("text", "plain", "plain", "text/plain; charset=utf-8"),
        ("text", 12, "12", "text/plain; charset=utf-8"),
        ("text", b"raw", b"raw", "text/plain; charset=utf-8"),
        ("html", "<b>x</b>", "<b>x</b>", "text/html; charset=utf-8"),
        ("binary", b"\x00", b"\x00", "application/octet-stream"),
        ("binary", {"data": b"x", "content_type": "image/png"}, b"x", "image/png"),
    ],
)
async def test_the_format_decides_how_it_is_written(ctx, format_, body, said, media_type):
    answer = await respond(ctx, {"format": format_, "body": body})
    assert (answer["body"], answer["media_type"]) == (said, media_type)


async def test_media_type_and_headers_can_be_chosen(ctx):
    answer = await respond(ctx, {"media_type": "text/csv", "format": "text", "body": "a,b", "headers": {"X-Total": "2"}})
    assert (answer["media_type"], answer["headers"]) == ("text/csv", {"X-Total": "2"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("Content-Length", "3", "'Content-Length' is set by the server"),
        ("Content-Type", "x", "use the field media_type"),
        ("X\r\nEvil", "1", "take out spaces and line ends"),
        ("X-A", "1\r\nSet-Cookie: a", "take out spaces and line ends"),
        ("", "1", "cannot be sent as a header"),
    ],
)
async def test_a_header_that_cannot_be_sent_is_refused(ctx, name, value, says):
    with pytest.raises(ConfigError, match=says):
        await respond(ctx, {"headers": {name: value}}, 1)


async def test_a_binary_answer_needs_bytes(ctx):
    with pytest.raises(InputError, match="a binary answer is made of bytes, this is dict; use format text or json"):
        await respond(ctx, {"format": "binary"}, {"a": 1})


async def test_a_status_outside_of_http_is_refused(ctx):
    with pytest.raises(ValidationError, match="less than or equal to 599"):
        await respond(ctx, {"status": 700}, 1)
