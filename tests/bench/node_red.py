"""Node-RED beside nbflow, in one run: the same body, the same three steps, one connection to many. Node-RED stores nothing.

Installed by npm into the cache folder on first use; needs Node.js 18 or newer and, then, the network.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from .durable import project
from .load import Load, put_on
from .table import Row
from .webhooks import CONNECTIONS, ROUNDS, SECONDS, server, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_SET = [
    {"t": "set", "p": "payload", "pt": "msg", "to": '{"total": payload.total * 2, "order": payload.order}', "tot": "jsonata"},
]  # fmt: skip
FLOW: list[dict[str, Any]] = [
    {"id": "tab", "type": "tab", "label": "bench"},
    {"id": "in", "type": "http in", "z": "tab", "url": "/bench", "method": "post", "wires": [["shape"]]},
    {"id": "shape", "type": "change", "z": "tab", "rules": _SET, "wires": [["if"]]},
    {
        "id": "if", "type": "switch", "z": "tab", "property": "payload.total", "propertyType": "msg", "checkall": "true", "outputs": 2,
        "rules": [{"t": "gt", "v": "100", "vt": "num"}, {"t": "else"}], "wires": [["out"], ["out"]],
    },
    {"id": "out", "type": "http response", "z": "tab", "statusCode": "200", "wires": []},
]  # fmt: skip


def measure(cache: Path) -> list[Row]:
    """Rows by connections: nbflow (stored, durable before the answer) in units of Node-RED. Raises subprocess.SubprocessError, RuntimeError."""
    script, version = _installed(cache / "node-red")
    rows = []
    with project() as ours, server("nbflow", ours) as our_port, _node_red(script) as their_port:
        for connections in CONNECTIONS:
            put_on(our_port, "/webhooks/last_node", connections, SECONDS / 4)
            put_on(their_port, "/bench", connections, SECONDS / 4)
            pairs = []
            for _ in range(ROUNDS):
                pairs.append((put_on(our_port, "/webhooks/last_node", connections, SECONDS), put_on(their_port, "/bench", connections, SECONDS)))
            rows.append(_row(version, connections, pairs))
    return rows


def _row(version: str, connections: int, pairs: list[tuple[Load, Load]]) -> Row:
    our, their = zip(*pairs, strict=True)
    return Row(
        name=f"webhook, last node, {connections} connections, beside Node-RED {version} (stores nothing)",
        value=median(load.rate for load in our),
        unit="req/s",
        baseline=median(load.rate for load in their),
        ratio=median(first.rate / second.rate for first, second in pairs),
        goal=1.0 if connections == 16 else None,
        better="more",
        note=f"p50 {median(load.p50_ms for load in our):.1f} ms; Node-RED {median(load.p50_ms for load in their):.1f}",
    )


def _installed(folder: Path) -> tuple[Path, str]:
    package = folder / "node_modules" / "node-red"
    if shutil.which("node") is None or shutil.which("npm") is None:
        message = "Node-RED needs node and npm on the PATH"
        raise RuntimeError(message)
    if not (package / "red.js").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "node-red@4"]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
    return package / "red.js", json.loads((package / "package.json").read_text())["version"]


@contextmanager
def _node_red(script: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="nbflow-bench-") as name:
        folder = Path(name)
        (folder / "flows.json").write_text(json.dumps(FLOW))
        (folder / "settings.js").write_text(
            "module.exports = {flowFile: 'flows.json', logging: {console: {level: 'warn'}}, telemetry: {enabled: false}};"
        )
        command = ["node", str(script), "--port", str(port), "--userDir", name, "--settings", str(folder / "settings.js")]
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | {"NODE_ENV": "production"})
        try:
            wait_for(process, port, log, "/bench")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
