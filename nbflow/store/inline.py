"""The owner in a thread of this process: for tests, and where no process may be started. Another process can still be its client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nbflow.store.client import SharedStore
from nbflow.store.server import OwnerServer

if TYPE_CHECKING:
    from pathlib import Path

    from nbflow.store.project import ProjectFolder


class InlineStore(SharedStore):
    """See `Store`. Where another process owns the project already, that one answers."""

    def __init__(self, root: Path | None = None) -> None:
        self._server: OwnerServer | None = None
        self._thread: threading.Thread | None = None
        super().__init__(root, start_owner=self._serve)

    def _serve(self, folder: ProjectFolder) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        server = OwnerServer(folder, mode="inline")
        if not server.elect():
            return
        server.listen()
        self._server = server
        self._thread = threading.Thread(target=server.run, name="nbflow-owner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """See Store. What was written is in the journal; who opens the project next takes it in."""
        super().close()
        if self._server is not None:
            self._server.stop()
        if self._thread is not None:
            self._thread.join()
