"""Whether a browser was sent here by a page of this server, or by one that has nothing to do with it.

Sources: RFC 6454 (Origin); Fetch Metadata Request Headers (Sec-Fetch-Site), a W3C draft that all browsers follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nbflow.core.errors import ForeignOriginError
from nbflow.server.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers

    from nbflow.server.settings import ServerSettings

_USUAL_PORT = {"http": 80, "https": 443}


def known_origins(settings: ServerSettings) -> frozenset[str]:
    """The origins that are welcome besides the address that a request came to."""
    own = urlsplit(settings.public_url or "")
    return frozenset((*settings.allowed_origins, *([f"{own.scheme}://{own.netloc.lower()}"] if own.scheme else [])))


def check_origin(headers: Headers, known: Collection[str]) -> None:
    """Raises ForeignOriginError when a page of another site made the browser send this.

    Programs that are no browsers send neither header, and nobody can make them do things unknowingly.
    """
    origins = headers.getlist("origin")
    site = headers.get("sec-fetch-site")  # no script can set it
    if origins == ["null"] and site == "same-origin":  # our own page, whose referrer somebody holds back
        return
    if not origins:
        if site not in {None, "same-origin", "none"}:
            raise _foreign(None)
        return
    if len(origins) > 1 or not (origins[0].lower() in known or _is_same(origins[0], headers.get("host", ""))):
        raise _foreign(origins[0])


def check_host(host: str, settings: ServerSettings) -> None:
    """For a server without sign-in: raises ForeignOriginError unless the request was made to a name of this machine.

    A foreign page whose name is made to point to 127.0.0.1 (DNS rebinding) is of the same origin as what it calls, and only its name tells.
    """
    name = urlsplit(f"//{host}").hostname or ""
    names = {settings.host, *(urlsplit(origin).hostname or "" for origin in known_origins(settings))}
    if not is_loopback(name) and name not in names:
        msg = f"this server has no sign-in and answers to names of this machine only, not to '{name[:100]}': add it to allowed_origins if it is yours"
        raise ForeignOriginError(msg)


def _is_same(origin: str, host: str) -> bool:
    try:
        parts, asked = urlsplit(origin), urlsplit(f"//{host}")
        usual = _USUAL_PORT[parts.scheme]
        found, wanted = (parts.hostname, parts.port or usual), (asked.hostname, asked.port or usual)
    except (ValueError, KeyError):  # a port that is none; `null`, or a browser extension's own scheme
        return False
    return found == wanted


def _foreign(origin: str | None) -> ForeignOriginError:
    return ForeignOriginError(
        f"a page of {(origin or 'another site')[:200]} may not use this server: add its address to allowed_origins if it is yours"
    )
