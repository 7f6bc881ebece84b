"""The provider's public keys (JSON Web Key Set, RFC 7517), and which of them may have signed what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from nbflow.core.errors import UnknownSigningKeyError, WrongAlgorithmError

if TYPE_CHECKING:
    from nbflow.server.auth.fetched import Fetched

# RFC 7518, 3.1 and RFC 8037: which kind of key an algorithm takes. A key of another kind must never reach the verification.
_RSA = ("RSA", None)
_KEY = {"RS": _RSA, "PS": _RSA, "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"), "EdDSA": ("OKP", None)}


class Jwks:
    """The keys behind one address."""

    def __init__(self, document: Fetched) -> None:
        self._document = document

    async def key(self, kid: str | None, algorithm: str) -> PyJWK:
        """The key that a token names, ready for `algorithm`. A key that is not there is looked for once more at the provider: keys rotate.

        Raises UnknownSigningKeyError, WrongAlgorithmError when the key is not for this algorithm, IdentityProviderError.
        """
        found = _find(await self._document.get(), kid, algorithm) or _find(await self._document.newer(), kid, algorithm)
        if found is None:
            named = f"the key '{kid[:100]}'" if kid else "no key, and the identity provider has several"
            msg = f"the token names {named}, which {self._document.url} does not hold: sign in again; if that does not help, is oidc.issuer right?"
            raise UnknownSigningKeyError(msg)
        if not _fits(found, algorithm):
            msg = f"the token says it is signed with {algorithm}, but the key that it names is for something else"
            raise WrongAlgorithmError(msg)
        try:
            return PyJWK(found, algorithm)
        except PyJWTError as error:
            msg = f"the identity provider's key '{kid}' cannot be used: {type(error).__name__}"
            raise UnknownSigningKeyError(msg) from error


def _find(document: dict[str, Any], kid: str | None, algorithm: str) -> dict[str, Any] | None:
    """By its id; without an id the only one that fits."""
    listed = document.get("keys")
    keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    if kid is not None:
        return next((key for key in keys if key.get("kid") == kid), None)
    fitting = [key for key in keys if _fits(key, algorithm)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    kind, curve = _KEY.get(algorithm) or _KEY[algorithm[:2]]
    return (
        key.get("kty") == kind
        and curve in {None, key.get("crv")}
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and "verify" in key.get("key_ops", ["verify"])
    )
