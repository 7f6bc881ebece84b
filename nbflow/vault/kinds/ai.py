"""Providers of language models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

from nbflow.vault.kind import Kind, asked

if TYPE_CHECKING:
    import httpx


class OpenAI(Kind):
    """OpenAI, and servers that speak its API."""

    kind: ClassVar[str] = "openai"
    title: ClassVar[str] = "OpenAI or a compatible server"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("OPENAI_API_KEY",),
        "base_url": ("OPENAI_BASE_URL",),
        "organization": ("OPENAI_ORG_ID",),
        "project": ("OPENAI_PROJECT_ID",),
    }

    api_key: SecretStr = Field(description="API key.")
    base_url: str = Field(default="https://api.openai.com/v1", description="Address of the API.")
    organization: str | None = Field(default=None, description="Organization id.")
    project: str | None = Field(default=None, description="Project id.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Lists the models."""
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"}
        headers |= {"OpenAI-Organization": self.organization} if self.organization else {}
        headers |= {"OpenAI-Project": self.project} if self.project else {}
        answer = await asked(http, "GET", f"{self.base_url.rstrip('/')}/models", headers=headers)
        return f"{answer.url.host} lists its models"


class Anthropic(Kind):
    """Anthropic."""

    kind: ClassVar[str] = "anthropic"
    title: ClassVar[str] = "Anthropic"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("ANTHROPIC_API_KEY",), "base_url": ("ANTHROPIC_BASE_URL",)}

    api_key: SecretStr = Field(description="API key.")
    base_url: str = Field(default="https://api.anthropic.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Lists the models."""
        headers = {"x-api-key": self.api_key.get_secret_value(), "anthropic-version": "2023-06-01"}
        answer = await asked(http, "GET", f"{self.base_url.rstrip('/')}/v1/models", headers=headers)
        return f"{answer.url.host} lists its models"


class Gemini(Kind):
    """Google's Gemini API."""

    kind: ClassVar[str] = "gemini"
    title: ClassVar[str] = "Google Gemini"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "base_url": ("GOOGLE_GEMINI_BASE_URL",),
    }

    api_key: SecretStr = Field(description="API key.")
    base_url: str = Field(default="https://generativelanguage.googleapis.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Lists the models; the key goes into a header, since queries end up in logs."""
        answer = await asked(http, "GET", f"{self.base_url.rstrip('/')}/v1beta/models", headers={"x-goog-api-key": self.api_key.get_secret_value()})
        return f"{answer.url.host} lists its models"
