"""`trigger.webhook`."""

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nbflow.catalogue.expressions import OneExpression, truth
from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, Emit, node_type

Method = Literal[
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS",
    "QUERY", "SEARCH", "REPORT", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PURGE",
]  # fmt: skip
_ANY = frozenset({"*", "ANY"})
_SEGMENT = re.compile(r":[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9._~-]+")
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110, section 5.1
_OPTIONAL_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]*$"
_RATE = r"^([1-9][0-9]{0,8} ?(/|per) ?(second|minute|hour|day))?$"
JwtAlgorithm = Literal["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def _methods(value: Any) -> Any:
    names = (value,) if isinstance(value, str) else value
    if isinstance(names, list | tuple) and any(isinstance(name, str) and name.upper() in _ANY for name in names):
        return get_args(Method)
    return tuple(name.upper() if isinstance(name, str) else name for name in names) if isinstance(names, list | tuple) else value


def _unique_methods(value: tuple[Method, ...]) -> tuple[Method, ...]:
    return tuple(dict.fromkeys(value))


def _path(value: str) -> str:
    """With a leading slash and without a trailing one, so that equal paths are equal texts."""
    segments = value.strip("/").split("/")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            msg = f"'{segment}' is no path segment; use letters, digits and -._~, or :name for a parameter (the path is {value!r})"
            raise ValueError(msg)
    names = [segment for segment in segments if segment.startswith(":")]
    if len(set(names)) != len(names):
        msg = f"a parameter occurs twice in {value!r}"
        raise ValueError(msg)
    return "/" + "/".join(segments)


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


class HmacRules(NodeConfig):
    """What exactly is signed, and how the signature is written: each service has its own way."""

    algorithm: Literal["sha256", "sha1", "sha512"] = Field(default="sha256", description="Hash of the signature (RFC 2104).")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written in the header.")
    prefix: str = Field(
        default="", description="Before the signature: sha256= (GitHub), v1= (Stripe). Parts of the header that begin otherwise are ignored."
    )
    signed: str = Field(
        default="{body}",
        description="Text that is signed: {body} raw, {timestamp} the time sent along, any other name a header, as in v0:{timestamp}:{body}.",
    )
    timestamp_header: Annotated[str, Field(pattern=_OPTIONAL_HEADER)] = Field(
        default="", description="Header with the Unix time of signing, also as t= among others (Stripe); late and repeated requests are refused."
    )
    tolerance: timedelta = Field(
        default=timedelta(minutes=5), gt=timedelta(0), le=timedelta(days=1), description="How far the time of signing may be off."
    )
    key: Literal["text", "base64", "hex"] = Field(
        default="text", description="How the credential's secret becomes the key; base64 may begin with whsec_ (Standard Webhooks)."
    )

    @model_validator(mode="after")
    def _covers_what_it_protects(self) -> Self:
        if "{body}" not in self.signed:
            msg = f"'signed' must contain {{body}}, else anyone could exchange the body; it is {self.signed!r}"
            raise ValueError(msg)
        if self.timestamp_header and "{timestamp}" not in self.signed:
            msg = "a timestamp_header is given but 'signed' has no {timestamp}: whoever replays a request could change the time"
            raise ValueError(msg)
        if "{timestamp}" in self.signed and not self.timestamp_header:
            msg = "'signed' has a {timestamp}; say in which header it comes: timestamp_header"
            raise ValueError(msg)
        return self


class JwtRules(NodeConfig):
    """What a token must say besides being signed and not expired (RFC 7519)."""

    algorithms: tuple[JwtAlgorithm, ...] = Field(
        default=(), description="Accepted signature algorithms; empty is HS256 for a secret, RS256, ES256 and EdDSA for a public key."
    )
    issuer: str = Field(default="", description="Required `iss`; empty is any.")
    audience: str = Field(default="", description="Required `aud`; empty is any.")
    leeway: timedelta = Field(default=timedelta(seconds=10), ge=timedelta(0), description="How far clocks may differ.")

    @model_validator(mode="after")
    def _one_kind_of_key(self) -> Self:
        if len({name.startswith("HS") for name in self.algorithms}) > 1:
            msg = "algorithms mix HS* with public-key ones: a token signed with the public key as secret would pass; choose one kind"
            raise ValueError(msg)
        return self


class WebhookConfig(NodeConfig):
    """Which requests start the flow, who may send them, and what they get back. The server carries it out."""

    path: Annotated[str, AfterValidator(_path)] = Field(description="Path under /webhooks; `:name` segments become `params`, as in `/orders/:id`.")
    methods: Annotated[tuple[Method, ...], BeforeValidator(_methods), AfterValidator(_unique_methods)] = Field(
        default=("POST",), min_length=1, description="Accepted HTTP methods; one name, a list, or * for all."
    )
    auth: Literal["none", "basic", "header", "jwt", "hmac"] = Field(default="none", description="How a caller proves who it is.")
    credential: str = Field(default="", description="Name of the credential that holds the password, value, key or secret; never the secret itself.")
    auth_header: Annotated[str, Field(pattern=_HEADER)] = Field(
        default="X-Signature", description="Header that carries the value (header) or the signature of the raw body (hmac)."
    )
    hmac: HmacRules = Field(default=HmacRules(), description="For auth hmac: what is signed and how.")
    jwt: JwtRules = Field(default=JwtRules(), description="For auth jwt: what the bearer token must say.")
    response_mode: Literal["at_once", "last_node", "respond_node"] = Field(
        default="at_once", description="Answer when the request is durably accepted, with the last node's output, or with that of a respond node."
    )
    response_code: int | None = Field(
        default=None, ge=200, le=599, description="HTTP status of a successful answer; by default 202 at once, 204 without data, else 200."
    )
    response_data: Literal["all", "first_json", "first_file", "none"] = Field(
        default="all", description="What of the last node's output is answered in mode last_node."
    )
    response_timeout: timedelta = Field(
        default=timedelta(seconds=60),
        gt=timedelta(0),
        description="How long a caller waits in modes last_node and respond_node; then 504, and the execution goes on.",
    )
    idempotency_header: Annotated[str, Field(pattern=_OPTIONAL_HEADER)] = Field(
        default="Idempotency-Key", description="Requests with the same value here start one execution and get the same answer; empty turns this off."
    )
    idempotency_window: timedelta = Field(
        default=timedelta(hours=24), gt=timedelta(0), le=timedelta(days=30), description="How long such a value is remembered."
    )
    rate_limit: Annotated[str, Field(pattern=_RATE)] = Field(
        default="", description="Most requests in a time, as in 100/minute or 10 per second; more get 429. Empty is no limit."
    )
    rate_limit_by: Literal["webhook", "address"] = Field(default="webhook", description="Counts all requests, or each caller's address apart.")
    allowed_origins: tuple[str, ...] = Field(default=("*",), description="Origins that browsers may call from (CORS); * is any.")
    allowed_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="Callers' addresses or networks, such as 10.0.0.0/8; empty is any."
    )
    ignore_bots: bool = Field(default=False, description="Refuse link previewers and crawlers, known by their user agent.")
    raw_body: bool = Field(default=False, description="Give the body as bytes instead of parsed JSON or form.")
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=0, description="Larger bodies are refused with 413.")
    only_run_if: OneExpression = Field(
        default="", description="Expression over the request, such as `input.body.type == 'order'`; when it is false nothing follows the trigger."
    )

    @model_validator(mode="after")
    def _needs_credential(self) -> Self:
        if self.auth != "none" and not self.credential:
            msg = f"auth '{self.auth}' needs the field 'credential': the name of the credential to check against"
            raise ValueError(msg)
        if self.auth == "none" and self.credential:
            msg = "a credential is given but auth is 'none', so nobody would check it; set auth"
            raise ValueError(msg)
        return self


@node_type("trigger.webhook", trigger=True)
async def webhook(config: WebhookConfig, *, ctx: Context) -> Any:
    """Start the flow by an HTTP request.

    Gives the request: `{"method", "path", "headers", "params", "query", "body", "files"}`. `headers` have small letters and lack those that
    carry secrets; `body` is the parsed JSON, form or text, bytes otherwise, None without one; `files` are those of a multipart body by field:
    `{"name", "content_type", "data": bytes}`, a list of them where a field has several.
    """
    if config.only_run_if and not truth(ctx.render(config.only_run_if, input=ctx.input), "only_run_if"):
        ctx.log("only_run_if is false: nothing follows")
        return Emit()
    return ctx.input
