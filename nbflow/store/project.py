"""The project folder: where `.nbflow/` is, and what lies in it."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbflow.core.errors import StoreError, StoreReadOnlyError

FOLDER = ".nbflow"
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def find_project(start: Path | None = None) -> Path:
    """The folder that holds (or will hold) `.nbflow/`; nothing is made.

    `NBFLOW_PROJECT` decides; else the nearest folder from `start` (default: the working directory) upward that has a `.nbflow/`
    of this user, as git looks for `.git`; else `start` itself.
    """
    if named := os.environ.get("NBFLOW_PROJECT"):
        return Path(named).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if _is_ours(folder / FOLDER):
            return folder
    return here


def _is_ours(folder: Path) -> bool:
    """A `.nbflow` that somebody else left in /tmp must not become our store."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return folder.is_dir() and found.st_uid == os.getuid()


@dataclass(frozen=True, kw_only=True)
class ProjectFolder:
    """The paths of one project. `root` holds `.nbflow/`."""

    root: Path

    @property
    def home(self) -> Path:
        """`.nbflow/` itself."""
        return self.root / FOLDER

    @property
    def database(self) -> Path:
        """The DuckDB file; only the owner opens it."""
        return self.home / "store.duckdb"

    @property
    def lock(self) -> Path:
        """Whoever holds flock on this file owns the database."""
        return self.home / "store.lock"

    @property
    def card(self) -> Path:
        """JSON that the owner leaves for clients: pid, socket path, versions."""
        return self.home / "owner.json"

    @property
    def server_card(self) -> Path:
        """JSON that a server leaves while it runs: pid and url, no token."""
        return self.home / "server.json"

    @property
    def log(self) -> Path:
        """What the owner writes to stderr."""
        return self.home / "owner.log"

    @property
    def changes(self) -> Path:
        """Touched after each transaction, so that others see without asking that something changed."""
        return self.home / "changes"

    @property
    def journals(self) -> Path:
        """One file per writing process."""
        return self.home / "journal"

    @property
    def artifacts(self) -> Path:
        """Values too large for a journal line, named by content."""
        return self.home / "artifacts"

    @property
    def exchange(self) -> Path:
        """Large query results on their way from the owner to a client."""
        return self.home / "exchange"

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what does not fit in memory."""
        return self.home / "tmp"

    def make(self) -> ProjectFolder:
        """Make `.nbflow/` (mode 0700) and its folders where missing.

        Raises StoreReadOnlyError when the folder refuses writing, StoreError when it cannot be made for another reason.
        """
        try:
            self.home.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.journals, self.artifacts, self.exchange):
                folder.mkdir(mode=0o700, exist_ok=True)
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise storage_error(error, self.root) from error
        if not os.access(self.journals, os.W_OK):
            raise read_only(self.root)
        return self


def read_server_card(project: Path) -> dict[str, Any]:
    """`{"pid", "url"}` of the project's server; empty when there is none, or its card cannot be read."""
    try:
        card = json.loads(ProjectFolder(root=project).server_card.read_text())
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def read_only(folder: Path) -> StoreReadOnlyError:
    """The one message about a folder that refuses writing."""
    return StoreReadOnlyError(
        f"nbflow cannot write its history in {folder}: the folder is read-only for this user; "
        "set NBFLOW_PROJECT to a folder you can write, or NBFLOW_STORE=memory to keep no history"
    )


def storage_error(error: OSError, folder: Path) -> StoreError:
    """An OSError of the project folder, as the error that says what to do."""
    if error.errno in _REFUSED:
        return read_only(folder)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreError(
            f"the disk of {folder} is full ({error.strerror}); what was acknowledged before is safe: free some space, or `nbflow prune`"
        )
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return StoreError(f"the project folder {folder} is gone or is not a folder; set NBFLOW_PROJECT to the right one")
    return StoreError(f"the store in {folder} failed: {error.strerror or error}")
