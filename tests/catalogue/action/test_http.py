import asyncio
import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from nbflow.catalogue.public_network import guarded, is_public, network_of
from nbflow.core.errors import ConfigError, InputError, LimitError, NodeTimeoutError, ProtocolError, RateLimitedError, RemoteError
from nbflow.testing import FakeContext, run_node


class Server:
    """A real server on a real socket. Routes are functions of the handler; `seen` keeps what came."""

    def __init__(self) -> None:
        self.seen: list[dict] = []
        self.routes: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                parts = urlsplit(self.path)
                server.seen.append(
                    {
                        "method": self.command,
                        "path": parts.path,
                        "query": parse_qsl(parts.query),
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": body,
                    }
                )
                server.routes.get(parts.path, lambda handler: reply(handler, json_body=server.seen[-1] | {"body": body.decode("latin-1")}))(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # clients that go away are what these tests are about
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"", *, json_body: object = None, **headers: str) -> None:
    if json_body is not None:
        body = json.dumps(json_body).encode()
        headers.setdefault("content_type", "application/json")
    handler.send_response(status)
    headers.setdefault("content_length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@asynccontextmanager
async def context(tmp_path: Path | None = None, **more: object):
    async with httpx.AsyncClient(trust_env=False) as client:
        yield FakeContext(http=client, **({"project": tmp_path} if tmp_path else {}), **more)


async def call(url: str, *, ctx: FakeContext | None = None, **config: object) -> object:
    if ctx is not None:
        return await run_node("action.http", {"url": url, **config}, ctx=ctx)
    async with context() as fresh:
        return await run_node("action.http", {"url": url, **config}, ctx=fresh)


async def test_query_headers_and_body_arrive(server: Server) -> None:
    seen = await call(
        server.url + "/a?x=0", query={"n": 1, "on": True, "none": None, "l": [1, 2]}, headers={"X-Mine": "1"}, method="post", body={"a": "\u00fc"}
    )
    assert seen["method"] == "POST"
    assert seen["query"] == [["x", "0"], ["n", "1"], ["on", "true"], ["l", "1"], ["l", "2"]]
    assert seen["headers"]["x-mine"] == "1"
    assert seen["headers"]["content-type"] == "application/json"
    assert json.loads(server.seen[0]["body"]) == {"a": "\u00fc"}


@pytest.mark.parametrize(("form", "names"), [("repeat", ["l", "l"]), ("brackets", ["l[]", "l[]"]), ("indices", ["l[0]", "l[1]"])])
async def test_lists_in_the_query(server: Server, form: str, names: list[str]) -> None:
    seen = await call(server.url, query={"l": ["a", "b"]}, query_lists=form)
    assert [name for name, _ in seen["query"]] == names


async def test_form_raw_and_custom_json_bodies(server: Server) -> None:
    form = await call(server.url, method="POST", body={"a": 1, "b": ["x", "y"]}, body_type="form")
    assert (form["body"], form["headers"]["content-type"]) == ("a=1&b=x&b=y", "application/x-www-form-urlencoded")
    raw = await call(server.url, method="POST", body="<a/>", body_type="raw", content_type="text/xml")
    assert (raw["body"], raw["headers"]["content-type"]) == ("<a/>", "text/xml")
    custom = await call(server.url, method="PATCH", body=[1], content_type="application/merge-patch+json")
    assert (custom["body"], custom["headers"]["content-type"]) == ("[1]", "application/merge-patch+json")
    for wrong, kind in (({"a": object()}, "json"), ([1], "form"), ({}, "raw")):
        with pytest.raises(ConfigError, match="field 'body'"):
            await call(server.url, body=wrong, body_type=kind)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_files_go_up_and_come_down(server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2000
    (tmp_path / "a.png").write_bytes(content)
    server.routes["/down"] = lambda handler: reply(handler, body=content, content_type="image/png")
    async with context(tmp_path) as ctx:
        await call(server.url, ctx=ctx, method="POST", body_type="multipart", files={"picture": "a.png"}, body={"title": "x"})
        assert b'name="title"' in server.seen[0]["body"]
        assert b'filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + content in server.seen[0]["body"]
        await call(server.url, ctx=ctx, method="PUT", body_type="file", body="a.png")
        assert server.seen[1]["body"] == content
        assert server.seen[1]["headers"]["content-type"] == "image/png"
        await call(server.url, ctx=ctx, method="POST", body_type="multipart", body={"title": "x"})
        assert server.seen[2]["headers"]["content-type"].startswith("multipart/form-data")
        facts = await call(server.url + "/down", ctx=ctx, response="file", save_to="b.png")
        assert (facts["path"], facts["size_bytes"]) == ("b.png", len(content))
        assert (tmp_path / "b.png").read_bytes() == content
        with pytest.raises(InputError, match="outside"):
            await call(server.url + "/down", ctx=ctx, response="file", save_to="../b.png")
        with pytest.raises(InputError, match="no file"):
            await call(server.url, ctx=ctx, method="PUT", body_type="file", body="missing.png")
        with pytest.raises(LimitError, match="max_bytes"):
            await call(server.url + "/down", ctx=ctx, response="file", save_to="c.png", max_bytes=1000)
        assert names_in(tmp_path) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/problem+json", b"[]", []),
        ("text/plain; charset=latin-1", b"\xfc", "\u00fc"),
        ("image/png", b"\x89", b"\x89"),
        ("application/json", b"", None),
    ],
)
async def test_the_answer_is_read_by_its_type(server: Server, kind: str, body: bytes, expected: object) -> None:
    server.routes["/"] = lambda handler: reply(handler, body=body, content_type=kind)
    assert await call(server.url + "/") == expected


async def test_the_full_response_and_chosen_readings(server: Server) -> None:
    server.routes["/"] = lambda handler: reply(handler, 201, b"[1]", content_type="text/plain", x_mine="1")
    full = await call(server.url + "/", response="json", full_response=True)
    assert (full["body"], full["status"], full["headers"]["x-mine"], full["url"]) == ([1], 201, "1", server.url + "/")
    assert await call(server.url + "/", response="bytes") == b"[1]"
    assert await call(server.url + "/", method="HEAD") is None


async def test_broken_json_is_a_protocol_error(server: Server) -> None:
    server.routes["/"] = lambda handler: reply(handler, body=b'{"a":', content_type="application/json")
    with pytest.raises(ProtocolError, match="broken JSON"):
        await call(server.url + "/")


async def test_a_cut_answer_is_a_protocol_error(server: Server) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, body=b"half", content_length="8", content_type="text/plain")
        handler.close_connection = True

    server.routes["/"] = cut
    with pytest.raises(ProtocolError, match="cut short") as caught:
        await call(server.url + "/")
    assert caught.value.retryable
    with pytest.raises(ProtocolError) as caught:
        await call(server.url + "/", method="POST")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "method", "retryable"), [(404, "GET", False), (500, "GET", True), (500, "POST", False), (408, "POST", True), (401, "GET", False)]
)
async def test_an_error_status_is_a_remote_error(server: Server, status: int, method: str, retryable: bool) -> None:
    server.routes["/"] = lambda handler: reply(handler, status, b"no such order", content_type="text/plain")
    with pytest.raises(RemoteError, match=f"answered {status}: no such order") as caught:
        await call(server.url + "/", method=method)
    assert (caught.value.status, caught.value.body, caught.value.retryable) == (status, "no such order", retryable)
    assert await call(server.url + "/", method=method, never_error=True) == "no such order"


async def test_an_idempotency_key_makes_a_post_retryable(server: Server) -> None:
    server.routes["/"] = lambda handler: reply(handler, 502)
    with pytest.raises(RemoteError) as caught:
        await call(server.url + "/", method="POST", headers={"Idempotency-Key": "1"})
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("status", "value", "seconds"), [(429, "7", 7), (429, "Thu, 01 Jan 2026 00:01:00 GMT", 60), (429, "soon", None), (503, "3", 3)]
)
async def test_being_asked_to_come_later(server: Server, status: int, value: str, seconds: float | None) -> None:
    server.routes["/"] = lambda handler: reply(handler, status, retry_after=value)
    with pytest.raises(RateLimitedError) as caught:
        await call(server.url + "/", method="POST")
    assert (caught.value.retry_after, caught.value.status, caught.value.retryable) == (seconds, status, True)


async def test_slow_answers_run_into_timeouts(server: Server) -> None:
    gate = threading.Event()

    def stalled(handler: BaseHTTPRequestHandler) -> None:
        gate.wait(5)
        handler.close_connection = True

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, content_length="1000")
        try:
            while not gate.wait(0.05):
                handler.wfile.write(b"x")
        except OSError:
            handler.close_connection = True

    server.routes |= {"/stalled": stalled, "/dripping": dripping}
    try:
        with pytest.raises(NodeTimeoutError, match=r"nothing came for 0\.2 s"):
            await call(server.url + "/stalled", read_timeout=0.2)
        with pytest.raises(NodeTimeoutError, match=r"not done within 0\.4 s"):
            await call(server.url + "/dripping", read_timeout=5, timeout=0.4)
    finally:
        gate.set()


