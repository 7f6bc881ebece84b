"""Credentials for HTTP services that have no kind of their own."""

import base64
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

from nbflow.vault.kind import Kind, NotTestableError, asked

if TYPE_CHECKING:
    import httpx

_TEST = Field(default=None, description="An address that answers 200 to a GET with this credential, for `test`.")


class _Http(Kind):
    test_url: str | None = _TEST

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query."""
        raise NotImplementedError

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks `test_url`."""
        if self.test_url is None:
            msg = "give it a test_url to test it"
            raise NotTestableError(msg)
        headers, query = self._proof()
        answer = await asked(http, "GET", self.test_url, headers=headers, query=query or None)
        return f"{answer.url.host} answered {answer.status_code}"


class HttpBasic(_Http):
    """RFC 7617; also for digest (RFC 7616)."""

    kind: ClassVar[str] = "http_basic"
    title: ClassVar[str] = "HTTP: user and password"

    user: str = Field(description="User name.")
    password: SecretStr = Field(description="Password.")

    def secrets(self) -> list[str]:
        """The pair too: short passwords cannot be told in base64 by themselves."""
        return [self.password.get_secret_value(), f"{self.user}:{self.password.get_secret_value()}"]

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        pair = f"{self.user}:{self.password.get_secret_value()}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, {}


class HttpBearer(_Http):
    """RFC 6750."""

    kind: ClassVar[str] = "http_bearer"
    title: ClassVar[str] = "HTTP: bearer token"

    token: SecretStr = Field(description="Token for the Authorization header.")

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"}, {}


class HttpHeader(_Http):
    """A header of the service's own, such as X-Api-Key."""

    kind: ClassVar[str] = "http_header"
    title: ClassVar[str] = "HTTP: a secret in a header"

    name: str = Field(min_length=1, description="Name of the header.")
    value: SecretStr = Field(description="Its value.")

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        return {self.name: self.value.get_secret_value()}, {}


class HttpQuery(_Http):
    """A parameter in the URL; prefer a header where the service lets you."""

    kind: ClassVar[str] = "http_query"
    title: ClassVar[str] = "HTTP: a secret in the query"

    name: str = Field(min_length=1, description="Name of the parameter.")
    value: SecretStr = Field(description="Its value.")

    def _proof(self) -> tuple[dict[str, str], dict[str, str]]:
        return {}, {self.name: self.value.get_secret_value()}
