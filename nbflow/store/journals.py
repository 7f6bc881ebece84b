"""The folder of all journals, as the owner sees it: which files there are, who still writes, what is next to read."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from nbflow.store.journal import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

_ABANDONED_S = 60.0  # a hidden file older than this was left by a process that died while making it


class Journals:
    """`journal/` of one project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> list[str]:
        """The names of all files, oldest writer first, each writer's in order (the names sort so)."""
        return sorted(entry.name for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX))

    def size(self, file: str) -> int:
        """Bytes; 0 when the file is gone."""
        try:
            return (self._folder / file).stat().st_size
        except FileNotFoundError:
            return 0

    def total_bytes(self) -> int:
        """Bytes of all files."""
        return sum(self.size(file) for file in self.files())

    def read(self, file: str, offset: int, limit: int) -> bytes:
        """At most `limit` bytes from `offset`, more only where one line is longer than that; empty when the file is gone."""
        try:
            with (self._folder / file).open("rb") as source:
                source.seek(offset)
                data = source.read(limit)
                while len(data) == limit and b"\n" not in data:
                    more = source.read(limit)
                    if not more:
                        break
                    data += more
                    limit = len(data)
                return data
        except FileNotFoundError:
            return b""

    def is_alive(self, writer: str) -> bool:
        """Whether the writer's process still holds one of its files. A rotation locks the new file before it frees the old one,
        so when all files seen were free, a look for new ones decides.
        """
        seen: set[str] = set()
        while True:
            files = {file for file in self.files() if file.startswith(writer)}
            if not files - seen:
                return False
            if any(self._is_locked(file) for file in sorted(files - seen)):
                return True
            seen |= files

    def _is_locked(self, file: str) -> bool:
        try:
            fd = os.open(self._folder / file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(fd)

    def remove(self, file: str) -> None:
        """Remove an ingested file."""
        (self._folder / file).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove hidden files that died before they were named."""
        for entry in os.scandir(self._folder):
            if entry.name.endswith(".tmp") and time.time() - entry.stat().st_mtime > _ABANDONED_S:
                self.remove(entry.name)


def writer_of(file: str) -> str:
    """The writer's id, from a file's name."""
    return file.partition(".")[0]
