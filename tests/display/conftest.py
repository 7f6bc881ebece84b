from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import start_new_kernel

from nbflow.core.current import current_node
from nbflow.display import capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Record:
    """A node's record that keeps what it is told."""

    figures: Any = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    displays: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def write(self, stream: str, text: str) -> None:
        self.texts.append((stream, text))

    def log(self, message: str, level: str = "info") -> None:
        self.logs.append((level, message))

    def display(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.displays.append((data, metadata))

    @property
    def printed(self) -> str:
        return "".join(text for _, text in self.texts)


@pytest.fixture
def captured() -> Iterator[None]:
    yield
    capture.uninstall()


@pytest.fixture
def inside() -> Callable[[Record], Any]:
    """`with inside(record):` runs code as the node that the record belongs to, installed as an execution does."""

    @contextmanager
    def run(record: Record) -> Iterator[None]:
        capture.install()
        token = current_node.set(record)
        try:
            yield
        finally:
            current_node.reset(token)

    return run


@pytest.fixture
def record() -> Callable[[], Record]:
    return Record


@dataclass
class Cell:
    """What one executed cell showed."""

    text: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    error: str = ""


class Kernel:
    """A real ipykernel that runs cells one after the other."""

    def __init__(self, folder: Path) -> None:
        places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")
        env = {**os.environ, **{name: str(folder / name.lower()) for name in places}, "PYTHONPATH": str(Path(__file__).parent)}
        env.pop("MPLBACKEND", None)
        self.manager, self.client = start_new_kernel(kernel_name="python3", startup_timeout=60, env=env, cwd=str(folder))

    def run(self, source: str) -> Cell:
        cell = Cell()

        def read(message: dict[str, Any]) -> None:
            content = message["content"]
            kind = message["header"]["msg_type"]
            if kind == "stream":
                cell.text += content["text"]
            elif kind in {"display_data", "execute_result"}:
                cell.displays.append(content["data"])
                cell.ids.append(content.get("transient", {}).get("display_id", ""))
            elif kind == "update_display_data":
                cell.updates.append(content["data"])
            elif kind == "error":
                cell.error = "\n".join(content["traceback"])

        self.client.execute_interactive(source, timeout=90, output_hook=read, store_history=True)
        assert not cell.error, cell.error
        return cell

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    started = Kernel(tmp_path)
    yield started
    started.close()
