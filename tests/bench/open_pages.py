"""So many open pages of a server, as a browser holds them: the page, its websocket, the document pulled once, and whatever is sent after."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"token":\s*"([^"]+)"')
_PULL = ('{"msgid":"1","msgtype":"PULL-DOC-REQ"}', "{}", "{}")  # header, metadata, content: Bokeh's protocol
_START_S = 60.0


@contextmanager
def open_pages(port: int, page: str, token: str, count: int) -> Iterator[list[int]]:
    """Gives a list of one number: how many messages the pages have got so far. Raises RuntimeError when they do not open."""
    received, ready, end = [0], threading.Event(), threading.Event()
    failures: list[BaseException] = []

    async def hold() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(headers=headers, timeout=_START_S) as client:
            sockets = []
            for _ in range(count):
                answer = await client.get(f"http://127.0.0.1:{port}{page}")
                found = _TOKEN.search(answer.text)
                if found is None:
                    message = f"{page} answered {answer.status_code} and holds no session"
                    raise RuntimeError(message)
                address = f"ws://127.0.0.1:{port}{page}/ws"
                socket = await connect(address, subprotocols=["bokeh", found[1]], additional_headers=headers, max_size=None)
                for part in _PULL:
                    await socket.send(part)
                sockets.append(socket)
            readers = [asyncio.create_task(_drain(socket, received)) for socket in sockets]
            ready.set()
            while not end.is_set():
                await asyncio.sleep(0.05)
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            await asyncio.gather(*(socket.close() for socket in sockets))

    def run() -> None:
        try:
            asyncio.run(hold())
        except BaseException as error:  # noqa: BLE001 -- told to the caller
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=run, name="open-pages")
    thread.start()
    ready.wait(_START_S)
    try:
        if failures:
            raise failures[0]
        yield received
    finally:
        end.set()
        thread.join(_START_S)


async def _drain(socket: object, received: list[int]) -> None:
    async for _ in socket:  # type: ignore[attr-defined]
        received[0] += 1
