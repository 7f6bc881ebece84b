"""Documents that are open on a canvas, each with its session of nbflow.canvas."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.jupyter.started import StartedHere

_AWAY_S = 600.0  # a page that is loaded again, or whose network comes back, finds its statuses and pins


class Browser(Protocol):
    """Where frames go."""

    def tell(self, frame: dict[str, Any]) -> None:
        """From the server's loop."""

    def taken_over(self) -> None:
        """Somebody else gets the frames from now on."""


class OpenDocument:
    """One document, with or without a browser that looks at it. Lives on the server's loop; the session's threads use it as their Link."""

    def __init__(self, key: str, sessions: Sessions, flow: dict[str, Any]) -> None:
        from nbflow.canvas.session import CanvasSession

        self._key = key
        self._sessions = sessions
        self._loop = asyncio.get_running_loop()
        self._browser: Browser | None = None
        self._traits: dict[str, Any] = {"flow": flow}
        self._ending: asyncio.TimerHandle | None = None
        self._session = CanvasSession(flow, self, lent=sessions.runtime)
        self.set_trait("options", {"readonly": False, "theme": "auto", "height": None, "capabilities": list(self._session.capabilities)})

    def enter(self, browser: Browser, flow: dict[str, Any]) -> None:
        """A browser looks at it, and has this text: it gets everything that is known."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._browser is not None:
            self._browser.taken_over()
        self._browser = browser
        self.hear_flow(flow)
        for name, value in self._traits.items():
            if name != "flow":
                browser.tell({"trait": name, "value": value})
        self._loop.call_soon(browser.tell, {"ready": True})  # after what the session has told meanwhile

    def leave(self, browser: Browser) -> None:
        """It has gone, perhaps to come back."""
        if self._browser is browser:
            self._browser = None
            self._ending = self._loop.call_later(_AWAY_S, self.close)

    def close(self) -> None:
        """For good. What runs goes on to its recorded end."""
        if self._ending is not None:
            self._ending.cancel()
        self._sessions.forget(self._key)
        self._session.close()

    # From the browser -------------------------------------------------------------------------------

    def hear_flow(self, flow: dict[str, Any]) -> None:
        """The document after an edit."""
        if flow != self._traits["flow"]:
            self._traits["flow"] = flow
            self._session.set_flow(flow)

    def hear_params(self, params: dict[str, Any]) -> None:
        """Values of the flow's parameters for the runs that follow."""
        self._session.set_params(params)

    def hear(self, message: dict[str, Any]) -> None:
        """A command or question of protocol.ts."""
        self._session.receive(message)

    # From the session -------------------------------------------------------------------------------

    def set_trait(self, name: str, value: Any) -> None:
        """Keeps a trait and tells it."""
        self._loop.call_soon_threadsafe(self._set, name, value)

    def _set(self, name: str, value: Any) -> None:
        if name == "flow" and value == self._traits["flow"]:
            return  # the browser has it
        self._traits[name] = value
        if self._browser is not None:
            self._browser.tell({"trait": name, "value": value})

    def send(self, message: Mapping[str, Any]) -> None:
        """A message of protocol.ts; lost when nobody looks, as that file says."""
        self._loop.call_soon_threadsafe(self._send, message)

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._browser is not None:
            self._browser.tell({"message": message})


class Sessions:
    """All open documents of this server."""

    def __init__(self, runtime: StartedHere) -> None:
        self.runtime = runtime
        self._open: dict[str, OpenDocument] = {}

    def open(self, key: str, flow: dict[str, Any], browser: Browser) -> OpenDocument:
        """The document that this browser window knows as `key`, made where it is not open."""
        document = self._open.get(key)
        if document is None:
            document = self._open[key] = OpenDocument(key, self, flow)
        document.enter(browser, flow)
        return document

    def forget(self, key: str) -> None:
        """It was closed."""
        self._open.pop(key, None)

    def close(self) -> None:
        """Jupyter ends."""
        for document in list(self._open.values()):
            document.close()
