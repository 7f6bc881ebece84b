"""Where a request is and where it goes next, always relative: a proxy in front may show this server under another address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from starlette._utils import get_route_path

from nbflow.server.auth.token import QUERY

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import Scope

    from nbflow.server.settings import ServerSettings

_LONGEST = 2000
_HOME = "./"
_CONTEXT_PATH = re.compile(r"(/[\w.~%@+-]+)+/?")


def route_path(scope: Scope) -> str:
    """The path without the prefix of a proxy: the very text by which the router decides, so that nothing is open by another spelling."""
    return str(get_route_path(scope)) or "/"


def upward(path: str) -> str:
    """From a page back to the root: `/a/b` -> `../`."""
    return "../" * (path.count("/") - 1)


def here(scope: Scope) -> str:
    """This page seen from the root, with its query but without a token: what signing in comes back to."""
    path: str = scope.get("raw_path", b"").decode("ascii", "replace") or scope["path"]
    root = scope.get("root_path", "")
    if root and path.startswith(root):
        path = path[len(root) :]
    return path.lstrip("/") + _query_without_token(scope)


def same_page(scope: Scope) -> str:
    """This page seen from itself, with its query but without a token."""
    return _HOME + here(scope).partition("?")[0].rpartition("/")[2] + _query_without_token(scope)


def token_of(scope: Scope) -> str | None:
    """The token in the address, if there is one."""
    return next((value for name, value in _pairs(scope) if name == QUERY), None)


def safe(next_: str) -> str:
    """Where to go after signing in, relative to the root. Whatever could lead out of this server is the root itself."""
    parts = urlsplit(next_) if next_.isprintable() and next_.isascii() and "\\" not in next_ and len(next_) <= _LONGEST else None
    if parts is None or parts.scheme or parts.netloc or next_.startswith("/"):
        return _HOME
    steps = unquote(unquote(parts.path)).split("/")
    if ".." in steps or steps[0] in {"login", "logout"} or QUERY in parts.query:
        return _HOME
    return _HOME + next_


def cookie_path(headers: Headers, settings: ServerSettings) -> str:
    """The path under which the browser sees this server; jupyter-server-proxy tells its own in a header."""
    told = headers.get("x-proxycontextpath", "")
    return told.rstrip("/") if _CONTEXT_PATH.fullmatch(told) else settings.root_path or "/"


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _query_without_token(scope: Scope) -> str:
    left = [(name, value) for name, value in _pairs(scope) if name != QUERY]
    return f"?{urlencode(left)}" if left else ""
