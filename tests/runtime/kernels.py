"""A real ipykernel, driven as a notebook does."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

if TYPE_CHECKING:
    from pathlib import Path

SETUP = """
import asyncio, logging, os, sys, time, warnings
import nbflow as nf
from nbflow import flow, node
"""


@dataclass
class Cell:
    """What one executed cell showed."""

    stdout: str = ""
    stderr: str = ""
    result: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list, repr=False)
    updates: list[dict[str, Any]] = field(default_factory=list, repr=False)
    ids: list[str] = field(default_factory=list)  # display ids, of displays and updates
    ename: str = ""
    evalue: str = ""
    traceback: str = ""  # without colours
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return bool(self.ename)


class Kernel:
    """Cells run one after the other; `begin` and `end` let the test act while one runs."""

    def __init__(self, folder: Path, **environment: str) -> None:
        places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        folder.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, **{name: str(folder / name.lower()) for name in places}, **environment}
        env.pop("MPLBACKEND", None)
        self.manager, self.client = start_new_kernel(kernel_name="python3", startup_timeout=60, env=env, cwd=str(folder))
        self._began = 0.0
        self.run(SETUP)

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def begin(self, source: str) -> str:
        self._began = time.monotonic()
        return self.client.execute(source)

    def end(self, asked: str, timeout_s: float = 30) -> Cell:
        cell, deadline = Cell(), time.monotonic() + timeout_s
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"the cell has not ended in {timeout_s} s; so far: {cell.stdout[-500:]} {cell.stderr[-500:]}") from None
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                cell.seconds = time.monotonic() - self._began
                return cell
            _take(cell, kind, content)

    def until(self, made: Path, timeout_s: float = 20) -> None:
        """Waits for a file that the running cell makes."""
        deadline = time.monotonic() + timeout_s
        while not made.exists():
            assert time.monotonic() < deadline, f"{made.name} was not made in {timeout_s} s"
            time.sleep(0.01)

    def tell(self, source: str, timeout_s: float = 30) -> Cell:
        """Runs a cell, whatever comes of it."""
        return self.end(self.begin(source), timeout_s)

    def run(self, source: str, timeout_s: float = 30) -> Cell:
        """Runs a cell that is expected to work."""
        cell = self.tell(source, timeout_s)
        assert not cell.failed, cell.traceback
        return cell

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


def _take(cell: Cell, kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        setattr(cell, content["name"], getattr(cell, content["name"]) + content["text"])
    elif kind == "execute_result":
        cell.result = content["data"].get("text/plain", "")
    elif kind in {"display_data", "update_display_data"}:
        (cell.displays if kind == "display_data" else cell.updates).append(content["data"])
        cell.ids.append(content.get("transient", {}).get("display_id", ""))
    elif kind == "error":
        cell.ename, cell.evalue = content["ename"], content["evalue"]
        cell.traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))
