"""One HTTP exchange as `action.http` needs it: redirects looked at one by one, bodies capped, every failure a NodeError."""

import asyncio
import contextlib
import json
import mimetypes
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.catalogue.files import replacing
from nbflow.catalogue.http_auth import Proof
from nbflow.core.errors import ConfigError, LimitError, NodeError, NodeTimeoutError, ProtocolError, RateLimitedError, RemoteError
from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    import httpx

_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
_REDIRECTS = {301, 302, 303, 307, 308}
_SENSITIVE = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to send, and how much of the answer to take."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict)  # keywords of httpx.Request: json, data, content
    files: Mapping[str, Path] = field(default_factory=dict)
    body_file: Path | None = None
    auth: Proof | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)  # seconds: connect, read, write, pool
    max_redirects: int = 21
    max_bytes: int = 0
    save_to: Path | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in _IDEMPOTENT or any(name.lower() == "idempotency-key" for name in self.headers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back; `content` is empty when it went to a file."""

    status: int
    headers: Mapping[str, str]
    url: str
    content: bytes
    encoding: str
    saved: Path | None = None

    @property
    def text(self) -> str:
        """The body as text; bytes that do not fit its encoding are replaced."""
        return self.content.decode(self.encoding, "replace")

    def json(self) -> Any:
        """The body as JSON; None when it is empty. Raises ProtocolError."""
        if not self.content.strip():
            return None
        try:
            return json.loads(self.content)
        except ValueError as error:
            msg = f"{shown(self.url)} answered with broken JSON: {error}: {redactor.cut(self.text, 200)!r}"
            raise ProtocolError(msg) from error


def shown(url: Any) -> str:
    """A URL for messages: user, password and query, which may hold secrets, are left out."""
    from urllib.parse import urlsplit

    parts = urlsplit(str(url))
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


async def exchange(client: "httpx.AsyncClient", request: Request) -> Answer:
    """Sends the request and follows redirects; what belongs to the first origin alone (auth, cookies) goes to no other.

    Raises ConfigError (the URL), RemoteError (no connection, too many redirects), NodeTimeoutError, ProtocolError (the answer was cut
    short), LimitError (too large). A status of 400 and above raises nothing here.
    """
    import httpx

    jar = httpx.Cookies()
    try:
        first = httpx.URL(request.url)
        if first.scheme not in {"http", "https"} or not first.host or " " in first.host or "%" in first.host:
            msg = f"{request.url!r} is no http or https address"
            raise ConfigError(msg, field="url")
        origin = _origin(first)
        current = request
        for _ in range(request.max_redirects + 1):
            async with _sent(client, current, jar, httpx) as response:
                jar.extract_cookies(response)
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not location or not request.max_redirects:
                    return await _answer(response, current)
                current = _redirected(current, response.status_code, httpx.URL(str(response.url)).join(location), origin)
    except httpx.TooManyRedirects:
        pass
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        msg = f"{request.url!r} is no HTTP address: {error}"
        raise ConfigError(msg, field="url") from error
    except httpx.HTTPError as error:
        raise _translated(error, request, httpx) from error
    msg = f"{shown(request.url)} redirected more than {request.max_redirects} times"
    raise RemoteError(msg, retryable=False)


@contextlib.asynccontextmanager
async def _sent(client: "httpx.AsyncClient", request: Request, jar: Any, httpx: Any) -> AsyncIterator[Any]:
    """Built without the client's own headers and cookies: it is shared, and one flow's cookies are no other flow's."""
    with contextlib.ExitStack() as opened:
        proof = request.auth or Proof()
        headers = proof.headers
        extra: dict[str, Any] = dict(request.body)
        if request.files:
            extra["files"] = {name: (path.name, opened.enter_context(path.open("rb")), _mime(path)) for name, path in request.files.items()}
        if request.body_file is not None:
            extra["content"] = _blocks(request.body_file)
            headers = {"Content-Length": str(request.body_file.stat().st_size), "Content-Type": _mime(request.body_file), **headers}
        url = httpx.URL(request.url)
        if request.query or proof.query:
            url = url.copy_merge_params([*url.params.multi_items(), *request.query, *proof.query.items()])
        message = httpx.Request(
            request.method,
            url,
            headers={"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "nbflow", **headers, **request.headers},
            extensions={"timeout": dict(request.timeouts)},
            **extra,
        )
        jar.set_cookie_header(message)
        response = await client.send(message, stream=True, auth=proof.auth(), follow_redirects=False)
        try:
            yield response
        finally:
            await response.aclose()


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, 1 << 18):
            yield block


def _mime(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _redirected(request: Request, status: int, url: Any, origin: tuple[str, str, int | None]) -> Request:
    """RFC 9110, section 15.4: 303 asks with GET, 301 and 302 do so after POST, 307 and 308 repeat the request."""
    follow = replace(request, url=str(url), query=())
    if (status == 303 and request.method != "HEAD") or (status in {301, 302} and request.method == "POST"):  # noqa: PLR2004 - the RFC's numbers
        headers = {name: value for name, value in request.headers.items() if name.lower() not in {"content-type", "content-length"}}
        follow = replace(follow, method="GET", headers=headers, body={}, files={}, body_file=None)
    if _origin(url) != origin:
        headers = {name: value for name, value in follow.headers.items() if name.lower() not in _SENSITIVE}
        follow = replace(follow, auth=None, headers=headers)
    return follow


async def _answer(response: Any, request: Request) -> Answer:
    content = bytearray()
    saved = None
    if request.save_to is not None and response.is_success:
        saved = request.save_to
        with replacing(saved) as file:
            async for block in _capped(response, request):
                await asyncio.to_thread(file.write, block)
    else:
        async for block in _capped(response, request):
            content += block
    return Answer(
        status=response.status_code,
        headers=dict(response.headers),
        url=str(response.url),
        content=bytes(content),
        encoding=response.charset_encoding or "utf-8",
        saved=saved,
    )


async def _capped(response: Any, request: Request) -> AsyncIterator[bytes]:
    seen = 0
    async for block in response.aiter_bytes():
        seen += len(block)
        if request.max_bytes and seen > request.max_bytes:
            msg = f"{shown(response.url)} answered with more than max_bytes ({request.max_bytes})"
            raise LimitError(msg)
        yield block


def _translated(error: Any, request: Request, httpx: Any) -> NodeError:
    place = f"{request.method} {shown(request.url)}"
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return NodeTimeoutError(f"{place}: no connection within {request.timeouts.get('connect', 0):g} s")
    if isinstance(error, httpx.TimeoutException):
        return NodeTimeoutError(f"{place}: nothing came for {request.timeouts.get('read', 0):g} s", retryable=request.repeatable)
    if isinstance(error, httpx.ConnectError):
        certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return RemoteError(f"{place}: cannot connect: {error}", retryable=not certificate)
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
        return ProtocolError(f"{place}: the answer was cut short or broken: {error}", retryable=request.repeatable)
    return RemoteError(f"{place}: {type(error).__name__}: {error}", retryable=request.repeatable)


def raise_for_status(answer: Answer, request: Request, now: datetime) -> None:
    """Raises RateLimitedError for 429, and for 503 with Retry-After; RemoteError for every other status from 400 on."""
    if answer.status < 400:  # noqa: PLR2004 - where HTTP's errors begin
        return
    message = f"{request.method} {shown(answer.url)} answered {answer.status}" + (f": {redactor.cut(answer.text, 200)}" if answer.content else "")
    after = _retry_after(answer.headers.get("retry-after", ""), now)
    if answer.status == 429 or (answer.status == 503 and after is not None):  # noqa: PLR2004 - RFC 6585 and RFC 9110
        raise RateLimitedError(message, status=answer.status, body=answer.text, retry_after=after)
    passing = answer.status in {408, 425} or (answer.status >= 500 and request.repeatable)  # noqa: PLR2004 - errors of the server
    raise RemoteError(message, status=answer.status, body=answer.text, retryable=passing)


def _retry_after(value: str, now: datetime) -> float | None:
    """Seconds, from a number of seconds or an HTTP date (RFC 9110, section 10.2.3)."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
