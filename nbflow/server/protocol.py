"""HTTP as uvicorn speaks it, with one system call an answer: it writes head and body apart, and each write would go through the network's layers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_BYTES = 65_536  # held back; then whoever writes must be able to feel that nobody reads


class _Gathered:
    """A transport that writes at the end of the loop's turn. Everything else is the transport's own."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._call_soon: Callable[..., Any] = asyncio.get_running_loop().call_soon
        self._parts: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        """Soon."""
        if not self._parts:
            self._call_soon(self.flush)
        self._parts.append(data)
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Now."""
        if self._parts:
            parts, self._parts, self._bytes = self._parts, [], 0
            if not self.transport.is_closing():  # the caller may have gone meanwhile
                self.transport.write(b"".join(parts))

    def close(self) -> None:
        """After what was written."""
        self.flush()
        self.transport.close()


class GatheringProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=...)`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it itself
        """See asyncio.Protocol."""
        super().connection_made(cast("asyncio.Transport", _Gathered(transport)))

    def handle_websocket_upgrade(self) -> None:
        """A websocket gets the connection as it is."""
        gathered = cast("_Gathered", self.transport)
        gathered.flush()
        self.transport = gathered.transport
        super().handle_websocket_upgrade()
