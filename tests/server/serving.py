"""`nbflow serve` as users start it: a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sys.executable).with_name("nbflow")
START_S = 60


def environment(project: Path, **variables: str) -> dict[str, str]:
    """Nothing from outside decides its project or its settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NBFLOW_", "PYTHONWARNINGS"))}
    return kept | {"NBFLOW_PROJECT": str(project), "NBFLOW_OWNER_IDLE_S": "5"} | variables


class Serving:
    """One running `nbflow serve`. `out` and `err` are what it has written so far."""

    def __init__(self, project: Path, *flags: str, **variables: str) -> None:
        project.mkdir(exist_ok=True)
        self.project = project
        self._out, self._err = (project.parent / f"serve-{time.monotonic_ns()}.{name}" for name in ("out", "err"))
        with self._out.open("w") as out, self._err.open("w") as err:
            command = [COMMAND, "serve", "--port", "0", *flags]
            self.process = subprocess.Popen(command, cwd=project, env=environment(project, **variables), stdout=out, stderr=err)
        self.address = self._wait_for(r"^\s+(https?://\S+)$", "out")
        self._clients: list[httpx.Client] = []

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def _wait_for(self, pattern: str, name: str) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if found := re.search(pattern, getattr(self, name), re.MULTILINE):
                return found[1]
            assert self.process.poll() is None, f"the server ended: {self.err}"
            time.sleep(0.02)
        message = f"the server did not start: {self.err}"
        raise AssertionError(message)

    @property
    def url(self) -> str:
        """Without the token and the last slash."""
        return self.address.partition("?")[0].rstrip("/")

    @property
    def token(self) -> str:
        """The one in the printed address."""
        return self.address.partition("nbflow_token=")[2]

    def client(self, token: str | None = None) -> httpx.Client:
        """Signed in; closed with the server."""
        self._clients.append(httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token or self.token}"}, timeout=30))
        return self._clients[-1]

    def stop(self, sign: int = signal.SIGTERM, timeout_s: float = 60) -> int:
        """Its exit code."""
        for client in self._clients:
            client.close()
        self.process.send_signal(sign)
        return self.process.wait(timeout_s)


@contextlib.contextmanager
def serving(project: Path, *flags: str, **variables: str) -> Iterator[Serving]:
    """A server for the duration of a block."""
    server = Serving(project, *flags, **variables)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL if sys.exc_info()[0] else signal.SIGTERM)


def refused(project: Path, *flags: str, **variables: str) -> tuple[int, str]:
    """Exit code and message of a server that does not start."""
    done = subprocess.run(
        [COMMAND, "serve", *flags], cwd=project, env=environment(project, **variables), capture_output=True, text=True, timeout=START_S, check=False
    )
    assert "Traceback" not in done.stderr
    assert not done.stdout
    return done.returncode, done.stderr
