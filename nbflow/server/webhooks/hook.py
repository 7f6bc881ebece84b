"""One registered method of one webhook trigger, with all that is made once for many requests."""

from __future__ import annotations

import ipaddress
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nbflow.catalogue.trigger.webhook import WebhookConfig
from nbflow.server.errors import ApiError
from nbflow.server.webhooks.cors import Cors
from nbflow.server.webhooks.rate import Rate

if TYPE_CHECKING:
    import asyncio

    from nbflow.server.webhooks.request import WebhookRequest
    from nbflow.vault.credential import Credential
    from nbflow.workflows.workflow import Webhook, Workflow

_BOTS = re.compile(
    r"bot\b|crawler|spider|facebookexternalhit|facebookcatalog|whatsapp|slackbot|telegrambot|discordbot|twitterbot|linkedinbot|embedly|skypeuripreview"
    r"|bingpreview|google-inspectiontool|pinterest|vkshare|quora link preview|redditbot|applebot|yandex",
    re.IGNORECASE,
)


class Hook:
    """Raises pydantic.ValidationError for a config that this version does not know."""

    def __init__(self, webhook: Webhook, *, rate_limit: str | None = None) -> None:
        self.webhook = webhook
        self.config = WebhookConfig.model_validate(dict(webhook.config))
        self.workflow: Workflow | None = None
        self.generation: int | None = None  # of the store, when `workflow` was read
        self.loading: asyncio.Task[None] | None = None
        self.path = webhook.path
        self.segments = tuple(webhook.path.strip("/").split("/"))
        self.names = tuple(segment[1:] for segment in self.segments if segment.startswith(":"))
        self.source = f"{webhook.method} {webhook.path}"
        self.scope = f"{webhook.workflow_id}/{webhook.node_id}"  # of idempotency keys
        self.scope_hash = sha256(self.scope.encode()).hexdigest()[:16]  # of signatures
        self.credential: tuple[Credential, int | None, float] | None = None  # with the store's generation and the time when it was resolved
        self.cors = Cors(self.config.allowed_origins)
        self.rate = Rate(self.config.rate_limit) if self.config.rate_limit else None
        self.server_rate = Rate(rate_limit) if rate_limit else None
        self.idempotency_header = self.config.idempotency_header.lower()
        self.auth_header = self.config.auth_header.lower()
        self.secret_header = self.auth_header if self.config.auth == "header" else ""
        self._networks = tuple(map(ipaddress.ip_network, self.config.allowed_networks))

    def renewed(self, webhook: Webhook) -> Hook:
        """This hook where nothing of it was changed, else a new one."""
        if webhook == self.webhook:
            return self
        fresh = Hook(webhook)
        fresh.server_rate = self.server_rate
        if fresh.rate is not None and self.rate is not None and fresh.rate.text == self.rate.text:
            fresh.rate = self.rate
        return fresh

    @property
    def active(self) -> bool:
        """Whether its workflow is."""
        return self.webhook.active

    @property
    def method(self) -> str:
        """In capitals."""
        return self.webhook.method

    @property
    def name(self) -> str:
        """The workflow's."""
        return self.webhook.workflow

    @property
    def node_id(self) -> str:
        """The trigger's."""
        return self.webhook.node_id

    @property
    def workflow_id(self) -> Any:
        """A UUID."""
        return self.webhook.workflow_id

    @property
    def organization_id(self) -> Any:
        """A UUID."""
        return self.webhook.organization_id

    def check_caller(self, request: WebhookRequest) -> None:
        """Raises ApiError: 403 for an address, page or program that may not call, 429 when too many do."""
        self.cors.check(request.headers)
        if self._networks and not self._in_networks(request.address):
            msg = f"requests from {request.address or 'this address'} are not taken; the webhook's field allowed_networks says which are"
            raise ApiError(403, "address_not_allowed", msg)
        if self.config.ignore_bots and _BOTS.search(request.headers.get("user-agent", "")):
            msg = "crawlers and link previewers are not taken by this webhook (its field ignore_bots)"
            raise ApiError(403, "bot_ignored", msg)
        if self.server_rate is not None:
            self.server_rate.check()
        if self.rate is not None:
            self.rate.check(request.address if self.config.rate_limit_by == "address" else "")

    def _in_networks(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network or address in network for network in self._networks)
