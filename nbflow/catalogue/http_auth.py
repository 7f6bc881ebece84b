"""How HTTP requests prove who sends them. A config names a credential, or environment variables; the secrets never stand in a document."""

import asyncio
import base64
import os
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError
from nbflow.core.node import Context, Credential
from nbflow.core.redaction import redactor

_NAME = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_OUR_OWN = "NBFLOW_"  # the vault's key and the server's secrets are nothing to send to others
_KINDS = {"http_basic": "basic", "http_bearer": "bearer", "http_header": "header", "http_query": "query"}


class _Auth(NodeConfig):
    credential: str | None = Field(default=None, min_length=1, description="Name of a credential, instead of environment variables.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        variables = [name for name in type(self).model_fields if name.endswith("_env")]
        given = [name for name in variables if getattr(self, name) is not None]
        if self.credential is None and len(given) < len(variables):
            msg = f"give credential, or {' and '.join(variables)}"
            raise ValueError(msg)
        if self.credential is not None and given:
            msg = f"give either credential or {' and '.join(variables)}"
            raise ValueError(msg)
        return self


class _Pair(_Auth):
    user_env: _NAME | None = Field(default=None, description="Environment variable that holds the user's name.")
    password_env: _NAME | None = Field(default=None, description="Environment variable that holds the password.")


class BasicAuth(_Pair):
    """RFC 7617."""

    type: Literal["basic"] = Field(description="User and password.")


class DigestAuth(_Pair):
    """RFC 7616."""

    type: Literal["digest"] = Field(description="User and password, by challenge and response.")


class BearerAuth(_Auth):
    """RFC 6750."""

    type: Literal["bearer"] = Field(description="A token in the Authorization header.")
    token_env: _NAME | None = Field(default=None, description="Environment variable that holds the token.")


class _Named(_Auth):
    name: str | None = Field(default=None, min_length=1, description="Its name; that of the credential unless given.")
    value_env: _NAME | None = Field(default=None, description="Environment variable that holds the value.")

    @model_validator(mode="after")
    def _has_name(self) -> Self:
        if self.credential is None and self.name is None:
            msg = "give name"
            raise ValueError(msg)
        return self


class HeaderAuth(_Named):
    """A header of the service's own, such as X-Api-Key."""

    type: Literal["header"] = Field(description="A secret in a header.")


class QueryAuth(_Named):
    """A parameter in the URL. It ends up in servers' logs; prefer a header where the service lets you."""

    type: Literal["query"] = Field(description="A secret in the URL's query.")


class CredentialAuth(NodeConfig):
    """A credential whose kind says how: http_basic, http_bearer, http_header, http_query."""

    type: Literal["credential"] = Field(default="credential", description="As the credential's kind says.")
    credential: str = Field(min_length=1, description="Name of a credential.")


def _typed(value: Any) -> Any:
    """`{"credential": name}` needs no type."""
    return {**value, "type": "credential"} if isinstance(value, dict) and "credential" in value and "type" not in value else value


HttpAuth = Annotated[
    Annotated[BasicAuth | DigestAuth | BearerAuth | HeaderAuth | QueryAuth | CredentialAuth, Field(discriminator="type")], BeforeValidator(_typed)
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What a request carries, ready to send; it does not show itself."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)
    digest: tuple[str, str] | None = field(default=None, repr=False)  # user and password: the challenge comes with each answer

    def auth(self) -> Any:
        """The httpx.Auth for one exchange, where there is a challenge to answer."""
        if self.digest is None:
            return None
        import httpx

        return httpx.DigestAuth(*self.digest)


async def proof(auth: Any, ctx: Context) -> Proof | None:
    """The proof that a config asks for. Raises ConfigError (a variable is not set), CredentialError."""
    if auth is None:
        return None
    redactor.watch()
    if auth.credential is None:
        return _from_variables(auth)
    credential = await asyncio.to_thread(ctx.credential, auth.credential)
    kind = _KINDS.get(credential.kind) if auth.type == "credential" else auth.type
    if kind is None:
        msg = f"credential '{credential.name}' is of kind {credential.kind}: say in auth.type how it is sent (basic, bearer, header, query, digest)"
        raise ConfigError(msg, field="auth")
    return _from_credential(auth, kind, credential)


def _from_credential(auth: Any, kind: str, credential: Credential) -> Proof:
    if kind in {"basic", "digest"}:
        return _pair(kind, credential.reveal("user"), credential.reveal("password"))
    secret = next((value for name in ("token", "value", "api_key", "bot_token") if (value := credential.get(name)) is not None), None)
    if secret is None:
        msg = f"credential '{credential.name}' ({credential.kind}) has no token, value or api_key to send"
        raise ConfigError(msg, field="auth")
    if kind == "bearer":
        return Proof(headers={"Authorization": f"Bearer {secret}"})
    name = getattr(auth, "name", None) or credential.reveal("name")
    return Proof(headers={name: secret}) if kind == "header" else Proof(query={name: secret})


def _from_variables(auth: Any) -> Proof:
    if auth.type in {"basic", "digest"}:
        return _pair(auth.type, _variable(auth.user_env, secret=False), _variable(auth.password_env))
    if isinstance(auth, BearerAuth):
        return Proof(headers={"Authorization": f"Bearer {_variable(auth.token_env)}"})
    pair = {auth.name: _variable(auth.value_env)}
    return Proof(headers=pair) if isinstance(auth, HeaderAuth) else Proof(query=pair)


def _pair(kind: str, user: str, password: str) -> Proof:
    if kind == "digest":
        return Proof(digest=(user, password))
    pair = f"{user}:{password}"
    redactor.learn(pair, name="user and password")  # a short password cannot be told in base64 by itself
    return Proof(headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def _variable(name: str | None, *, secret: bool = True) -> str:
    """Its value, known to the redactor. Raises ConfigError when it is not set, or nbflow's own."""
    assert name is not None  # noqa: S101 -- the config was validated
    if name.upper().startswith(_OUR_OWN):
        msg = f"{name} is nbflow's own: no flow may send it"
        raise ConfigError(msg, field="auth")
    value = os.environ.get(name)
    if value is None:
        msg = f"the environment variable {name} is not set"
        raise ConfigError(msg, field="auth")
    if secret:
        redactor.learn(value, name=name)
    return value
