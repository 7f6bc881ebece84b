"""A project of its own for every test, and no owner left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import is_owner, is_running, owner_pid, wait_until

from nbflow.store import open_store

TRAFFIC = Path(__file__).with_name("traffic.py")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, tmp_path):
    monkeypatch.setenv("NBFLOW_OWNER_IDLE_S", "5")
    for name in ("NBFLOW_PROJECT", "NBFLOW_STORE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path):
    """A project folder whose owner, if one comes to be, is ended after the test."""
    folder = tmp_path / "project"
    folder.mkdir()
    yield folder
    pid = owner_pid(folder)
    if pid is not None and is_owner(pid, folder):
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(pid))


@pytest.fixture
def opened(root, monkeypatch):
    """Open stores of the test's project; all are closed after it."""
    stores = []

    def open_(kind: str = "shared"):
        monkeypatch.setenv("NBFLOW_STORE", kind)
        stores.append(open_store(root))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture(params=["shared", "inline", "memory"])
def store(request, opened):
    """Each implementation in turn."""
    return opened(request.param)


@pytest.fixture
def traffic():
    """Start `traffic.py` as a process; all are killed after the test."""
    processes = []

    def start(*arguments: object):
        process = subprocess.Popen([sys.executable, str(TRAFFIC), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
