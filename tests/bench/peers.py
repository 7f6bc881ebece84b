"""Other engines, each in an environment of its own under the cache folder (made on first use; needs the network then)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import fresh, node_red
from .table import Row

# newer FastAPI lacks what this Prefect asks for: Body(min_items=...)
PACKAGES = {"langgraph": ["langgraph"], "dask": ["dask"], "prefect": ["prefect", "fastapi<0.120"]}
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nbflow-bench"


def measure(names: list[str]) -> list[Row]:
    """W1, W4 and W9 of each peer, smaller where it is slow: CPU a node beside bare asyncio in the same process. Of Node-RED, webhooks."""
    rows = []
    for name in names:
        if name not in {*PACKAGES, "node-red"}:
            rows.append(Row(name=name, value=0, unit="", note=f"no such peer; there are {', '.join(PACKAGES)} and node-red"))
            continue
        print(f"        {name}", file=sys.stderr, flush=True)
        try:
            rows += node_red.measure(CACHE) if name == "node-red" else _rows(name, _environment(name))
        except (subprocess.SubprocessError, RuntimeError) as error:
            rows.append(Row(name=name, value=0, unit="", note=f"failed: {error}"))
    return rows


def _environment(name: str) -> Path:
    """The Python of the peer's environment."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if uv := shutil.which("uv"):
            _quietly([uv, "venv", "--python", sys.executable, str(folder)])
            _quietly([uv, "pip", "install", "--python", str(python), *PACKAGES[name]])
        else:
            _quietly([sys.executable, "-m", "venv", str(folder)])
            _quietly([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]])
        ready.touch()
    return python


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=900)


def _rows(name: str, python: Path) -> list[Row]:
    environment = fresh.environment() | {
        "PREFECT_HOME": str(CACHE / "prefect-home"),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "LANGSMITH_TRACING": "false",
    }
    script = Path(__file__).with_name("peer_child.py")
    done = subprocess.run([str(python), str(script), name], env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [Row(name=name, value=0, unit="", note=f"failed: {reason}")]
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("[{"))
    version = _version(name, python)
    return [
        Row(
            name=f"{name} {version} {found['workload']} ({found['size']})",
            value=found["cpu_us"],
            unit="us cpu/node",
            baseline=found["bare_us"],
            note=f"{found['wall_us']:,.0f} us wall; not nbflow",
        )
        for found in json.loads(line)
    ]


def _version(name: str, python: Path) -> str:
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
