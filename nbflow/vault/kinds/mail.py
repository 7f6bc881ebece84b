"""Senders of e-mail."""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, asked

if TYPE_CHECKING:
    import httpx

_SECONDS = 10.0


class Smtp(Kind):
    """A mail server (RFC 5321, RFC 4954)."""

    kind: ClassVar[str] = "smtp"
    title: ClassVar[str] = "SMTP server"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "host": ("SMTP_HOST",),
        "port": ("SMTP_PORT",),
        "user": ("SMTP_USER",),
        "password": ("SMTP_PASSWORD",),
        "tls": ("SMTP_TLS",),
    }

    host: str = Field(description="Name of the server.")
    port: int = Field(default=587, ge=1, le=65535, description="587 with starttls, 465 with implicit TLS.")
    user: str | None = Field(default=None, description="User name.")
    password: SecretStr | None = Field(default=None, description="Password.")
    tls: Literal["none", "starttls", "implicit"] = Field(default="starttls", description="How the connection is protected.")

    def secrets(self) -> list[str]:
        """What AUTH PLAIN sends, too."""
        password = self.password.get_secret_value() if self.password else ""
        return [password, f"\0{self.user}\0{password}"] if password else []

    async def check(self, http: "httpx.AsyncClient") -> str:  # noqa: ARG002 -- not by HTTP
        """EHLO and AUTH."""
        return await asyncio.to_thread(self._greeted)

    def _greeted(self) -> str:
        try:
            context = ssl.create_default_context()
            if self.tls == "implicit":
                server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
            else:
                server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
            with server:
                server.ehlo()
                if self.tls == "starttls":
                    server.starttls(context=context)
                if self.user and self.password:
                    server.login(self.user, self.password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            msg = f"{self.host} does not accept the user or password ({error.smtp_code})"
            raise CredentialError(msg) from None
        except (smtplib.SMTPException, OSError) as error:
            msg = f"{self.host}:{self.port}: {type(error).__name__}: {error}"
            raise CredentialError(msg, retryable=True) from None
        return f"{self.host} let {self.user or 'us'} in"


class SendGrid(Kind):
    """Twilio SendGrid."""

    kind: ClassVar[str] = "sendgrid"
    title: ClassVar[str] = "SendGrid"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("SENDGRID_API_KEY",)}

    api_key: SecretStr = Field(description="API key.")
    base_url: str = Field(default="https://api.sendgrid.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks for the key's scopes."""
        answer = await asked(http, "GET", f"{self.base_url}/v3/scopes", headers={"Authorization": f"Bearer {self.api_key.get_secret_value()}"})
        return f"the key has {len(answer.json().get('scopes', []))} scopes"


class Resend(Kind):
    """Resend."""

    kind: ClassVar[str] = "resend"
    title: ClassVar[str] = "Resend"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("RESEND_API_KEY",)}

    api_key: SecretStr = Field(description="API key.")
    base_url: str = Field(default="https://api.resend.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Lists the domains."""
        answer = await asked(http, "GET", f"{self.base_url}/domains", headers={"Authorization": f"Bearer {self.api_key.get_secret_value()}"})
        return f"{answer.url.host} lists its domains"
