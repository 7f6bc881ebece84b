"""Looking at processes from outside."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from nbflow.store.project import ProjectFolder


def owner_pid(root: Path) -> int | None:
    try:
        return json.loads(ProjectFolder(root=root).card.read_text())["pid"]
    except (OSError, ValueError):
        return None


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def is_owner(pid: int, root: Path) -> bool:
    """Whether this process is the owner of this project: a pid may have been given to another since."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"nbflow.store.daemon" in words and str(root).encode() in words


def wait_until(condition, seconds: float = 15.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail("it did not happen in time")
