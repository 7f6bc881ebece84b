"""Sheets, bases and pages of others."""

import base64
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, asked

if TYPE_CHECKING:
    import httpx

_SCOPE = "https://www.googleapis.com/auth/drive.readonly"


class GoogleServiceAccount(Kind):
    """A service account's JSON key, as Google's console gives it out."""

    kind: ClassVar[str] = "google_service_account"
    title: ClassVar[str] = "Google service account"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # GOOGLE_APPLICATION_CREDENTIALS names a file: see `vault.environment`

    key: SecretStr = Field(description="Content of the JSON file.")

    @field_validator("key")
    @classmethod
    def _complete(cls, key: SecretStr) -> SecretStr:
        try:
            fields = json.loads(key.get_secret_value())
            missing = {"client_email", "private_key", "token_uri"} - set(fields)
        except (ValueError, TypeError):
            msg = "it is not the JSON of a service account"
            raise ValueError(msg) from None
        if missing:
            msg = f"it lacks {', '.join(sorted(missing))}"
            raise ValueError(msg)
        return key

    @property
    def account(self) -> dict[str, Any]:
        """The file's fields."""
        return dict(json.loads(self.key.get_secret_value()))

    def secrets(self) -> list[str]:
        """The private key; the file's other fields are addresses that may be seen."""
        return [str(self.account["private_key"])]

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Exchanges a signed claim for a token (RFC 7523)."""
        account = self.account
        answer = await asked(http, "POST", account["token_uri"], data={"grant_type": _GRANT, "assertion": self._assertion(account)})
        if "access_token" not in answer.json():
            msg = f"{urlsplit(account['token_uri']).hostname} gave no token"
            raise CredentialError(msg)
        return f"a token was given to {account['client_email']}"

    @staticmethod
    def _assertion(account: Mapping[str, Any]) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(account["private_key"].encode(), None)
        except ValueError:
            key = None
        if not isinstance(key, RSAPrivateKey):
            msg = "private_key is no PEM of an RSA key"
            raise CredentialError(msg)
        now = int(time.time())
        claims = {"iss": account["client_email"], "scope": _SCOPE, "aud": account["token_uri"], "iat": now, "exp": now + 600}
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{_base64(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def _part(claims: Mapping[str, Any]) -> str:
    return _base64(json.dumps(claims).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Airtable(Kind):
    """Airtable."""

    kind: ClassVar[str] = "airtable"
    title: ClassVar[str] = "Airtable"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"token": ("AIRTABLE_API_KEY",)}

    token: SecretStr = Field(description="Personal access token.")
    base_url: str = Field(default="https://api.airtable.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks who it is."""
        answer = await asked(http, "GET", f"{self.base_url}/v0/meta/whoami", headers={"Authorization": f"Bearer {self.token.get_secret_value()}"})
        return f"signed in as {answer.json().get('id')}"


class Notion(Kind):
    """Notion."""

    kind: ClassVar[str] = "notion"
    title: ClassVar[str] = "Notion"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"token": ("NOTION_TOKEN",)}

    token: SecretStr = Field(description="Token of an integration.")
    base_url: str = Field(default="https://api.notion.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks who it is."""
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}", "Notion-Version": "2025-09-03"}
        answer = await asked(http, "GET", f"{self.base_url}/v1/users/me", headers=headers)
        return f"signed in as {answer.json().get('name')}"
