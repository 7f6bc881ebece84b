"""Which node is running here. Output of any kind (print, logging, display, figures) asks this before it asks Jupyter.

The engine sets it around every node's function; a context variable follows the node into its tasks and threads.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class NodeOutput(Protocol):
    """The record of one running node, as those who produce output see it. Every method may be called from any thread."""

    figures: Any
    """pyplot's figures of this node: a mutable mapping made by the display layer on first use; None before."""

    def write(self, stream: str, text: str) -> None:
        """`stream` is stdout or stderr; text as written, maybe part of a line."""

    def log(self, message: str, level: str = "info") -> None:
        """One line; `level` is debug, info, warn or error."""

    def display(self, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """A MIME bundle as in nbformat's display_data."""


current_node: ContextVar[NodeOutput | None] = ContextVar("current_node", default=None)
