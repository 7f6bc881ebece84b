"""The server's settings: one schema for flags, environment, file and documentation."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import tomllib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from nbflow.core.errors import SettingsError
from nbflow.core.suggest import advice
from nbflow.store.project import find_project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

ENVIRONMENT_PREFIX = "NBFLOW_SERVER_"
FILE = "nbflow.toml"
TABLE = "server"
_TOKEN_CHARACTERS = 16  # fewer could be guessed by trying
_SECRET_CHARACTERS = 32
_PATH = re.compile(r"[\w./~%@:+-]*")
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.username:
        msg = f"'{value}' is no origin: write it like 'https://lab.example.org' (scheme, host, port where it is not the usual one)"
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        msg = f"'{value}' is no IP address and no network like '10.0.0.0/8'"
        raise ValueError(msg) from None
    return value


def _listed(value: Any) -> Any:
    """A list as one line of an environment variable or flag: `a, b` or JSON."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else [part.strip() for part in value.split(",") if part.strip()]


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)]


def _rate(value: str) -> str:
    from limits import parse

    try:
        parse(value)
    except ValueError:
        msg = f"'{value}' is no rate such as '20/minute'"
        raise ValueError(msg) from None
    return value


Rate = Annotated[str, AfterValidator(_rate)]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach this host name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OidcSettings(BaseModel):
    """An OpenID Connect provider: Clerk, Google, Keycloak, JupyterHub, Entra..."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(default="", description="Exactly as the provider writes it in its tokens (`iss`); https, or http on this machine.")
    audience: Names = Field(default=(), description="Take tokens made for one of these (`aud`); `client_id` counts too.")
    authorized_parties: Names = Field(default=(), description="Take tokens issued to one of these (`azp`); Clerk's have no audience.")
    client_id: str = Field(default="", description="This server at the provider: needed to sign in by browser.")
    client_secret: SecretStr | None = Field(default=None, description="The secret of that client; none for a public client.")
    scopes: Names = Field(default=("openid", "email", "profile"), description="What to ask the provider for.")
    algorithms: Names = Field(default=("RS256", "ES256", "EdDSA"), description="Signatures to take; never a shared secret or none.")
    leeway_s: int = Field(default=10, ge=0, le=300, description="Difference of clocks that is forgiven, in seconds.")
    jwks_url: str = Field(default="", description="Where the provider publishes its keys; empty: as its discovery document says.")
    trust_emails: bool = Field(default=False, description="Take addresses as verified that come without `email_verified` (Entra leaves it out).")
    allowed_users: Names = Field(
        default=(), description="Verified addresses, domains (@example.org) or subjects that may sign in; empty: whoever the provider vouches for."
    )
    owners: Names = Field(
        default=(), description="Verified addresses (or subjects) of the people who own the default organization, where notebooks publish to."
    )

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _safe_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme == "https" and parts.hostname) and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            msg = f"'{value}' must start with https:// (http:// is taken on this machine only): keys fetched without TLS can be forged"
            raise ValueError(msg)
        return value

    @field_validator("algorithms")
    @classmethod
    def _asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in value if name not in _ALGORITHMS]:
            msg = f"{', '.join(wrong)} cannot be used: only signatures that a public key verifies are safe here ({', '.join(_ALGORITHMS)})"
            raise ValueError(msg)
        return value

    @property
    def audiences(self) -> tuple[str, ...]:
        """All audiences that are taken."""
        return tuple(filter(None, (*self.audience, self.client_id)))


class ServerSettings(BaseSettings):
    """Flags, then NBFLOW_SERVER_* variables (`NBFLOW_SERVER_OIDC__ISSUER`), then [server] in nbflow.toml, then these defaults."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", enable_decoding=False, hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 is every network of this machine.")
    port: int = Field(default=8520, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    base_url: str = Field(default="/", description="Where a reverse proxy shows this server: a path (/nbflow/) or the whole address.")
    auth: Literal["token", "oidc", "none"] = Field(
        default="token", description="Who may come in: one person with the token, people of an identity provider, or everybody on this machine."
    )
    token: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        description="The token for auth 'token', 16 characters or more; without it each start makes a new one.",
    )
    oidc: OidcSettings = OidcSettings()
    session_hours: float = Field(default=24 * 7, gt=0, description="How long a browser stays signed in.")
    session_secret: SecretStr | None = Field(default=None, description="Signs session cookies; without it one is kept in .nbflow/session.key.")
    cookie_secure: bool | None = Field(default=None, description="Send cookies over https only; without it: when the request came by https.")
    allowed_origins: Origins = Field(default=(), description="Other sites whose pages may show and use this server.")
    trusted_proxies: Networks = Field(default=("127.0.0.1", "::1"), description="Proxies that are believed about the caller's address.")
    max_running: int = Field(default=16, ge=1, description="Executions at a time; others wait.")
    queue_limit: int = Field(default=10_000, ge=1, description="Executions that may wait; more are refused with 503.")
    worker_kernels: int = Field(default=2, ge=0, description="Processes for flows with Python functions.")
    kernel_max_runs: int = Field(default=500, ge=1, description="Executions after which such a process is replaced.")
    kernel_max_age_s: float = Field(default=3600.0, gt=0, description="Seconds after which it is replaced.")
    kernel_max_memory_mb: int = Field(default=2048, ge=64, description="Memory in megabytes after which it is replaced.")
    allowed_hosts: Names = Field(default=(), description="Private hosts that nodes may call; public ones they always may.")
    max_body_bytes: int = Field(default=16 * 2**20, ge=1, description="The largest body of a request, in bytes.")
    rate_limit: Rate | None = Field(default=None, description="Webhook requests per path, such as '100/second'; flows may ask for less.")
    sign_in_rate_limit: Rate = Field(default="20/minute", description="Wrong tokens per address before it has to wait.")
    shutdown_grace_s: float = Field(default=30.0, ge=0, description="Seconds that running executions get to end when the server stops.")
    log_format: Literal["text", "json"] = Field(default="text", description="Lines for people or JSON lines for programs.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least that is logged.")

    @field_validator("base_url")
    @classmethod
    def _prefix(cls, value: str) -> str:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and parts.hostname
        path = not parts.scheme and not parts.netloc and value.startswith("/")
        if not (whole or path) or parts.query or parts.fragment or not _PATH.fullmatch(parts.path or "/"):
            msg = f"'{value}' is neither a path like '/nbflow/' nor an address like 'https://lab.example.org/nbflow/'"
            raise ValueError(msg)
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/" if whole else f"{value.rstrip('/')}/"

    @field_validator("session_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SECRET_CHARACTERS:
            msg = f"it must have {_SECRET_CHARACTERS} characters or more; leave it out and one is made in .nbflow/session.key"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.auth == "none" and not is_loopback(self.host):
            msg = (
                f"auth 'none' on host {self.host} would let everybody on the network run code as you: "
                "use auth 'token' or 'oidc' there, or host 127.0.0.1"
            )
            raise ValueError(msg)
        if self.auth == "token" and len(self.token.get_secret_value()) < _TOKEN_CHARACTERS:
            msg = f"the token must have {_TOKEN_CHARACTERS} characters or more: shorter ones can be guessed; leave it out and each start makes one"
            raise ValueError(msg)
        if self.auth == "oidc" and not self.oidc.issuer:
            msg = "auth 'oidc' needs oidc.issuer, the address of the identity provider as in its tokens"
            raise ValueError(msg)
        if self.auth == "oidc" and not self.oidc.audiences and not self.oidc.authorized_parties:
            msg = (
                "auth 'oidc' needs oidc.client_id, oidc.audience or oidc.authorized_parties: "
                "without one of them a token that the provider made for any other application would open this server"
            )
            raise ValueError(msg)
        return self

    @property
    def root_path(self) -> str:
        """The path of `base_url` without its last slash; empty at the root."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def public_url(self) -> str | None:
        """The whole address as people type it, without its last slash; None when `base_url` is a path only."""
        return self.base_url.rstrip("/") if urlsplit(self.base_url).scheme else None

    @property
    def token_is_new(self) -> bool:
        """Whether the token was made for this start, so that it has to be shown."""
        return "token" not in self.model_fields_set

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=dict(_table.get()))

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None, *, file: Path | None = None, project: Path | None = None) -> Self:
        """Reads all sources. `flags` hold only what was given; `file` None: nbflow.toml in the project folder, when there is one.

        Raises SettingsError that names each wrong setting, where it was set and what it should be.
        The constructor alone reads flags and environment.
        """
        path = file or (project or find_project()) / FILE
        table = _read(path, must_exist=file is not None)
        given = dict(flags or {})
        _refuse_unknown_variables(cls)
        before = _table.set(table)
        try:
            return cls(**given)
        except ValidationError as error:
            lines = "\n".join(f"  {_line(problem, given, table, path)}" for problem in error.errors(include_url=False, include_input=False))
            msg = f"the server cannot start with these settings:\n{lines}"
            raise SettingsError(msg) from None
        finally:
            _table.reset(before)


_table: ContextVar[Mapping[str, Any]] = ContextVar("nbflow_settings_table", default={})  # noqa: B039  (never changed)


def _read(path: Path, *, must_exist: bool) -> Mapping[str, Any]:
    """[server] of the file; other tables belong to others."""
    try:
        table = tomllib.loads(path.read_text("utf-8")).get(TABLE, {})
    except FileNotFoundError:
        if must_exist:
            msg = f"there is no file {path}; `nbflow serve --example config` prints one to start from"
            raise SettingsError(msg) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise SettingsError(msg) from None
    if not isinstance(table, dict):
        msg = f"{path}: [{TABLE}] must be a table, such as\n[{TABLE}]\nport = 8520"
        raise SettingsError(msg)
    return table


def _refuse_unknown_variables(settings: type[BaseSettings]) -> None:
    """A misspelt variable would otherwise be without effect, and nobody would know."""
    for variable in os.environ:
        upper = variable.upper()
        if upper.startswith(ENVIRONMENT_PREFIX):
            name = upper.removeprefix(ENVIRONMENT_PREFIX).partition("__")[0].lower()
            if name not in settings.model_fields:
                msg = f"there is no setting for the variable {variable}{advice(name, settings.model_fields)}"
                raise SettingsError(msg)


def _line(problem: ErrorDetails, flags: Mapping[str, Any], table: Mapping[str, Any], path: Path) -> str:
    """One problem: where the value came from, and what it should be. Never the value: it may be a secret."""
    location = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    message = problem["msg"].removeprefix("Value error, ")
    if not location:
        return message
    name = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = ServerSettings.model_fields if len(location) == 1 else OidcSettings.model_fields
        message = f"there is no such setting{advice(location[-1], known)}"
    if location[0] in flags:
        return f"--{location[0].replace('_', '-')}: {message}"
    variable = ENVIRONMENT_PREFIX + "__".join(location).upper()
    if variable in {key.upper() for key in os.environ}:
        return f"{variable}: {message}"
    return f"{path}, [{TABLE}] {name}: {message}" if location[0] in table else f"{name}: {message}"
