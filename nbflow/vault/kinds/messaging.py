"""Messengers, hooks and text messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from nbflow.core.errors import CredentialError
from nbflow.vault.kind import Kind, NotTestableError, asked

if TYPE_CHECKING:
    import httpx

_TELLING = 16  # characters from which on a part of a hook's address is its secret


def _address(url: SecretStr | None) -> list[str]:
    """An address that is a secret, and the parts of its path that are: logs often name only the path."""
    if url is None:
        return []
    text = url.get_secret_value()
    return [text, *(part for part in urlsplit(text).path.split("/") if len(part) >= _TELLING)]


class _Chat(Kind):
    webhook_url: SecretStr | None = Field(default=None, description="Address of an incoming webhook; whoever knows it may post.")
    bot_token: SecretStr | None = Field(default=None, description="Token of a bot.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.webhook_url is None and self.bot_token is None:
            msg = "give webhook_url or bot_token"
            raise ValueError(msg)
        return self

    def secrets(self) -> list[str]:
        """The address as a whole and in parts, the token."""
        return [*_address(self.webhook_url), *([self.bot_token.get_secret_value()] if self.bot_token else [])]


class Slack(_Chat):
    """Slack."""

    kind: ClassVar[str] = "slack"
    title: ClassVar[str] = "Slack"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"webhook_url": ("SLACK_WEBHOOK_URL",), "bot_token": ("SLACK_BOT_TOKEN",)}

    base_url: str = Field(default="https://slack.com/api", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """auth.test; a webhook can only be tried by posting."""
        if self.bot_token is None:
            msg = "a Slack webhook can only be tried by posting a message"
            raise NotTestableError(msg)
        headers = {"Authorization": f"Bearer {self.bot_token.get_secret_value()}"}
        answer = (await asked(http, "POST", f"{self.base_url}/auth.test", headers=headers)).json()
        if not answer.get("ok"):  # Slack says 200 to everything
            msg = f"Slack does not accept it: {answer.get('error')}"
            raise CredentialError(msg)
        return f"signed in to {answer.get('team')} as {answer.get('user')}"


class Discord(_Chat):
    """Discord."""

    kind: ClassVar[str] = "discord"
    title: ClassVar[str] = "Discord"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"webhook_url": ("DISCORD_WEBHOOK_URL",), "bot_token": ("DISCORD_BOT_TOKEN",)}

    base_url: str = Field(default="https://discord.com/api/v10", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks who the bot is, or what the webhook is called."""
        if self.bot_token is not None:
            headers = {"Authorization": f"Bot {self.bot_token.get_secret_value()}"}
            answer = await asked(http, "GET", f"{self.base_url}/users/@me", headers=headers)
            return f"signed in as {answer.json().get('username')}"
        assert self.webhook_url is not None  # noqa: S101 -- one of the two is there
        answer = await asked(http, "GET", self.webhook_url.get_secret_value())
        return f"the webhook is called {answer.json().get('name')}"


class Zapier(Kind):
    """A catch hook of Zapier; Make and IFTTT have the same."""

    kind: ClassVar[str] = "zapier"
    title: ClassVar[str] = "Zapier, Make, IFTTT: a hook's address"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"webhook_url": ("ZAPIER_WEBHOOK_URL",)}

    webhook_url: SecretStr = Field(description="Address of the hook; whoever knows it may call it.")

    def secrets(self) -> list[str]:
        """The address as a whole and in parts."""
        return _address(self.webhook_url)


class Twilio(Kind):
    """Twilio, by auth token or by API key."""

    kind: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "account_sid": ("TWILIO_ACCOUNT_SID",),
        "auth_token": ("TWILIO_AUTH_TOKEN",),
        "api_key": ("TWILIO_API_KEY",),
        "api_secret": ("TWILIO_API_SECRET",),
    }

    account_sid: str = Field(description="Account SID, AC...")
    auth_token: SecretStr | None = Field(default=None, description="Auth token.")
    api_key: str | None = Field(default=None, description="SID of an API key, SK..., instead of the auth token.")
    api_secret: SecretStr | None = Field(default=None, description="Secret of that API key.")
    sender: str | None = Field(default=None, description="Number or sender id that messages come from.")
    base_url: str = Field(default="https://api.twilio.com", description="Address of the API.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.auth_token is None and (self.api_key is None or self.api_secret is None):
            msg = "give auth_token, or api_key and api_secret"
            raise ValueError(msg)
        return self

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Fetches the account."""
        if self.api_key is not None and self.api_secret is not None:
            auth = (self.api_key, self.api_secret.get_secret_value())
        else:
            auth = (self.account_sid, self.auth_token.get_secret_value() if self.auth_token else "")
        answer = await asked(http, "GET", f"{self.base_url}/2010-04-01/Accounts/{self.account_sid}.json", auth=auth)
        return f"the account is {answer.json().get('status')}"


class Vonage(Kind):
    """Vonage's SMS API."""

    kind: ClassVar[str] = "vonage"
    title: ClassVar[str] = "Vonage"
    environment: ClassVar[Mapping[str, tuple[str, ...]]] = {"api_key": ("VONAGE_API_KEY",), "api_secret": ("VONAGE_API_SECRET",)}

    api_key: str = Field(description="API key: a name, not a secret.")
    api_secret: SecretStr = Field(description="API secret.")
    sender: str | None = Field(default=None, description="Number or sender id that messages come from.")
    base_url: str = Field(default="https://rest.nexmo.com", description="Address of the API.")

    async def check(self, http: "httpx.AsyncClient") -> str:
        """Asks for the balance."""
        query = {"api_key": self.api_key, "api_secret": self.api_secret.get_secret_value()}
        answer = await asked(http, "GET", f"{self.base_url}/account/get-balance", query=query)
        return f"{answer.url.host} tells the balance"
