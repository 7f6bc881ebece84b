"""Where the owner of a project listens, and how a client learns it."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.core.errors import StoreError

if TYPE_CHECKING:
    from nbflow.store.project import ProjectFolder

_SUN_PATH = 100  # bytes; the kernel's limit is 108 on Linux, 104 on macOS


def listening_path(folder: ProjectFolder) -> Path:
    """The socket's path for an owner: short, in a folder that only this user can enter. Raises StoreError when somebody else made that folder."""
    name = hashlib.sha256(os.fsencode(folder.home.resolve())).hexdigest()[:20] + ".sock"
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108  (checked below)
        if not base or not os.access(base, os.W_OK):
            continue
        private = Path(base) / f"nbflow-{os.getuid()}"
        if len(os.fsencode(private / name)) <= _SUN_PATH:
            _make_private(private)
            return private / name
    msg = "no folder for the store's socket: set XDG_RUNTIME_DIR to a folder of yours with a short path"
    raise StoreError(msg)


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            msg = f"{folder} belongs to somebody else; set XDG_RUNTIME_DIR to a folder of yours"
            raise StoreError(msg) from None
        if found.st_mode & 0o077:
            folder.chmod(0o700)


def owner_card(folder: ProjectFolder) -> dict[str, object]:
    """What the owner told of itself (pid, socket); empty when there is none. The environment of a cron job differs from a notebook's,
    so a client reads where the owner listens and does not compute it.
    """
    try:
        card = json.loads(folder.card.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
