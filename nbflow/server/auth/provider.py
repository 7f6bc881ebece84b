"""The identity provider as this server talks to it: discovery, keys, and the code flow with PKCE.

Sources: OpenID Connect Discovery 1.0, 4; OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 6749, 2.3.1 (client authentication).
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from nbflow.core.errors import ForgedTokenError, IdentityProviderError, SignInError
from nbflow.server.auth import oidc
from nbflow.server.auth.fetched import Fetched, as_object
from nbflow.server.auth.jwks import Jwks
from nbflow.server.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbflow.accounts.user import Identity
    from nbflow.server.settings import OidcSettings

_TIMEOUT_S = 5.0


class Provider:
    """One provider. For one event loop; `close` when done."""

    def __init__(self, settings: OidcSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)
        self._discovery = Fetched(self._client, f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration", clock=clock)
        self._keys: Jwks | None = None

    async def identity(self, token: str) -> Identity:
        """Who a token of this provider speaks of. Raises a SignInError for each thing that can be wrong, IdentityProviderError."""
        claims = await oidc.verify(token, self.settings, await self._jwks())
        return oidc.identity(claims, self.settings)

    async def sign_in_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser to sign in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def redeem(self, code: str, *, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Who has signed in: exchanges the code for tokens and checks them. Raises SignInError, IdentityProviderError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        tokens = await self._token_request(form)
        if not isinstance(tokens.get("id_token"), str):
            msg = "the identity provider sent no ID token: oidc.scopes must have 'openid'"
            raise IdentityProviderError(msg)
        claims = await oidc.verify_id_token(tokens["id_token"], self.settings, await self._jwks(), nonce)
        if "email" not in claims and isinstance(tokens.get("access_token"), str):
            claims = await self._with_user_info(claims, tokens["access_token"])
        return oidc.identity(claims, self.settings)

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def _jwks(self) -> Jwks:
        if self._keys is None:
            url = self.settings.jwks_url or await self._endpoint("jwks_uri")
            self._keys = Jwks(Fetched(self._client, url, clock=self._clock))
        return self._keys

    async def _endpoint(self, name: str) -> str:
        """An address from the discovery document. Raises IdentityProviderError when it is missing or unsafe."""
        document = await self._discovery.get()
        if str(document.get("issuer", "")).rstrip("/") != self.settings.issuer.rstrip("/"):
            msg = f"{self._discovery.url} speaks for {str(document.get('issuer'))[:200]!r}, not for oidc.issuer {self.settings.issuer!r}"
            raise IdentityProviderError(msg)
        url = document.get(name)
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            msg = f"{self._discovery.url} has no {name} with https"
            raise IdentityProviderError(msg)
        return str(url)

    async def _token_request(self, form: dict[str, str]) -> dict[str, Any]:
        url, secret = await self._endpoint("token_endpoint"), self.settings.client_secret
        methods = (await self._discovery.get()).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {"Accept": "application/json"}
        if secret is None:
            form["client_id"] = self.settings.client_id
        elif "client_secret_basic" in methods:
            pair = f"{quote(self.settings.client_id, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.settings.client_id, "client_secret": secret.get_secret_value()}
        answer = await self._ask("POST", url, data=form, headers=headers)
        found = as_object(answer.content, url)
        if answer.is_success:
            return found
        told = str(found.get("error", answer.status_code))[:100]
        if told == "invalid_grant":
            msg = "the identity provider does not know this sign-in any more (it can be used once, and not for long): start again"
            raise SignInError(msg)
        msg = f"the identity provider refused the sign-in ({told}): are oidc.client_id, oidc.client_secret and the redirect address registered there?"
        raise IdentityProviderError(msg)

    async def _with_user_info(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """Some providers tell name and address here only."""
        if "userinfo_endpoint" not in await self._discovery.get():
            return claims
        url = await self._endpoint("userinfo_endpoint")
        answer = await self._ask("GET", url, headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"})
        if not answer.is_success:
            return claims
        told = as_object(answer.content, url)
        if told.get("sub") != claims["sub"]:
            msg = "the identity provider told of one person and then of another: start again"
            raise ForgedTokenError(msg)
        return told | claims

    async def _ask(self, method: str, url: str, **request: Any) -> httpx.Response:
        try:
            return await self._client.request(method, url, **request)
        except httpx.HTTPError as error:
            msg = f"the identity provider cannot be reached at {url} ({type(error).__name__}): try again in a moment"
            raise IdentityProviderError(msg) from error