async def test_no_connection_is_a_retryable_remote_error() -> None:
    server = Server()
    server.close()
    with pytest.raises(RemoteError, match="cannot connect") as caught:
        await call(server.url, method="POST")
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["ftp://example.org/x", "no-address", "http://", "file:///etc/passwd", "http://a b/"])
async def test_what_is_no_http_address_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="field 'url'"):
        await call(url)


def redirect(location: str, status: int = 302) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: reply(handler, status, location=location, set_cookie="s=1; Path=/")


@pytest.mark.parametrize(
    ("status", "method", "body"), [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "[1]"), (308, "POST", "[1]")]
)
async def test_redirects_keep_or_change_the_method(server: Server, status: int, method: str, body: str) -> None:
    server.routes["/old"] = redirect("/new?x=1", status)
    seen = await call(server.url + "/old", method="POST", body=[1])
    assert (seen["path"], seen["method"], seen["body"], seen["query"]) == ("/new", method, body, [["x", "1"]])
    assert ("content-type" in seen["headers"]) == bool(body)
    assert seen["headers"]["cookie"] == "s=1"


async def test_redirects_end_or_are_given_as_they_are(server: Server) -> None:
    server.routes["/loop"] = redirect("/loop")
    with pytest.raises(RemoteError, match="more than 3 times"):
        await call(server.url + "/loop", max_redirects=3)
    assert len(server.seen) == 4
    full = await call(server.url + "/loop", max_redirects=0, full_response=True)
    assert (full["status"], full["headers"]["location"]) == (302, "/loop")


