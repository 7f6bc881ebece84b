"""`trigger.webhook`."""

import ipaddress
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nbflow.catalogue.expressions import OneExpression, truth
from nbflow.core.config import NodeConfig
from nbflow.core.node import Context, Emit, node_type

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_SEGMENT = re.compile(r":[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9._~-]+")
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110, section 5.1


def _methods(value: Any) -> Any:
    names = (value,) if isinstance(value, str) else value
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


class WebhookConfig(NodeConfig):
    """Which requests start the flow, who may send them, and what they get back. The server carries it out."""

    path: Annotated[str, AfterValidator(_path)] = Field(description="Path under /webhooks; `:name` segments become `params`, as in `/orders/:id`.")
    methods: Annotated[tuple[Method, ...], BeforeValidator(_methods), AfterValidator(_unique_methods)] = Field(
        default=("POST",), min_length=1, description="Accepted HTTP methods; one name or a list."
    )
    auth: Literal["none", "basic", "header", "jwt", "hmac"] = Field(default="none", description="How a caller proves who it is.")
    credential: str = Field(default="", description="Name of the credential that holds the password, value, key or secret; never the secret itself.")
    auth_header: Annotated[str, Field(pattern=_HEADER)] = Field(
        default="X-Signature", description="Header that carries the value (header) or the SHA-256 signature of the raw body (hmac)."
    )
    response_mode: Literal["at_once", "last_node", "respond_node"] = Field(
        default="at_once", description="Answer when the request is durably accepted, with the last node's output, or with that of a respond node."
    )
    response_code: int = Field(default=200, ge=200, le=599, description="HTTP status of a successful answer.")
    response_data: Literal["all", "first_json", "first_file", "none"] = Field(
        default="all", description="What of the last node's output is answered in mode last_node."
    )
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

    Gives the request: `{"method", "path", "headers", "params", "query", "body"}`, and `files` of a multipart body.
    """
    if config.only_run_if and not truth(ctx.render(config.only_run_if, input=ctx.input), "only_run_if"):
        ctx.log("only_run_if is false: nothing follows")
        return Emit()
    return ctx.input
