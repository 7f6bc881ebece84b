"""The canvas under a cell: an anywidget whose code is a small loader, so that ten of them cost as much as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from nbflow.canvas.bundle import built
from nbflow.canvas.session import CanvasSession
from nbflow.display.graph import img

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.core.flow import Flow
    from nbflow.core.node import NodeType


class Canvas(anywidget.AnyWidget):
    """A flow that can be drawn, configured, run and watched. Displayed in several cells, all show the same."""

    _esm = traitlets.Unicode().tag(sync=True)
    flow = traitlets.Dict().tag(sync=True)
    catalogue = traitlets.Dict().tag(sync=True)
    checked = traitlets.Dict().tag(sync=True)
    statuses = traitlets.Dict().tag(sync=True)
    samples = traitlets.Dict().tag(sync=True)
    credentials = traitlets.List().tag(sync=True)
    executions = traitlets.List().tag(sync=True)
    pins = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        document: Flow,
        *,
        functions: Callable[[], Mapping[str, NodeType]] = dict,
        changed: Callable[[Flow], None] = lambda _flow: None,
        save: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        super().__init__(_esm=built("widget.js"))
        self._catalogues = 0
        self._hearing = False
        self.session = CanvasSession(document, self, functions=functions, changed=changed, save=save)
        self.on_msg(self._hear)
        self.observe(self._edited, names="flow")

    def show(self, *, height: int, readonly: bool, theme: str, params: Mapping[str, Any]) -> None:
        """How its views look, and what runs from it are given."""
        self.session.set_params(params)
        self.options = {"readonly": readonly, "theme": theme, "height": height, "capabilities": [*self.session.capabilities]}

    def close(self) -> None:
        """Ends the widget with its views. The flow stays as it was drawn."""
        if hasattr(self, "session"):
            self.session.close(wait=True)
        super().close()

    # For the session: called from any thread ----------------------------------------------------------

    def set_trait(self, name: str, value: Any) -> None:
        """The catalogue (50 KB) is not kept in every saved notebook: only that it has changed, and the page asks for it."""
        if name == "catalogue":
            self._catalogues += 1
            value = {"version": self._catalogues}
        self._hearing = name == "flow"
        try:
            super().set_trait(name, value)
        finally:
            self._hearing = False

    # From the browser ---------------------------------------------------------------------------------

    def _edited(self, change: Mapping[str, Any]) -> None:
        if not self._hearing:
            self.session.set_flow(change["new"])

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict) and message.get("kind") == "ask" and message.get("question") == "bundle":
            self.send({"kind": "answer", "id": message.get("id"), "answer": {"text": built("canvas.js")}})
        elif isinstance(message, dict):
            self.session.receive(message)

    # Where no widget can run --------------------------------------------------------------------------

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """With the graph as a picture, for saved, untrusted and converted notebooks."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})  # None where no page can show widgets
        flow = self.session.flow_or_none()
        if flow is None or not flow.nodes:
            return {**data, "text/plain": repr(self)}, metadata
        frames = self.statuses.get("nodes", {})
        statuses = {id_: frame["status"] for id_, frame in frames.items()}
        details = {id_: frame.get("detail", "") for id_, frame in frames.items()}
        return {**data, "text/plain": repr(self), "text/html": f"<div>{img(flow, statuses, details)}</div>"}, metadata

    def __repr__(self) -> str:
        return f"<canvas of {self.flow.get('name', 'a flow')}: {len(self.flow.get('nodes', ()))} nodes>"
