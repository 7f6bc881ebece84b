"""Records as the recorder writes them, and a process that writes them until it is killed."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from nbflow.core import ids


def new_id() -> str:
    return str(ids.new_id())


def accepted(execution_id: str, **more):
    return {
        "k": "accepted",
        "execution_id": execution_id,
        "flow": "daily",
        "flow_hash": "f" * 64,
        "workflow_id": None,
        "version_id": None,
        "trigger": "manual",
        "mode": "wait",
        "source": "report.ipynb",
        "user": "ada",
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "parent_execution_id": None,
        "input": {"day": 1},
        "ts": time.time_ns(),
        **more,
    }


def started(execution_id: str, **more):
    return {"k": "started", "execution_id": execution_id, "ts": time.time_ns(), **more}


def node_started(execution_id: str, node_id: str = "load", **more):
    return {"k": "node_started", "execution_id": execution_id, "node_id": node_id, "path": "", "ts": time.time_ns(), **more}


def node(execution_id: str, seq: int = 0, **more):
    return {
        "k": "node",
        "execution_id": execution_id,
        "seq": seq,
        "node_id": f"n{seq}",
        "node_type": "logic.condition",
        "path": "",
        "status": "completed",
        "level": "info",
        "started": time.time_ns(),
        "duration": 5_000_000,
        "attempt": 1,
        "payload": {"preview": {"rows": seq}, "logs": []},
        **more,
    }


def finished(execution_id: str, **more):
    return {
        "k": "finished",
        "execution_id": execution_id,
        "status": "completed",
        "ts": time.time_ns(),
        "duration": 9_000_000,
        "outputs": {"r": 1},
        **more,
    }


def run(execution_id: str, nodes: int = 5, **more):
    """A whole execution that went well."""
    return [accepted(execution_id, **more), started(execution_id), *(node(execution_id, seq) for seq in range(nodes)), finished(execution_id)]


def write_and_query(root: Path, acknowledged: Path, name: str) -> None:
    """Append node rows one by one and note each acknowledged one; query now and then. Ends when killed, or when `stop` appears."""
    from nbflow.store import open_store

    store = open_store(root)
    note = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    execution = new_id()
    seq = 0
    while not (root / "stop").exists():
        store.append([node(execution, seq, node_id=name)])
        os.write(note, f"{execution} {seq}\n".encode())
        seq += 1
        if seq % 50 == 0:
            (seen,) = store.query("SELECT count(*) FROM execution_logs WHERE execution_id = ?::UUID", [execution]).rows[0]
            assert seen == seq, f"{name} wrote {seq} and read {seen}"
    store.close()


def begin_and_hang(root: Path) -> None:
    """Begin an execution with a node that never ends."""
    from nbflow.store import open_store

    store = open_store(root)
    execution = new_id()
    store.append([accepted(execution), started(execution), node(execution, 0), node_started(execution, "slow")])
    sys.stdout.write(execution + "\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    if sys.argv[1] == "hang":
        begin_and_hang(Path(sys.argv[2]))
    else:
        write_and_query(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[1])
