"""How HTTP requests prove who sends them. A config names environment variables; the secrets themselves never stand in a document."""

import base64
import os
from typing import Annotated, Any, Literal

from pydantic import Field

from nbflow.core.config import NodeConfig
from nbflow.core.errors import ConfigError

_NAME = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class BasicAuth(NodeConfig):
    """RFC 7617."""

    type: Literal["basic"] = Field(description="User and password.")
    user_env: _NAME = Field(description="Environment variable that holds the user's name.")
    password_env: _NAME = Field(description="Environment variable that holds the password.")


class DigestAuth(NodeConfig):
    """RFC 7616."""

    type: Literal["digest"] = Field(description="User and password, by challenge and response.")
    user_env: _NAME = Field(description="Environment variable that holds the user's name.")
    password_env: _NAME = Field(description="Environment variable that holds the password.")


class BearerAuth(NodeConfig):
    """RFC 6750."""

    type: Literal["bearer"] = Field(description="A token in the Authorization header.")
    token_env: _NAME = Field(description="Environment variable that holds the token.")


class HeaderAuth(NodeConfig):
    """A header of the service's own, such as X-Api-Key."""

    type: Literal["header"] = Field(description="A secret in a header.")
    name: str = Field(min_length=1, description="Name of the header.")
    value_env: _NAME = Field(description="Environment variable that holds the value.")


class QueryAuth(NodeConfig):
    """A parameter in the URL. It ends up in servers' logs; prefer a header where the service lets you."""

    type: Literal["query"] = Field(description="A secret in the URL's query.")
    name: str = Field(min_length=1, description="Name of the parameter.")
    value_env: _NAME = Field(description="Environment variable that holds the value.")


HttpAuth = Annotated[BasicAuth | DigestAuth | BearerAuth | HeaderAuth | QueryAuth, Field(discriminator="type")]


def secret(name: str) -> str:
    """The variable's value. Raises ConfigError when it is not set."""
    value = os.environ.get(name)
    if value is None:
        msg = f"the environment variable {name} is not set"
        raise ConfigError(msg, field="auth")
    return value


def proof(auth: Any) -> tuple[dict[str, str], dict[str, str], Any]:
    """(headers, query parameters, httpx.Auth or None) that carry the proof."""
    if isinstance(auth, BasicAuth):
        pair = f"{secret(auth.user_env)}:{secret(auth.password_env)}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, {}, None
    if isinstance(auth, BearerAuth):
        return {"Authorization": f"Bearer {secret(auth.token_env)}"}, {}, None
    if isinstance(auth, HeaderAuth):
        return {auth.name: secret(auth.value_env)}, {}, None
    if isinstance(auth, QueryAuth):
        return {}, {auth.name: secret(auth.value_env)}, None
    if isinstance(auth, DigestAuth):
        import httpx

        return {}, {}, httpx.DigestAuth(secret(auth.user_env), secret(auth.password_env))
    return {}, {}, None
