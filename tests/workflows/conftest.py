"""A project and a store of its own for every test; notebooks run in this process as `nbflow run` runs them, or in a real kernel."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from runtime.kernels import Kernel

from nbflow.display import capture
from nbflow.runtime.runtime import reset_runtime
from nbflow.store.memory import MemoryStore
from nbflow.store.opening import open_store
from nbflow.workflows.library import Workflows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project's folder, for this process and those it starts; what is imported from it is forgotten afterwards."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("NBFLOW_PROJECT", str(folder))
    monkeypatch.setenv("NBFLOW_STORE", "inline")
    monkeypatch.setenv("NBFLOW_OWNER_IDLE_S", "5")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)
    reset_runtime()
    yield folder
    reset_runtime()
    capture.uninstall()
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    made = MemoryStore()
    yield made
    made.close()


@pytest.fixture
def library(store: MemoryStore) -> Workflows:
    return Workflows(store)


@pytest.fixture
def shared(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workflows]:
    """Of a store that several processes can have open."""
    monkeypatch.setenv("NBFLOW_STORE", "inline")
    opened = open_store(project)
    yield Workflows(opened)
    opened.close()


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An empty `__main__`, as a kernel begins with."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


@pytest.fixture
def kernel(project: Path) -> Iterator[Kernel]:
    """Its working directory is `nb` in the project."""
    started = Kernel(project / "nb")
    yield started
    started.close()
