"""The websocket between a document on the canvas and its session: one each, all traits and messages of extensions/canvas/src/protocol.ts.

Frames are JSON. From the browser, first {"open": key, "flow"}; then {"flow"} after each edit, {"params"} before a run, and {"message"}. From here
{"trait", "value"} and {"message"}. The flow goes both ways; its text and its file are the browser's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import ws_authenticated

from nbflow.jupyter.access import nbflow_of
from nbflow.jupyter.pages import Socket

if TYPE_CHECKING:
    from nbflow.jupyter.sessions import OpenDocument

_WRONG_FRAME = 1003  # RFC 6455, 7.4.1
_TAKEN_OVER = 4001


class CanvasSocket(Socket):
    """One document of one browser window."""

    _document: OpenDocument | None = None

    @ws_authenticated
    async def get(self) -> None:
        """Whoever may execute may open a canvas: it runs flows in this process."""
        await self.check_right()
        await super().get()

    def on_message(self, message: str | bytes) -> None:
        """A frame of the browser."""
        try:
            frame = json.loads(message)
            if self._document is None:
                self._document = nbflow_of(self).sessions.open(str(frame["open"]), _object(frame["flow"]), self)
            elif "flow" in frame:
                self._document.hear_flow(_object(frame["flow"]))
            elif "params" in frame:
                self._document.hear_params(_object(frame["params"]))
            else:
                self._document.hear(_object(frame["message"]))
        except (ValueError, KeyError, TypeError) as error:
            self.log.warning("nbflow: a frame of the canvas was not understood: %r", error)
            self.close(_WRONG_FRAME, "not understood")

    def tell(self, frame: dict[str, Any]) -> None:
        """To the browser; from the server's loop. Nothing happens when it has gone."""
        if self.ws_connection is not None and not self.ws_connection.is_closing():
            self.write_message(json.dumps(frame, separators=(",", ":"), ensure_ascii=False, default=str))

    def taken_over(self) -> None:
        """Another socket has the document now (the page was loaded again, or its connection came back)."""
        self.close(_TAKEN_OVER, "opened again")

    def on_close(self) -> None:
        """The session waits some minutes for the page to come back."""
        if self._document is not None:
            self._document.leave(self)
        super().on_close()


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"an object was expected, not {type(value).__name__}"
        raise TypeError(msg)
    return value
