"""A real Jupyter server in a process of its own, with its own configuration, on a free port."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nbflow.store.project import ProjectFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[2]
LABEXTENSION = REPOSITORY / "nbflow" / "labextension"
START_S = 60.0


@dataclass(kw_only=True)
class Jupyter:
    """A running server."""

    process: subprocess.Popen[bytes]
    root: Path
    port: int
    token: str
    log: Path
    base_url: str = "/"

    @property
    def url(self) -> str:
        """With a slash at the end."""
        return f"http://127.0.0.1:{self.port}{self.base_url}"

    def client(self, *, token: bool = True) -> httpx.Client:
        """Of somebody who is signed in, or not."""
        headers = {"Authorization": f"token {self.token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}nbflow/", headers=headers, timeout=60)

    def socket_url(self, path: str, *, token: bool = True) -> str:
        """Of a websocket."""
        return f"ws{self.url.removeprefix('http')}nbflow/{path}" + (f"?token={self.token}" if token else "")

    def stop(self, *, how: int = signal.SIGTERM) -> None:
        """And waits for its end."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(45)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def surroundings(home: Path) -> dict[str, str]:
    """The environment of a Jupyter that knows nothing of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NBFLOW_", "JUPYTER"))}
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    return kept | places | {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "NBFLOW_OWNER_IDLE_S": "5", "JUPYTER_PREFER_ENV_PATH": "0"}


def enable(home: Path) -> None:
    """What the installed wheel's etc/ and share/ say, for a checkout."""
    places = home / "config" / "jupyter_server_config.d"
    places.mkdir(parents=True, exist_ok=True)
    extensions = {"nbflow.jupyter": True, "panel.io.jupyter_server_extension": False, "jupyter_server_proxy": False, "jupyter_lsp": False}
    (places / "nbflow.json").write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
    if LABEXTENSION.is_dir():
        shared = home / "data" / "labextensions" / "@nbflow" / "labextension"
        shared.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(LABEXTENSION, shared, dirs_exist_ok=True)


def launch(home: Path, app: str = "server", *flags: str, environment: dict[str, str] | None = None) -> Jupyter:
    """Starts `jupyter APP` and waits until it answers. `home/root` is its root folder."""
    root = home / "root"
    root.mkdir(parents=True, exist_ok=True)
    enable(home)
    port, token, log = free_port(), secrets.token_urlsafe(16), home / "jupyter.log"
    base = next((flag.partition("=")[2] for flag in flags if flag.startswith("--ServerApp.base_url=")), "/")
    command = [
        sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}", *flags,
    ]  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=surroundings(home) | (environment or {}), cwd=root)
    jupyter = Jupyter(process=process, root=root, port=port, token=token, log=log, base_url=base)
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            if httpx.get(f"{jupyter.url}api", timeout=5).status_code == 200:
                return jupyter
        except httpx.TransportError:
            time.sleep(0.1)


def end_owner(folder: Path) -> None:
    """The store's owner process of this folder, if there is one, ends."""
    try:
        pid = json.loads(ProjectFolder(root=folder).card.read_text())["pid"]
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if b"nbflow.store.daemon" in words and str(folder).encode() in words:
        os.kill(pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """One server for all tests of the module."""
    started = launch(tmp_path_factory.mktemp("jupyter"))
    yield started
    started.stop()
    end_owner(started.root)


@pytest.fixture
def fresh_jupyter(tmp_path: Path) -> Iterator[Callable[..., Jupyter]]:
    """Starts servers for one test: `fresh_jupyter("--ServerApp.base_url=/lab/")`."""
    started: list[Jupyter] = []

    def start(*flags: str, **options: Any) -> Jupyter:
        started.append(launch(tmp_path / str(len(started)), "server", *flags, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()
        end_owner(one.root)
