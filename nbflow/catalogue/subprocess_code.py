"""Runs Python code in an interpreter of its own: limits, no inherited environment, and an end when it is time.

What goes in is pickled (we trust ourselves); what comes back never is: JSON, and Arrow files for DataFrames.
"""

import base64
import contextlib
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from nbflow.core.errors import InputError, LimitError, NodeError, NodeTimeoutError

_CHILD = Path(__file__).with_name("subprocess_child.py")
_POLL_SECONDS = 0.05  # how soon a cancellation, which reaches a thread between two bytecodes, is noticed


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a child process may use."""

    seconds: float
    cpu_seconds: int
    memory_bytes: int
    output_bytes: int


def run_in_subprocess(
    code: str,
    names: Sequence[str],
    values: Mapping[str, Any],
    *,
    limits: Limits,
    environment: Mapping[str, str],
    log: Callable[[str], None],
) -> Any:
    """Blocks until the code is done; to be called in a thread. The process group is killed however this ends."""
    with tempfile.TemporaryDirectory(prefix="nbflow-code-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps({"code": code, "names": list(names), "limits": asdict(limits)}), encoding="utf-8")
        _write_values(values, folder / "values.pickle")
        clean = {"PATH": os.defpath, "HOME": name, "TMPDIR": name, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", **environment}
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", "-u", "-X", "utf8", str(_CHILD), name],
            cwd=folder,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with process:
            try:
                _follow(process, limits, log)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return _outcome(folder, process.returncode, limits)


def _write_values(values: Mapping[str, Any], path: Path) -> None:
    try:
        path.write_bytes(pickle.dumps(dict(values), protocol=5))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        msg = f"the input cannot be sent to a subprocess: {error}; use where='in_kernel', or give it plain data"
        raise InputError(msg) from error


def _follow(process: subprocess.Popen[bytes], limits: Limits, log: Callable[[str], None]) -> None:
    """Passes printed lines on until the process ends. Raises NodeTimeoutError, LimitError."""
    deadline = time.monotonic() + limits.seconds
    seen, rest = 0, b""
    for chunk in _printed(process):
        if time.monotonic() > deadline:
            msg = f"the code ran longer than its time_limit of {limits.seconds:g} s"
            raise NodeTimeoutError(msg)
        seen += len(chunk)
        if seen > limits.output_bytes:
            msg = f"the code printed more than its output_limit_bytes of {limits.output_bytes}"
            raise LimitError(msg)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            log(line.decode("utf-8", "replace"))
    if rest:
        log(rest.decode("utf-8", "replace"))


def _printed(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What the process prints, and b"" every now and then, until it ends. A grandchild that holds the pipe open does not count."""
    assert process.stdout is not None  # noqa: S101 - asked for with PIPE
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ready = selector.select(_POLL_SECONDS)
            chunk = os.read(process.stdout.fileno(), 65_536) if ready else b""
            yield chunk
            if chunk:
                continue
            if process.poll() is not None:
                return
            if ready:  # it closed its output and goes on
                time.sleep(_POLL_SECONDS)


def _outcome(folder: Path, status: int, limits: Limits) -> Any:
    failure = folder / "error.json"
    if failure.exists():
        facts = json.loads(failure.read_text(encoding="utf-8"))
        place = f"line {facts['line']}: " if facts["line"] else ""
        message = f"{place}{facts['type']}: {facts['message']}" + (f"\n    {facts['text']}" if facts["text"] else "")
        if facts["type"] == "MemoryError":
            msg = f"{place}the code wanted more than its memory_limit_bytes of {limits.memory_bytes}"
            raise LimitError(msg)
        if facts["phase"] == "result":
            raise LimitError(message) if facts["type"] == "OSError" else InputError(message)
        raise NodeError(message, retryable=facts["phase"] == "run")
    result = folder / "result.json"
    if status == 0 and result.exists():
        return decode(json.loads(result.read_text(encoding="utf-8")), folder)
    if status == -signal.SIGXCPU:
        msg = f"the code used more than its cpu_limit of {limits.cpu_seconds} s"
        raise LimitError(msg)
    if status < 0:
        msg = f"the code's process was ended by {signal.Signals(-status).name}; it may have wanted more memory than there is"
        raise LimitError(msg)
    msg = f"the code ended its process with status {status} instead of returning"
    raise NodeError(msg)


def decode(value: Any, folder: Path) -> Any:
    """What `subprocess_child.encode` wrote."""
    if isinstance(value, list):
        return [decode(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    if "$nbflow" not in value:
        return {name: decode(item, folder) for name, item in value.items()}
    kind, content = value["$nbflow"], value["value"]
    if kind == "frame":
        import pyarrow as pa

        with pa.OSFile(str(folder / f"frame-{int(content)}.arrow"), "rb") as file:
            return pa.ipc.open_file(file).read_all().to_pandas()
    readers: dict[str, Callable[[Any], Any]] = {
        "mapping": lambda pairs: {name: decode(item, folder) for name, item in pairs},
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "decimal": Decimal,
        "bytes": base64.b64decode,
        "float": float,
    }
    return readers[kind](content)
