"""Whether a caller is who may call: basic, a secret header, a JWT, a signature. Comparisons take the same time, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
import time
from typing import TYPE_CHECKING

from nbflow.core.errors import CredentialError, StoreError
from nbflow.server.errors import ApiError
from nbflow.server.webhooks import signature
from nbflow.server.webhooks.bearer import BearerTokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbflow.server.webhooks.hook import Hook
    from nbflow.server.webhooks.registry import Registry
    from nbflow.server.webhooks.request import WebhookRequest
    from nbflow.vault.credential import Credential
    from nbflow.vault.vault import Vault

logger = logging.getLogger(__name__)
_KINDS = {"basic": "http_basic", "header": "http_header", "jwt": "jwt", "hmac": "hmac_secret"}
_KEPT_S = 60.0  # a credential; changes in the vault are seen at once, those in a keyring after this time


class Authenticator:
    """Used on the server's loop. `allowed_hosts`: private hosts that key sets may be fetched from."""

    def __init__(self, vault: Vault, registry: Registry, *, allowed_hosts: Iterable[str] = ()) -> None:
        self._vault = vault
        self._registry = registry
        self._tokens = BearerTokens(allowed_hosts)

    async def check_head(self, hook: Hook, request: WebhookRequest) -> None:
        """What needs no body: basic, header, jwt. Raises ApiError: 401, 503 when the credential to check against cannot be had."""
        auth = hook.config.auth
        if auth == "hmac":
            return
        credential = await self._credential(hook)
        if auth == "basic":
            _check_basic(credential, request.headers.get("authorization", ""))
        elif auth == "header":
            _check_header(hook, credential, request)
        elif auth == "jwt":
            await self._tokens.check(hook.config.jwt, credential, request.headers.get("authorization", ""))

    async def check_body(self, hook: Hook, request: WebhookRequest, raw: bytes) -> tuple[str, float] | None:
        """For hmac: what `signature.verify` gives, apart for each webhook. Raises ApiError like `check_head`."""
        credential = await self._credential(hook)
        try:
            found = signature.verify(hook.config.hmac, hook.auth_header, credential.reveal("secret"), request.headers, raw)
        except ValueError:
            logger.warning("%s: the secret of credential '%s' is not written as the field hmac.key says", hook.source, credential.name)
            raise _unchecked() from None
        return found and (f"{hook.scope_hash}{found[0]}", found[1])

    async def close(self) -> None:
        """Lets the connections go."""
        await self._tokens.close()

    async def _credential(self, hook: Hook) -> Credential:
        now, generation = time.monotonic(), self._registry.generation
        kept = hook.credential
        if kept is not None and kept[1] == generation and now - kept[2] < _KEPT_S:
            return kept[0]
        kind = _KINDS[hook.config.auth]
        try:
            found = await asyncio.to_thread(self._vault.resolve, hook.config.credential, kind=kind, organization_id=hook.organization_id)
        except (CredentialError, StoreError) as error:
            logger.warning("%s of workflow '%s' cannot check its callers: %s", hook.source, hook.name, error)
            raise _unchecked() from None
        hook.credential = (found, generation, now)
        return found


def _unchecked() -> ApiError:
    """Callers hear nothing of the credential's name or state."""
    msg = "this webhook cannot check its callers now: the credential that it checks against cannot be read; the server's log says why"
    return ApiError(503, "credential_unavailable", msg, headers={"Retry-After": "60"})


def _check_basic(credential: Credential, header: str) -> None:
    scheme, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        given = b""
    wanted = f"{credential.reveal('user')}:{credential.reveal('password')}".encode()
    if not hmac.compare_digest(given, wanted):
        msg = "user and password are missing or wrong" if not given else "user or password is wrong"
        raise ApiError(401, "wrong_password", msg, headers={"WWW-Authenticate": 'Basic realm="webhook", charset="UTF-8"'})


def _check_header(hook: Hook, credential: Credential, request: WebhookRequest) -> None:
    name = hook.secret_header if "auth_header" in hook.config.model_fields_set else credential.reveal("name").lower()
    hook.secret_header = name  # it does not go into the request's value
    given = request.headers.get(name, "").encode("latin-1", "replace")
    if not hmac.compare_digest(given, credential.reveal("value").encode()):
        msg = f"the header {name} is {'wrong' if given else 'missing'}"
        raise ApiError(401, "wrong_header", msg)
