"""`python -m nbflow.store.daemon PROJECT`: the owner as its own process. Never a kernel or a server: those get interrupted, restarted, killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from nbflow.store.project import ProjectFolder

IDLE_S = 600.0
"""Seconds without a request and without a living writer after which the owner ends; `NBFLOW_OWNER_IDLE_S` changes it."""


def main(arguments: list[str]) -> int:
    """Serve until idle. Exit code 0 also when another owner lives: that is the usual end of a race."""
    folder = ProjectFolder(root=Path(arguments[0]))
    _detach()
    if not folder.home.is_dir():
        return 0
    _redirect(folder)
    from nbflow.store.server import OwnerServer

    server = OwnerServer(folder, idle_s=float(os.environ.get("NBFLOW_OWNER_IDLE_S", IDLE_S)))
    if not server.elect():
        return 0
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.listen()
    server.run()
    sys.stderr.flush()
    os._exit(0)  # threads in a long query must not hold a finished owner


def _detach() -> None:
    """A second fork, so that init takes the owner and no client keeps a zombie. Before any thread and before duckdb."""
    if os.fork():
        os._exit(0)


def _redirect(folder: ProjectFolder) -> None:
    """Stderr to owner.log (begun anew when it is long); the working folder must not keep a removed project busy."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if folder.log.exists() and folder.log.stat().st_size > 2**20:
        flags |= os.O_TRUNC
    fd = os.open(folder.log, flags, 0o600)
    os.dup2(fd, 2)
    os.close(fd)
    os.chdir("/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
