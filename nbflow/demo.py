"""The demo: the first guide of `notebooks/`, executed headless in a folder of its own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbflow.core.errors import MissingExtraError, NbflowError

NOTEBOOK = "00-start.ipynb"
DATA = "data"

Tell = Callable[[int, int, str, float | None], None]
"""Called with the cell's number, how many there are, its first line, and the seconds it took (None when it begins)."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What a run of the demo made."""

    notebook: Path
    started: datetime
    made: tuple[Path, ...]
    error: str = ""  # of the failing cell


def guides() -> Path:
    """The folder of the guides: in the installed package, or beside it in a checkout. Raises NbflowError when there is none."""
    package = Path(__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder
    message = f"this installation came without notebooks/{NOTEBOOK}; install nbflow again"
    raise NbflowError(message)


def run_demo(out: Path, *, timeout_s: int, tell: Tell) -> Demo:
    """Copies the guide and its data to `out` and executes it there; the history goes to the project of the working directory.

    Raises MissingExtraError without nbclient, NbflowError when the folder cannot be written.
    """
    from nbflow.store.project import find_project

    source = guides()
    target = out / NOTEBOOK
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
        if (source / DATA).is_dir():
            shutil.copytree(source / DATA, out / DATA, dirs_exist_ok=True)
        given = set(out.rglob("*")) - before.keys() | {out / DATA}
        os.environ["NBFLOW_PROJECT"] = str(find_project())  # the notebook's kernel inherits it
        started = datetime.now(UTC)
        error = _execute(source / NOTEBOOK, target, timeout_s, tell)
        made = [path for path in sorted(out.rglob("*")) if path.is_file() and before.get(path) != path.stat().st_mtime_ns]
    except OSError as caught:
        message = f"the demo cannot write to {out}: {caught.strerror or caught}; give another folder with --out"
        raise NbflowError(message) from caught
    return Demo(notebook=target, started=started, made=tuple(path for path in made if not given & {path, *path.parents}), error=error)


def _execute(source: Path, target: Path, timeout_s: int, tell: Tell) -> str:
    """Gives the error of the failing cell; the notebook is written either way."""
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
        from traitlets.config import Config
    except ImportError as error:
        what = "the demo"
        raise MissingExtraError(what, "notebook") from error

    notebook = nbformat.read(source, as_version=4)
    codes = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    began: dict[int, float] = {}

    def starts(*, cell: Any, cell_index: int, **_: Any) -> None:
        if cell_index in codes:
            began[cell_index] = time.monotonic()
            tell(codes.index(cell_index) + 1, len(codes), _title(cell.source), None)

    def ends(*, cell: Any, cell_index: int, **_: Any) -> None:
        if cell_index in began:
            tell(codes.index(cell_index) + 1, len(codes), _title(cell.source), time.monotonic() - began[cell_index])

    resources = {"metadata": {"path": str(target.parent)}}
    with TemporaryDirectory(prefix="nbflow-") as sockets:
        ipc = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})  # this user's own, no ports
        client = NotebookClient(notebook, timeout=timeout_s, resources=resources, on_cell_start=starts, on_cell_complete=ends, config=ipc)
        try:
            client.execute()
        except CellExecutionError as error:
            return _readable(str(error))
        except (CellTimeoutError, DeadKernelError, RuntimeError) as error:  # RuntimeError: the kernel did not come up
            return str(error)
        finally:
            nbformat.write(notebook, target)
    return ""


def _title(source: str) -> str:
    """A cell's first line that says something."""
    lines = [line for line in source.strip().splitlines() if line and not line.startswith(("@", "#", "%"))]
    return lines[0] if lines else ""


def _readable(text: str) -> str:
    """Without the terminal colours that kernels put into tracebacks."""
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
