"""Which pages may call a webhook from a browser (the Fetch standard's CORS protocol)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

RawHeaders = list[tuple[bytes, bytes]]
_MAX_AGE_S = 600


class Cors:
    """One webhook's `allowed_origins`."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises ApiError (403) for a page of another origin: a browser may send its request even where it would hide the answer."""
        origin = headers.get("origin")
        if origin is not None and not self._allows(origin):
            msg = f"pages of {origin} may not call this webhook; its field allowed_origins says which may"
            raise ApiError(403, "origin_not_allowed", msg)

    def headers(self, headers: Mapping[str, str]) -> RawHeaders:
        """Of every answer to a page."""
        origin = headers.get("origin")
        if origin is None or not self._allows(origin):
            return []
        if self._any:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*")]
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"access-control-expose-headers", b"*"), (b"vary", b"Origin")]

    def preflight(self, headers: Mapping[str, str], methods: tuple[str, ...]) -> RawHeaders:
        """The answer to the question before a request; nothing runs. Raises ApiError (403) like `check`."""
        self.check(headers)
        asked = headers.get("access-control-request-headers", "")
        allowed = [(b"access-control-allow-methods", ", ".join(methods).encode()), (b"access-control-max-age", str(_MAX_AGE_S).encode())]
        if asked:
            allowed.append((b"access-control-allow-headers", asked.encode("latin-1")))
        return [*self.headers(headers), *allowed]

    def _allows(self, origin: str) -> bool:
        return self._any or origin.lower() in self._origins


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks before it sends the real request."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers
