"""Tokens of an OpenID Connect provider: what they must be to be believed.

Sources: OpenID Connect Core 1.0, 3.1.3.7 and 5.7; RFC 7519; RFC 8725 (what attackers do to tokens). Clerk's session tokens have `azp` and no `aud`.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import jwt
from jwt import exceptions

from nbflow.accounts.user import Identity
from nbflow.core.errors import (
    ExpiredTokenError,
    ForgedTokenError,
    MalformedAuthorizationError,
    NotAdmittedError,
    WrongAlgorithmError,
    WrongAudienceError,
    WrongIssuerError,
)

if TYPE_CHECKING:
    from nbflow.server.auth.jwks import Jwks
    from nbflow.server.settings import OidcSettings

_LONGEST = 16_384  # characters; a real token has one or two thousand
_REQUIRED = ["exp", "iat", "iss", "sub"]


async def verify(token: str, settings: OidcSettings, keys: Jwks) -> dict[str, Any]:
    """The claims of a token that the provider signed, that is still good, and that was made for this server.

    Raises a SignInError for each thing that can be wrong, IdentityProviderError when the keys cannot be had.
    """
    algorithm, kid = _header(token, settings)
    _check_issuer(token, settings)  # before its key is looked for: a token from elsewhere names keys from elsewhere
    key = await keys.key(kid, algorithm)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            leeway=settings.leeway_s,
            options={"require": _REQUIRED, "verify_aud": False, "verify_iss": False, "enforce_minimum_key_length": True},
        )
    except exceptions.PyJWTError as error:
        raise _refusal(error) from None
    _check_audience(claims, settings)
    return claims


async def verify_id_token(token: str, settings: OidcSettings, keys: Jwks, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that answers our own sign-in: made for our client, and for this very attempt."""
    claims = await verify(token, settings, keys)
    audiences = _texts(claims.get("aud"))
    if settings.client_id not in audiences or (len(audiences) > 1 and claims.get("azp") != settings.client_id):
        raise _wrong_audience(claims)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        msg = "the identity provider's answer belongs to another attempt to sign in: start again"
        raise ForgedTokenError(msg)
    return claims


def identity(claims: dict[str, Any], settings: OidcSettings) -> Identity:
    """Who the claims speak of. Raises NotAdmittedError when the settings do not let them in."""
    email = claims.get("email")
    name = next((claims[key] for key in ("name", "preferred_username", "nickname") if isinstance(claims.get(key), str) and claims[key]), None)
    verified = claims.get("email_verified", settings.trust_emails)
    found = Identity(
        issuer=settings.issuer,
        subject=claims["sub"],
        email=email if isinstance(email, str) else None,
        email_verified=verified is True or verified == "true",
        name=name,
    )
    if settings.allowed_users and not named_in(found, settings.allowed_users):
        who = found.address or found.name or found.subject
        msg = f"the identity provider knows you as {who}, who is not admitted here: ask whoever runs this server"
        raise NotAdmittedError(msg)
    return found


def named_in(found: Identity, names: tuple[str, ...]) -> bool:
    """Whether a list of verified addresses, domains (`@example.org`) and subjects names this person."""
    address = (found.address or "").lower()
    return any(name == found.subject or (address and (name.lower() == address or name == f"@{address.partition('@')[2]}")) for name in names)


def _header(token: str, settings: OidcSettings) -> tuple[str, str | None]:
    if len(token) > _LONGEST:
        msg = f"the token has {len(token)} characters; no identity provider makes such"
        raise MalformedAuthorizationError(msg)
    try:
        header = jwt.get_unverified_header(token)
    except (exceptions.PyJWTError, RecursionError, ValueError):
        msg = "what follows 'Bearer' is neither an API key (nbf_...) nor a token of the identity provider (three parts with dots between)"
        raise MalformedAuthorizationError(msg) from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in settings.algorithms:
        msg = f"the token is signed by {str(algorithm)[:40]!r}; this server takes {', '.join(settings.algorithms)}"
        raise WrongAlgorithmError(msg)
    return str(algorithm), kid


def _check_issuer(token: str, settings: OidcSettings) -> None:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (exceptions.PyJWTError, RecursionError, ValueError) as error:
        raise _refusal(error) from None
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer.rstrip("/") != settings.issuer.rstrip("/"):
        msg = f"the token comes from {str(issuer)[:200]!r}; this server believes {settings.issuer} only"
        raise WrongIssuerError(msg)


def _check_audience(claims: dict[str, Any], settings: OidcSettings) -> None:
    """`aud` or `azp` must name us, and neither may name somebody else where the settings ask for it."""
    audiences, party = _texts(claims.get("aud")), str(claims["azp"]) if "azp" in claims else None
    for_us = not audiences.isdisjoint(settings.audiences)
    by_ours = party is not None and party in settings.authorized_parties
    elsewhere = bool(settings.audience and audiences) and not for_us
    foreign = bool(settings.authorized_parties) and party not in {None, settings.client_id} and not by_ours
    if elsewhere or foreign or not (for_us or by_ours):
        raise _wrong_audience(claims)


def _wrong_audience(claims: dict[str, Any]) -> WrongAudienceError:
    msg = (
        f"the token was made for another application (aud {str(claims.get('aud'))[:200]!r}, azp {str(claims.get('azp'))[:200]!r}): "
        "ask the provider for one for this server (oidc.client_id, oidc.audience, oidc.authorized_parties)"
    )
    return WrongAudienceError(msg)


def _texts(value: Any) -> set[str]:
    return {item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)}


def _refusal(error: Exception) -> Exception:
    if isinstance(error, exceptions.ExpiredSignatureError):
        return ExpiredTokenError("the token has expired: sign in again")
    if isinstance(error, exceptions.ImmatureSignatureError):
        return ExpiredTokenError("the token is not valid yet: do the clocks of this server and of the identity provider agree?")
    if isinstance(error, exceptions.InvalidSignatureError):
        return ForgedTokenError("the token's signature does not belong to its content: it was changed, or signed by somebody else")
    if isinstance(error, exceptions.InvalidAlgorithmError | exceptions.InvalidKeyError):
        return WrongAlgorithmError(f"the token's signature cannot be accepted: {error}")
    return MalformedAuthorizationError(f"the token cannot be read: {error}")
