"""The proof before publishing: a fresh process can import the module. What works only in a kernel fails here, not at night."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nbflow.core.errors import PublishError

if TYPE_CHECKING:
    from nbflow.workflows.collect import Collected

TIME_S = 120.0
_TOLD = 4000  # characters of what a process that died has told


def try_out(collected: Collected, project: Path, *, time_s: float = TIME_S) -> None:
    """Imports the module in a new Python, in its folder, with the environment that this process began with.

    Raises PublishError with the failure, in the user's own lines.
    """
    module = collected.module
    with TemporaryDirectory(prefix="nbflow-") as temporary:
        target, answer = Path(temporary, "module"), Path(temporary, "answer.json")
        command = [sys.executable, "-P", "-m", "nbflow.workflows.fresh", str(target), str(answer)]
        told, code = _ended(command, project / module.folder, _environment(project), json.dumps(module.to_dict()).encode(), time_s)
        if not answer.exists():
            message = (
                f"the flow's code ends a fresh process that imports it:\n{told.decode(errors='replace').strip()[-_TOLD:] or f'exit code {code}'}"
            )
            raise PublishError(message)
        failure = json.loads(answer.read_text("utf-8"))["error"]
    if failure is not None:
        message = f"the flow's code works in this kernel, but cannot be imported in a fresh process:\n{_placed(failure, collected)}"
        raise PublishError(message)


def _ended(command: list[str], folder: Path, environment: dict[str, str], given: bytes, time_s: float) -> tuple[bytes, int]:
    """What the process told on stderr, and its exit code. What it has started ends with it. Raises PublishError."""
    try:
        process = subprocess.Popen(  # noqa: S603 -- this Python, our own module
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        message = f"no fresh process can be started in {folder} to try the flow's code: {error.strerror}"
        raise PublishError(message) from error
    try:
        _, told = process.communicate(given, timeout=time_s)
    except subprocess.TimeoutExpired:
        message = f"the cells that the flow needs take longer than {time_s:g} s to run in a fresh process; move the slow work into nodes"
        raise PublishError(message) from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return told, process.returncode


def _environment(project: Path) -> dict[str, str]:
    """As it was when this process began: what a cell has set since (`%env`) is state of the kernel."""
    try:
        pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
        first = {os.fsdecode(name): os.fsdecode(value) for name, _, value in (pair.partition(b"=") for pair in pairs if b"=" in pair)}
    except OSError:  # not Linux
        first = dict(os.environ)
    for name in ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "COVERAGE_PROCESS_START"):
        first.pop(name, None)
    package = str(Path(__file__).parents[2])
    return first | {"PYTHONPATH": package, "NBFLOW_PROJECT": str(project), "MPLBACKEND": "agg"}


def _placed(failure: str, collected: Collected) -> str:
    """Lines of the entry as the places where they were written."""

    def place(found: re.Match[str]) -> str:
        return collected.written_at(int(found[1])) or found[0]

    return re.sub(rf"\b{re.escape(collected.module.entry)}, line (\d+)", place, failure)