AUTHS = {
    "basic": (
        {"type": "basic", "user_env": "T_USER", "password_env": "T_SECRET"},
        "authorization",
        "Basic " + base64.b64encode(b"ada:canary").decode(),
    ),
    "bearer": ({"type": "bearer", "token_env": "T_SECRET"}, "authorization", "Bearer canary"),
    "header": ({"type": "header", "name": "X-Api-Key", "value_env": "T_SECRET"}, "x-api-key", "canary"),
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_USER", "ada")
    monkeypatch.setenv("T_SECRET", "canary")


@pytest.mark.parametrize("kind", AUTHS)
@pytest.mark.usefixtures("secrets")
async def test_auth_goes_to_its_origin_and_to_no_other(server: Server, other: Server, kind: str) -> None:
    auth, header, value = AUTHS[kind]
    server.routes |= {"/here": redirect("/there"), "/away": redirect(other.url + "/x")}
    assert (await call(server.url + "/here", auth=auth))["headers"][header] == value
    await call(server.url + "/away", auth=auth, headers={"Cookie": "session=canary"})
    assert "canary" not in str(other.seen)
    assert base64.b64encode(b"ada:canary").decode() not in str(other.seen)


@pytest.mark.usefixtures("secrets")
async def test_a_secret_in_the_query_is_in_no_message(server: Server, other: Server) -> None:
    auth = {"type": "query", "name": "key", "value_env": "T_SECRET"}
    server.routes |= {"/away": redirect(other.url + "/x"), "/bad": lambda handler: reply(handler, 400)}
    assert (await call(server.url + "/a?b=1", auth=auth))["query"] == [["b", "1"], ["key", "canary"]]
    await call(server.url + "/away", auth=auth)
    assert "canary" not in str(other.seen)
    with pytest.raises(RemoteError) as caught:
        await call(server.url + "/bad", auth=auth)
    assert "canary" not in str(caught.value)


@pytest.mark.usefixtures("secrets")
async def test_digest_answers_the_challenge(server: Server) -> None:
    def digest(handler: BaseHTTPRequestHandler) -> None:
        proof = handler.headers.get("authorization", "")
        if proof.startswith("Digest ") and re.search(r'username="ada".*response="[0-9a-f]+"', proof):
            reply(handler, json_body="in")
        else:
            reply(handler, 401, www_authenticate='Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"')

    server.routes["/"] = digest
    assert await call(server.url + "/", auth={"type": "digest", "user_env": "T_USER", "password_env": "T_SECRET"}) == "in"


async def test_a_missing_secret_is_named() -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_TOKEN is not set"):
        await call("http://127.0.0.1:9", auth={"type": "bearer", "token_env": "NO_SUCH_TOKEN"})


async def test_one_flows_cookies_are_no_other_flows(server: Server) -> None:
    server.routes["/in"] = lambda handler: reply(handler, set_cookie="session=1; Path=/")
    async with context() as ctx:
        await call(server.url + "/in", ctx=ctx)
        seen = await call(server.url + "/next", ctx=ctx)
    assert "cookie" not in seen["headers"]


def pages(total: int) -> Callable[[BaseHTTPRequestHandler], None]:
    def page(handler: BaseHTTPRequestHandler) -> None:
        number = int(dict(parse_qsl(urlsplit(handler.path).query)).get("page", 1))
        more = f"/pages?page={number + 1}" if number < total else None
        reply(handler, json_body={"data": [number] if number <= total else [], "next": more, "more": number < total})

    return page


@pytest.mark.parametrize(
    ("pagination", "expected"),
    [
        ({"next_url": "response.body.next", "items": "response.body.data"}, [1, 2, 3]),
        ({"parameter": "page", "items": "response.body.data"}, [1, 2, 3]),
        ({"parameter": "page", "value": "{{ page + 2 }}", "items": "response.body.data", "stop_if": "not response.body.more"}, [2, 3]),
        ({"parameter": "page", "items": "response.body.data", "max_pages": 2}, [1, 2]),
    ],
)
async def test_pages_are_one_list(server: Server, pagination: dict, expected: list) -> None:
    server.routes["/pages"] = pages(3)
    async with context() as ctx:
        assert await call(server.url + "/pages", ctx=ctx, query={"q": "x"}, pagination={**pagination, "interval": 1}) == expected
        assert ctx.clock.slept
        assert bool(ctx.logs) == ("max_pages" in pagination)


async def test_pages_end_at_a_status_or_fail(server: Server) -> None:
    server.routes["/pages"] = lambda handler: reply(handler, json_body=[1]) if "page=1" in handler.path else reply(handler, 404)
    assert await call(server.url + "/pages", pagination={"parameter": "page", "stop_status": [404]}) == [1]
    with pytest.raises(RemoteError):
        await call(server.url + "/pages", pagination={"parameter": "page"})


@pytest.mark.usefixtures("secrets")
async def test_a_next_page_elsewhere_gets_no_secret(server: Server, other: Server) -> None:
    server.routes["/pages"] = lambda handler: reply(handler, json_body={"items": [1], "next": other.url + "/x"})
    config = {"next_url": "response.body.get('next')", "items": "response.body.get('items', [])"}
    assert await call(server.url + "/pages", auth=AUTHS["header"][0], pagination=config) == [1]
    assert len(other.seen) == 1
    assert "canary" not in str(other.seen)


@pytest.mark.parametrize(
    "config",
    [
        {"method": "FETCH"},
        {"response": "file"},
        {"save_to": "a"},
        {"files": {"a": "b"}},
        {"pagination": {}},
        {"pagination": {"next_url": "a", "parameter": "b"}},
    ],
)
async def test_what_cannot_work_is_refused(config: dict) -> None:
    with pytest.raises(ValidationError):
        await call("http://127.0.0.1:9", **config)


async def test_without_certificate_checks_the_network_stays_the_lent_one(server: Server) -> None:
    async with guarded(httpx.AsyncClient(trust_env=False)) as client:
        with pytest.raises(ConfigError, match="not on the public internet"):
            await call(server.url, ctx=FakeContext(http=client), verify=False)
    assert (await call(server.url, verify=False))["method"] == "GET"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.1.1",
        "169.254.169.254",
        "192.168.0.1",
        "172.31.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:a00:1::",
        "fec0::1",
    ],
)
def test_addresses_of_the_house_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_other_addresses_are_public() -> None:
    assert all(map(is_public, ["8.8.8.8", "1.1.1.1", "2606:4700::1111"]))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_guarded_client_refuses_the_house_however_it_is_written(server: Server, host: str) -> None:
    async with guarded(httpx.AsyncClient(trust_env=False)) as client:
        with pytest.raises((ConfigError, RemoteError)):
            await call(f"http://{host}:{server.http.server_port}/", ctx=FakeContext(http=client))
    assert server.seen == []


async def test_a_guarded_client_looks_at_each_redirect(server: Server, other: Server) -> None:
    server.routes["/"] = redirect(other.url.replace("127.0.0.1", "localhost") + "/metadata")
    async with guarded(httpx.AsyncClient(trust_env=False), allow=["127.0.0.1"]) as client:
        assert network_of(client) is not None
        with pytest.raises(ConfigError, match="localhost is"):
            await call(server.url + "/", ctx=FakeContext(http=client))
    assert len(server.seen) == 1
    assert other.seen == []


async def test_cancelling_ends_the_request(server: Server) -> None:
    gate = threading.Event()
    server.routes["/"] = lambda handler: (gate.wait(5), setattr(handler, "close_connection", True))
    task = asyncio.create_task(call(server.url + "/"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()


def test_the_fake_clock_starts_where_the_tests_say() -> None:
    assert FakeContext().now() == datetime(2026, 1, 1, tzinfo=UTC)
