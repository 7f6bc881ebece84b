"""The way to the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Link(Protocol):
    """What carries traits and messages: a notebook's widget, a page's component, a socket. Called from any thread; never raises."""

    def set_trait(self, name: str, value: Any) -> None:
        """A new value of a trait, JSON."""

    def send(self, message: Mapping[str, Any]) -> None:
        """A message, JSON; lost when nobody looks."""
