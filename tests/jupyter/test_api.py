"""The way to the project's own server, over real processes: Jupyter, and `nbflow serve` behind it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

FLOW = {
    "nbflow": 1,
    "name": "slow",
    "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 0.5}}],
}


def card(jupyter):
    return json.loads((jupyter.root / ".nbflow" / "server.json").read_text())


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("path", ["api/v1/workflows", "static/canvas/canvas.js", "api/v1/executions/00000000-0000-0000-0000-000000000000"])
def test_without_a_token_programs_are_refused_as_json(jupyter, path):
    with jupyter.client(token=False) as client:
        answer = client.get(path)
    assert answer.status_code in {403, 302}
    if path.startswith("api/"):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "forbidden"


def test_a_form_of_another_site_changes_nothing(jupyter):
    with jupyter.client(token=False) as client:
        assert client.post("api/v1/workflows", json={"definition": FLOW}).status_code == 403


def test_workflows_are_made_listed_changed_and_deleted(jupyter):
    with jupyter.client() as client:
        made = client.post("api/v1/workflows", json={"definition": FLOW})
        assert made.status_code == 201
        assert made.headers["location"].startswith("./")
        found = made.json()["id"]
        assert [item["name"] for item in client.get("api/v1/workflows").json()["items"]] == ["slow"]
        assert client.put(f"api/v1/workflows/{found}", json={"description": "changed"}).json()["description"] == "changed"
        assert client.delete(f"api/v1/workflows/{found}").status_code == 204
        missing = client.get(f"api/v1/workflows/{found}")
        assert missing.status_code == 404
        assert missing.json()["error"]["code"]


def test_events_arrive_while_the_execution_runs(jupyter):
    with jupyter.client() as client:
        begun = time.monotonic()
        accepted = client.post("api/v1/executions/execute", json={"workflow_id": "new", "definition": FLOW, "mode": "queue"})
        assert accepted.status_code == 202, accepted.text
        id_ = accepted.json()["execution_id"]
        seen = []
        with client.stream("GET", f"api/v1/executions/{id_}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    seen.append((line.removeprefix("event: "), time.monotonic() - begun))
    kinds = [kind for kind, _ in seen]
    assert kinds[0] == "accepted"
    assert kinds[-1] == "finished"
    assert seen[-1][1] - seen[0][1] > 0.2  # they did not come in one piece at the end


def test_nothing_of_jupyters_sign_in_reaches_the_server(jupyter):
    """What the server's log of requests would keep."""
    with jupyter.client() as client:
        client.get("api/v1/auth/me", params={"token": jupyter.token, "_xsrf": "x"}, headers={"Cookie": "secret-cookie=1"})
        log = (jupyter.root / ".nbflow" / "jupyter-serve.log").read_text()
    assert jupyter.token not in log


def test_who_is_signed_in_at_jupyter_is_the_person_at_this_machine(jupyter):
    with jupyter.client() as client:
        assert client.get("api/v1/auth/me").json()["organizations"]


@pytest.mark.parametrize(
    "path", ["api/../webhooks/x", "api/%2e%2e/health", "api/v1/%252e%252e/%252e%252e/health", "pages/webhooks/x", "pages/api/v1/workflows"]
)
def test_only_the_api_is_reached_as_the_api(jupyter, path):
    with jupyter.client() as client:
        assert client.request("GET", httpx.URL(f"{jupyter.url}nbflow/{path}")).status_code == 404


def test_the_page_comes_with_everything_it_loads(jupyter):
    with jupyter.client() as client:
        page = client.get("pages/executions")
        assert page.status_code == 200
        assert "Executions" in page.text
        links = re.findall(r'(?:src|href)="(\.?\.?/?[^":]*\.(?:js|css)[^"]*)"', page.text)
        assert links
        for link in links[:5]:
            assert client.get(httpx.URL(str(page.url)).join(link)).status_code == 200


def test_pages_send_strangers_to_the_sign_in(jupyter):
    with jupyter.client(token=False) as client:
        answer = client.get("pages/executions")
    assert answer.status_code == 302
    assert "login" in answer.headers["location"]


def test_the_server_starts_on_demand_for_this_machine_alone_and_ends_with_jupyter(fresh_jupyter):
    jupyter = fresh_jupyter("--ServerApp.base_url=/user/ada/")
    assert not (jupyter.root / ".nbflow").exists()
    with jupyter.client() as client:
        assert client.get("api/v1/workflows").status_code == 200
    found = card(jupyter)
    assert found["url"].startswith("http://127.0.0.1:")
    assert httpx.get(f"{found['url']}/api/v1/workflows").status_code == 401
    environment = Path(f"/proc/{found['pid']}/environ").read_bytes()
    assert b"TOKEN" not in environment
    jupyter.stop()
    wait_for(lambda: not is_alive(found["pid"]))


def test_the_server_ends_when_jupyter_is_killed(fresh_jupyter):
    jupyter = fresh_jupyter()
    with jupyter.client() as client:
        assert client.get("api/v1/workflows").status_code == 200
    pid = card(jupyter)["pid"]
    jupyter.stop(how=signal.SIGKILL)
    wait_for(lambda: not is_alive(pid))


def test_a_server_that_died_is_started_again(fresh_jupyter):
    jupyter = fresh_jupyter()
    with jupyter.client() as client:
        assert client.get("api/v1/workflows").status_code == 200
        pid = card(jupyter)["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid))
        assert wait_for(lambda: client.get("api/v1/workflows").status_code == 200)
        assert card(jupyter)["pid"] != pid


def test_a_server_that_already_runs_is_used_without_its_token(fresh_jupyter):
    jupyter = fresh_jupyter()
    environment = {**os.environ, "NBFLOW_PROJECT": str(jupyter.root), "NBFLOW_OWNER_IDLE_S": "5"}
    server = subprocess.Popen([sys.executable, "-m", "nbflow", "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE)
    try:
        wait_for(lambda: (jupyter.root / ".nbflow" / "server.json").exists() and card(jupyter).get("url"), 60)
        with jupyter.client() as client:
            assert client.get("api/v1/workflows").status_code == 200
        assert card(jupyter)["pid"] == server.pid
        jupyter.stop()
        assert server.poll() is None  # it was not ours to end
    finally:
        server.terminate()
        server.communicate(timeout=45)


def test_a_server_that_cannot_start_says_why(fresh_jupyter):
    jupyter = fresh_jupyter()
    (jupyter.root / "nbflow.toml").write_text("[server]\nports = 1\n")
    with jupyter.client() as client:
        answer = client.get("api/v1/workflows")
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "no_server"
    assert "ports" in answer.json()["error"]["message"]
