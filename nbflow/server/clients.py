"""What nodes on a server call others with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx


def guarded_client(allowed_hosts: Iterable[str]) -> httpx.AsyncClient:
    """Reaches public addresses, and the private hosts that were allowed."""
    import httpx

    from nbflow.catalogue.public_network import guarded

    return guarded(httpx.AsyncClient(timeout=httpx.Timeout(60, connect=5), trust_env=False), allowed_hosts)
