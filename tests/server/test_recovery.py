"""What a killed server leaves, and what the next one makes of it."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx
from serving import Serving, environment

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 10
SENDERS = 4


def counting(path: str = "/count") -> dict:
    """Writes one line for each execution."""
    line = {"operation": "write", "path": "effects.txt", "content": "{{ input.body.id }}\n", "append": True}
    return {
        "nbflow": 1,
        "name": "counting",
        "nodes": [
            {"id": "hook", "type": "trigger.webhook", "config": {"path": path}},
            {"id": "line", "type": "data.file", "config": line},
        ],
        "edges": [{"source": "hook", "target": "line"}],
    }


def send(url: str, first: int, accepted: dict[str, str], stop: threading.Event) -> None:
    """One request after the other until the server is gone; what was accepted is noted: execution id -> our id."""
    with httpx.Client(timeout=10) as client:
        number = first
        while not stop.is_set():
            try:
                answer = client.post(f"{url}/webhooks/count", json={"id": f"n{number}"})
            except httpx.HTTPError:
                return
            if answer.status_code == 202:
                accepted[answer.json()["execution_id"]] = f"n{number}"
            number += SENDERS


def test_a_server_killed_under_load_ten_times_loses_nothing_that_it_accepted_and_runs_nothing_twice(tmp_path: Path, monkeypatch):
    project = tmp_path / "project"
    accepted: dict[str, str] = {}
    for kill in range(KILLS):
        server = Serving(project)
        if kill == 0:
            made = server.client().post("/api/v1/workflows", json={"name": "counting", "definition": counting(), "active": True})
            assert made.status_code == 201, made.text
        stop = threading.Event()
        senders = [threading.Thread(target=send, args=(server.url, kill * 1_000_000 + number, accepted, stop)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        before = len(accepted)
        deadline = time.monotonic() + 20
        while len(accepted) < before + 20 + 7 * kill and time.monotonic() < deadline:  # killed at another moment each time
            time.sleep(0.005)
        server.stop(signal.SIGKILL)
        stop.set()
        for sender in senders:
            sender.join()
    assert len(accepted) > 20 * KILLS

    server = Serving(project)
    client = server.client()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        metrics = client.get("/api/v1/executions", params={"status": "pending", "limit": 1}).json()
        running = client.get("/api/v1/executions", params={"status": "running", "limit": 1}).json()
        if not metrics["items"] and not running["items"]:
            break
        time.sleep(0.2)
    assert server.stop() == 0

    for name, value in environment(project).items():
        monkeypatch.setenv(name, value)
    from nbflow.store.opening import open_store

    store = open_store(project)
    rows = store.query("SELECT execution_id::VARCHAR, status::VARCHAR, error_type FROM workflow_executions").rows
    store.close()
    status = {execution_id: (state, error) for execution_id, state, error in rows}
    effects = Counter((project / "effects.txt").read_text().split())
    assert [id_ for id_ in accepted if id_ not in status] == []
    assert {state for state, _ in status.values()} <= {"completed", "failed"}
    assert {error for state, error in status.values() if state == "failed"} <= {"Interrupted"}
    assert [line for line, times in effects.items() if times > 1] == []
    assert [id_ for id_, line in accepted.items() if status[id_][0] == "completed" and effects[line] != 1] == []
