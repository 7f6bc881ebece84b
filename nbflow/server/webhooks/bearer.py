"""JSON Web Tokens (RFC 7519) of webhooks' callers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    MissingRequiredClaimError,
    PyJWTError,
)

from nbflow.core.errors import ConfigError, IdentityProviderError, SignInError
from nbflow.server.auth.fetched import Fetched
from nbflow.server.auth.jwks import Jwks
from nbflow.server.clients import guarded_client
from nbflow.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from nbflow.catalogue.trigger.webhook import JwtRules
    from nbflow.vault.credential import Credential

logger = logging.getLogger(__name__)
_PUBLIC = ("RS256", "ES256", "EdDSA")


class BearerTokens:
    """Used on one loop. Key sets are fetched when needed and kept."""

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed_hosts = tuple(allowed_hosts)
        self._client: httpx.AsyncClient | None = None
        self._sets: dict[str, Jwks] = {}

    async def check(self, rules: JwtRules, credential: Credential, header: str) -> None:
        """Raises ApiError: 401 for a token that is missing, expired, forged or not for this webhook, 503 when its key cannot be fetched."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            msg = "a token is missing: send it as Authorization: Bearer ..."
            raise ApiError(401, "token_missing", msg, headers={"WWW-Authenticate": "Bearer"})
        token = token.strip()
        secret = credential.get("secret")
        allowed = _allowed(rules, credential.get("algorithm"), secret=secret is not None)
        try:
            algorithm = str(jwt.get_unverified_header(token).get("alg"))
            if algorithm not in allowed:
                _wrong("token_algorithm", f"the token is signed with {algorithm[:20]}; this webhook takes {', '.join(allowed) or 'none of its key'}")
            key: Any = secret if secret is not None else await self._public_key(credential, token, algorithm)
            jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=rules.issuer or None,
                audience=rules.audience or None,
                leeway=rules.leeway,
                options={"require": ["exp"], "verify_aud": bool(rules.audience)},
            )
        except ExpiredSignatureError:
            _wrong("token_expired", "the token has expired; send a new one")
        except ImmatureSignatureError:
            _wrong("token_not_yet", "the token is not valid yet; check the clocks")
        except (InvalidIssuerError, InvalidAudienceError, MissingRequiredClaimError) as error:
            _wrong("token_claims", f"the token is not for this webhook: {error}")
        except (PyJWTError, SignInError):
            _wrong("token_forged", "the token is malformed or not signed with the key of this webhook")
        except (IdentityProviderError, ConfigError) as error:  # ConfigError: the address is private and not allowed
            logger.warning("the key set of credential '%s' cannot be had: %s", credential.name, error)
            msg = "the token cannot be checked now: the keys to check it with cannot be fetched; the server's log says why"
            raise ApiError(503, "keys_unavailable", msg, headers={"Retry-After": "10"}) from None

    async def _public_key(self, credential: Credential, token: str, algorithm: str) -> Any:
        pem = credential.get("public_key")
        if pem is not None:
            return pem
        url = credential.reveal("jwks_url")
        if url not in self._sets:
            self._client = self._client or guarded_client(self._allowed_hosts)
            self._sets[url] = Jwks(Fetched(self._client, url))
        return await self._sets[url].key(jwt.get_unverified_header(token).get("kid"), algorithm)

    async def close(self) -> None:
        """Lets the connections go."""
        if self._client is not None:
            await self._client.aclose()


def _allowed(rules: JwtRules, of_key: str | None, *, secret: bool) -> tuple[str, ...]:
    """Never of both kinds: a public key must not be taken for a secret."""
    named = rules.algorithms or ((of_key,) if of_key else (("HS256",) if secret else _PUBLIC))
    return tuple(name for name in named if name.startswith("HS") == secret and of_key in {None, name})


def _wrong(code: str, message: str) -> NoReturn:
    raise ApiError(401, code, message, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None
