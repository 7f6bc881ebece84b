"""The Authorization header (RFC 9110, 11.6.2; RFC 6750, 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.core.errors import MalformedAuthorizationError

if TYPE_CHECKING:
    from starlette.datastructures import Headers


def bearer(headers: Headers) -> str | None:
    """What follows `Bearer`; None without the header. Raises MalformedAuthorizationError for anything else."""
    given = headers.getlist("authorization")
    if not given:
        return None
    scheme, _, credential = given[0].partition(" ")
    credential = credential.strip()
    if len(given) > 1 or scheme.lower() != "bearer" or not credential or not credential.isascii() or any(map(str.isspace, credential)):
        msg = "the Authorization header must be 'Bearer', a space, and a token or API key (nbf_...)"
        raise MalformedAuthorizationError(msg)
    return credential
