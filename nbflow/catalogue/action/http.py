"""`action.http`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from nbflow.catalogue.expressions import one_expression, truth
from nbflow.catalogue.files import describe, resolve
from nbflow.catalogue.http_auth import HttpAuth, proof
from nbflow.catalogue.http_request import Answer, Request, exchange, raise_for_status, shown
from nbflow.catalogue.public_network import network_of, use_network
from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError, InputError, NodeTimeoutError
from nbflow.core.node import Context, Lazy, node_type


class Pagination(NodeConfig):
    """How to get the next page. Expressions see `response` (`body`, `headers`, `status`) and `page` (0 for the first)."""

    next_url: str = Field(default="", description="Expression for the next page's address; None or empty ends: `response.body.next`.")
    parameter: str = Field(default="", description="Query parameter that changes from page to page, instead of next_url.")
    value: str = Field(default="page + 1", description="Expression for the parameter's value; `page` is the number of the page to get, from 0.")
    items: str = Field(default="", description="Expression for a page's items: `response.body.data`. Without it a list body is its items.")
    stop_when_empty: bool = Field(default=True, description="End at a page without items.")
    stop_status: tuple[int, ...] = Field(default=(), description="End at a page with one of these statuses; that page is left out.")
    stop_if: str = Field(default="", description="Expression; end after the page for which it is true: `not response.body.has_more`.")
    max_pages: int = Field(default=100, ge=1, description="Get no more pages than this.")
    interval: timedelta = Field(default=timedelta(0), ge=timedelta(0), description="Pause between pages.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.next_url) == bool(self.parameter):
            msg = "give either next_url or parameter"
            raise ValueError(msg)
        for text in (self.next_url, self.value, self.items, self.stop_if):
            one_expression(text)
        return self


class HttpConfig(NodeConfig):
    """The request, and what to make of its answer."""

    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
        BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
    ] = Field(default="GET", description="HTTP method.")
    url: str = Field(min_length=1, description="Address, http or https.")
    query: dict[str, Any] = Field(default_factory=dict, description="Query parameters; None is left out, a list gives several.")
    query_lists: Literal["repeat", "brackets", "indices"] = Field(default="repeat", description="How lists are written: a=1&a=2, a[]=1, a[0]=1.")
    headers: dict[str, str] = Field(default_factory=dict, description="Request headers. Not for secrets: use auth.")
    auth: HttpAuth | None = Field(
        default=None, description="Proof of identity: a credential, or environment variables; never sent to another origin."
    )
    body: Any = Field(default=None, description="Request body: any value (json), a mapping (form, multipart), text or bytes (raw), a path (file).")
    body_type: Literal["json", "form", "multipart", "raw", "file"] = Field(default="json", description="How the body is written.")
    files: dict[str, Path] = Field(default_factory=dict, description="Files of a multipart body: field name and path in the project.")
    content_type: str = Field(default="", description="Content-Type of a raw or file body.")
    max_redirects: int = Field(default=21, ge=0, le=100, description="Redirects to follow; 0 gives the redirect itself.")
    timeout: timedelta = Field(default=timedelta(minutes=5), gt=timedelta(0), description="For one page in all, redirects included.")
    connect_timeout: timedelta = Field(default=timedelta(seconds=5), gt=timedelta(0), description="For making a connection.")
    read_timeout: timedelta = Field(default=timedelta(seconds=60), gt=timedelta(0), description="For the next part of the answer to come.")
    verify: bool = Field(default=True, description="Check the server's certificate.")
    response: Literal["auto", "json", "text", "bytes", "file"] = Field(default="auto", description="What to make of the answer's body.")
    save_to: Path | None = Field(default=None, description="Where a file answer is written, in the project.")
    full_response: bool = Field(default=False, description="Give `{body, headers, status, url}` instead of the body.")
    never_error: bool = Field(default=False, description="Take a status of 400 and above for an ordinary answer.")
    max_bytes: int = Field(default=100 << 20, ge=0, description="Larger answers are an error; 0 is no limit.")
    pagination: Annotated[Pagination | None, Lazy()] = Field(default=None, description="Get several pages and give all their items as one list.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.response == "file") != (self.save_to is not None):
            msg = "response 'file' and save_to go together"
            raise ValueError(msg)
        if self.files and self.body_type != "multipart":
            msg = "files need body_type 'multipart'"
            raise ValueError(msg)
        if self.pagination and self.response == "file":
            msg = "pages cannot be saved to one file"
            raise ValueError(msg)
        return self


@node_type("action.http")
async def http(config: HttpConfig, input: Any = None, *, ctx: Context) -> Any:  # noqa: A002, ARG001 - expressions read the input
    """Call an HTTP endpoint.

    Gives the answer's body: JSON as its value, text, otherwise bytes; None for an empty one; a description of the file with response 'file'.
    Raises RemoteError (status 400 and above, no connection), RateLimitedError, ProtocolError (broken or cut answers), NodeTimeoutError,
    LimitError. POST and PATCH are retryable only when they did not arrive, or carry an Idempotency-Key header.
    """
    request = replace(_request(config, ctx), auth=await proof(config.auth, ctx))
    async with _client(config, ctx) as client:
        if config.pagination is None:
            answer = await _exchange(client, request, config)
            if not config.never_error:
                raise_for_status(answer, request, ctx.now())
            return _result(config, answer, ctx)
        return await _pages(client, request, config, config.pagination, ctx)


@contextlib.asynccontextmanager
async def _client(config: HttpConfig, ctx: Context) -> AsyncIterator[Any]:
    """The lent client; certificates are a client's business, so without them one is made that dials with the lent one's network."""
    if config.verify:
        yield ctx.http
        return
    import httpx

    network = network_of(ctx.http)
    if network is None:
        msg = "the client lent to this node has a transport of its own kind, which decides on certificates itself"
        raise ConfigError(msg, field="verify")
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:  # noqa: S501 - the user asked for it
        use_network(client, network)
        yield client


async def _exchange(client: Any, request: Request, config: HttpConfig) -> Answer:
    try:
        async with asyncio.timeout(config.timeout.total_seconds()):
            return await exchange(client, request)
    except TimeoutError as error:
        msg = f"{request.method} {shown(request.url)}: not done within {config.timeout.total_seconds():g} s"
        raise NodeTimeoutError(msg, retryable=request.repeatable) from error


def _request(config: HttpConfig, ctx: Context) -> Request:
    read = config.read_timeout.total_seconds()
    headers = dict(config.headers)
    if config.content_type:
        headers["Content-Type"] = config.content_type
    if config.body_type == "json" and config.body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return Request(
        method=config.method,
        url=config.url,
        query=tuple(_query(config)),
        headers=headers,
        body=_body(config),
        files={name: _existing(path, ctx) for name, path in config.files.items()},
        body_file=_existing(config.body, ctx) if config.body_type == "file" and config.body is not None else None,
        timeouts={"connect": config.connect_timeout.total_seconds(), "read": read, "write": read, "pool": read},
        max_redirects=config.max_redirects,
        max_bytes=config.max_bytes,
        save_to=None if config.save_to is None else resolve(config.save_to, ctx.project),
    )


def _existing(path: Any, ctx: Context) -> Path:
    found = resolve(path, ctx.project)
    if not found.is_file():
        msg = f"there is no file {path}"
        raise InputError(msg)
    return found


def _query(config: HttpConfig) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in config.query.items():
        if isinstance(value, list | tuple):
            form = {"repeat": "{0}", "brackets": "{0}[]", "indices": "{0}[{1}]"}[config.query_lists]
            pairs.extend((form.format(name, index), _text(item)) for index, item in enumerate(value))
        elif value is not None:
            pairs.append((name, _text(value)))
    return pairs


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(config: HttpConfig) -> dict[str, Any]:
    """Keywords of httpx.Request."""
    if config.body is None or config.body_type == "file":
        return {}
    if config.body_type == "json":
        try:
            return {"content": json.dumps(config.body, ensure_ascii=False, allow_nan=False).encode()}
        except (TypeError, ValueError) as error:
            msg = f"the body is no JSON: {error}"
            raise ConfigError(msg, field="body") from error
    if config.body_type == "raw":
        if not isinstance(config.body, str | bytes):
            msg = f"a raw body is text or bytes, this is a {type(config.body).__name__}"
            raise ConfigError(msg, field="body")
        return {"content": config.body}
    if not isinstance(config.body, dict):
        msg = f"a {config.body_type} body is a mapping of field names to values, this is a {type(config.body).__name__}"
        raise ConfigError(msg, field="body")
    fields = {name: [_text(item) for item in value] if isinstance(value, list | tuple) else _text(value) for name, value in config.body.items()}
    if config.body_type == "multipart" and not config.files:  # httpx writes a multipart body only when there are files
        return {"files": [(name, (None, item)) for name, value in fields.items() for item in ([value] if isinstance(value, str) else value)]}
    return {"data": fields}


def _result(config: HttpConfig, answer: Answer, ctx: Context) -> Any:
    body = describe(answer.saved, ctx.project) if answer.saved else _decoded(config, answer)
    return {"body": body, "headers": dict(answer.headers), "status": answer.status, "url": answer.url} if config.full_response else body


def _decoded(config: HttpConfig, answer: Answer) -> Any:
    kind = config.response
    if kind in {"auto", "file"}:  # a failed download is no file
        mime = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_text = mime.startswith("text/") or mime.endswith(("xml", "javascript", "x-www-form-urlencoded"))
        kind = "json" if mime.endswith(("/json", "+json")) else "text" if is_text or not mime else "bytes"
        if not answer.content:
            return None
    return answer.json() if kind == "json" else answer.text if kind == "text" else answer.content


async def _pages(client: Any, request: Request, config: HttpConfig, pagination: Pagination, ctx: Context) -> list[Any]:
    """All pages' items (with full_response: the pages)."""
    result: list[Any] = []
    start = request.url
    for page in range(pagination.max_pages):
        if pagination.parameter:
            value = ctx.render(one_expression(pagination.value), page=page)
            kept = tuple(pair for pair in request.query if pair[0] != pagination.parameter)
            request = replace(request, query=(*kept, (pagination.parameter, _text(value))))
        answer = await _exchange(client, request, config)
        if answer.status in pagination.stop_status:
            break
        if not config.never_error:
            raise_for_status(answer, request, ctx.now())
        response = {"body": _decoded(config, answer), "headers": dict(answer.headers), "status": answer.status, "url": answer.url}
        items = ctx.render(one_expression(pagination.items), response=response, page=page) if pagination.items else response["body"]
        found = items if isinstance(items, list) else [] if items is None or items == {} else [items]
        if not found and pagination.stop_when_empty:
            break
        result.extend([response] if config.full_response else found)
        ctx.progress(None, f"page {page + 1}, {len(result)} items")
        if pagination.stop_if and truth(ctx.render(one_expression(pagination.stop_if), response=response, page=page), "stop_if"):
            break
        if pagination.next_url:
            following = ctx.render(one_expression(pagination.next_url), response=response, page=page)
            if not following:
                break
            request = _next(request, str(following), start, answer.url)
        if pagination.interval:
            await ctx.sleep(pagination.interval.total_seconds())
    else:
        ctx.log(f"ended at max_pages ({pagination.max_pages}); there may be more", "warn")
    return result


def _next(request: Request, following: str, start: str, current: str) -> Request:
    """The next page's address comes from the answer: auth goes along only to the origin that was asked first."""
    import httpx

    url = httpx.URL(current).join(following)
    first = httpx.URL(start)
    same = (url.scheme, url.host, url.port) == (first.scheme, first.host, first.port)
    secret_headers = {"authorization", "cookie"}
    headers = request.headers if same else {name: value for name, value in request.headers.items() if name.lower() not in secret_headers}
    return replace(request, url=str(url), query=(), headers=headers, auth=request.auth if same else None)
