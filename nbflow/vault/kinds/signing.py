"""Secrets and keys that prove who sent a message: webhooks' signatures and JSON Web Tokens."""

import json
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, asked

if TYPE_CHECKING:
    import httpx


class HmacSecret(Kind):
    """The secret both sides know (RFC 2104)."""

    kind: ClassVar[str] = "hmac_secret"
    title: ClassVar[str] = "Webhook signature (HMAC)"

    secret: SecretStr = Field(description="The shared secret.")

    async def check(self, http: "httpx.AsyncClient") -> str:  # noqa: ARG002 -- nobody to ask
        """Nothing outside can say whether the other side knows the same."""
        return "readable; whether the sender has the same secret shows with the first webhook"


class Jwt(Kind):
    """What JSON Web Tokens (RFC 7519) are checked with: a shared secret (HS*), a public key, or the address of a key set (RFC 7517)."""

    kind: ClassVar[str] = "jwt"
    title: ClassVar[str] = "JSON Web Tokens: secret, public key or key set"

    secret: SecretStr | None = Field(default=None, description="Shared secret, for HS256, HS384, HS512.")
    public_key: str | None = Field(default=None, description="PEM of the public key, for RS*, PS*, ES*, EdDSA.")
    jwks_url: str | None = Field(default=None, description="Address of the issuer's key set.")
    algorithm: Literal["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] | None = (
        Field(default=None, description="The only algorithm to accept; without it, those that fit the kind of key.")
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.secret, self.public_key, self.jwks_url)) != 1:
            msg = "give one of secret, public_key and jwks_url"
            raise ValueError(msg)
        if self.algorithm is not None and self.algorithm.startswith("HS") != (self.secret is not None):
            msg = "HS algorithms go with a secret, the others with a public key or a key set"
            raise ValueError(msg)
        return self

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Reads the key, or gets the key set."""
        if self.public_key is not None:
            from cryptography.hazmat.primitives.serialization import load_pem_public_key

            try:
                load_pem_public_key(self.public_key.encode())
            except ValueError:
                msg = "public_key is no PEM public key"
                raise CredentialError(msg) from None
            return "the public key can be read"
        if self.jwks_url is not None:
            answer = await asked(http, "GET", self.jwks_url)
            try:
                count = len(answer.json()["keys"])
            except (json.JSONDecodeError, KeyError, TypeError):
                msg = f"{answer.url.host} answers no key set"
                raise CredentialError(msg) from None
            return f"{answer.url.host} publishes {count} keys"
        return "readable"
