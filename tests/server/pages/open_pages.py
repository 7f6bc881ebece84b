"""Pages opened as a browser does, without one: the document by GET, then the websocket with the session's token."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PAGE = "/executions"


def token_of(document: str) -> str:
    """The session's token in a page's document."""
    found = re.search(r'"token":"([^"]+)"', document)
    assert found, document[:2000]
    return found[1]


def load(server: Any, client: httpx.Client | None = None, path: str = PAGE) -> str:
    """Loads a page; gives its token."""
    answer = (client or server.client).get(f"{server.url}{path}")
    assert answer.status_code == 200, answer.text
    return token_of(answer.text)


def plug(server: Any, token: str, *, client: httpx.Client | None = None, **headers: str) -> connect:
    """The page's websocket, for `with`. Entering raises InvalidStatus when the server refuses it."""
    sent = {"Authorization": (client or server.client).headers["Authorization"], **headers}
    return connect(
        f"ws://127.0.0.1:{server.port}{PAGE}/ws", subprotocols=["bokeh", token], additional_headers=sent, compression=None, max_size=None, proxy=None
    )


def until(what: Callable[[], Any], timeout_s: float = 30) -> Any:
    """Waits until it is true; gives it."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)
