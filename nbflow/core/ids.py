"""Ids of executions and other stored things."""

from __future__ import annotations

import os
import time
from uuid import UUID

_BLOCK_BYTES = 4096
_ID_BYTES = 10
_block: tuple[int, list[bytes]] = (0, [])  # process, and randomness for the next ids: one system call serves many


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds since the epoch, then random; so ids sort by time and look-ups are quick."""
    return UUID(int=_new_number())


def new_text_id() -> str:
    """The same as text: a third of the time, for what is made with every request."""
    digits = f"{_new_number():032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _new_number() -> int:
    global _block  # noqa: PLW0603 -- a stock of random bytes
    pid, stock = _block
    try:
        bits = stock.pop() if pid == os.getpid() else b""
    except IndexError:
        bits = b""
    if not bits:
        fresh = os.urandom(_BLOCK_BYTES)
        stock = [fresh[start : start + _ID_BYTES] for start in range(_ID_BYTES, _BLOCK_BYTES - _ID_BYTES, _ID_BYTES)]
        _block = (os.getpid(), stock)
        bits = fresh[:_ID_BYTES]
    random = int.from_bytes(bits, "big") >> 6
    milliseconds = time.time_ns() // 1_000_000
    return milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
