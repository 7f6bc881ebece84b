"""One server a project: a lock that ends with its process, and a card that tells others where it is."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

from nbflow.core.errors import ServerRunningError
from nbflow.store.project import ProjectFolder, read_server_card

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "server.lock"


class ServerLock:
    """`.nbflow/server.lock`, held by flock: whoever is killed lets it go."""

    def __init__(self, project: Path) -> None:
        self._folder = ProjectFolder(root=project)
        self._fd = -1

    def acquire(self) -> None:
        """Raises ServerRunningError when another server has it, StoreError when the folder refuses writing. Harmless when held already."""
        if self._fd >= 0:
            return
        home = self._folder.make().home
        fd = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            card = read_server_card(self._folder.root)
            raise ServerRunningError(str(self._folder.root), pid=card.get("pid"), url=card.get("url")) from None
        self._fd = fd
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Leaves the card `.nbflow/server.json` (mode 0600): `{"pid", "url"}`. The URL must not hold a token. Only the lock's holder may."""
        if self._fd < 0:
            return
        card = self._folder.server_card
        hidden = card.with_suffix(".tmp")
        hidden.touch(mode=0o600)
        hidden.write_text(json.dumps({"pid": os.getpid(), "url": url}))
        hidden.replace(card)

    def release(self) -> None:
        """Takes the card away and lets go."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            (self._folder.server_card).unlink(missing_ok=True)
            os.close(fd)
