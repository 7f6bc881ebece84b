"""A project of its own for every test, and no owner or kernel left behind."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nbflow.display import capture
from nbflow.runtime.runtime import Runtime, reset_runtime, runtime
from nbflow.store.memory import MemoryStore
from nbflow.store.project import ProjectFolder

from .kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the test's project, for this process and for those it starts."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("NBFLOW_PROJECT", str(folder))
    monkeypatch.setenv("NBFLOW_OWNER_IDLE_S", "5")
    monkeypatch.delenv("NBFLOW_STORE", raising=False)
    reset_runtime()
    yield folder
    reset_runtime()
    capture.uninstall()
    end_owner(folder)


def end_owner(folder: Path) -> None:
    try:
        pid = json.loads(ProjectFolder(root=folder).card.read_text())["pid"]
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if b"nbflow.store.daemon" in words and str(folder).encode() in words:
        os.kill(pid, signal.SIGTERM)


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """This process's runtime, with a history that is forgotten."""
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    assert isinstance(runtime().store, MemoryStore)
    return runtime()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    started = Kernel(tmp_path / "notebook")
    yield started
    started.close()


@pytest.fixture
def another_kernel(tmp_path: Path) -> Iterator[Callable[[], Kernel]]:
    started: list[Kernel] = []

    def start(**environment: str) -> Kernel:
        started.append(Kernel(tmp_path / f"notebook{len(started) + 2}", **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> object:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s"
        time.sleep(0.05)
    return value
