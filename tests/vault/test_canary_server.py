"""A secret is used by what `nbflow serve` runs, in its own process and in worker kernels; no answer, page, log or file holds it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import httpx
import pytest

from .echo import echoing
from .traces import traces

CANARY = "cnry-7Kq/+\"<&>'-Zx9wQ2mV_pL4"
NBFLOW = Path(sys.executable).with_name("nbflow")
JOBS = Path(__file__).with_name("canary_jobs.py")
START_S = 60


class Served:
    """A running server; everything it answers is kept in `said`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.out = folder / "serve.out"
        with self.out.open("w") as out, (folder / "serve.log").open("w") as err:
            words = [NBFLOW, "serve", "--port", "0", "--allowed-hosts", "127.0.0.1", "--log-level", "debug"]
            self.process = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=err)
        deadline = time.monotonic() + START_S
        while not (found := re.search(r"^\s+(http://\S+)/\?nbflow_token=(\S+)$", self.out.read_text(), re.MULTILINE)):
            assert self.process.poll() is None, (folder / "serve.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.url, token = found[1], found[2]
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def ask(self, method, path, **more):
        answer = self.client.request(method, path, **more)
        self.said.append((f"{method} {path}", repr(answer.headers.multi_items()).encode() + answer.content))
        return answer

    def stop(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def http_flow(name, url, path, **settings):
    nodes = [
        {"id": "request", "type": "trigger.webhook", "config": {"path": path, "response_mode": "last_node"}},
        {"id": "fetch", "type": "action.http", "config": {"url": url, "auth": {"credential": "crm"}, "full_response": True}, "settings": settings},
        {"id": "take", "type": "action.transform", "config": {"mode": "expression", "expression": "{'all': input, 'json': input | json}"}},
    ]
    edges = [
        {"source": "request", "source_port": "output", "target": "fetch", "target_port": "input"},
        {"source": "fetch", "source_port": "output", "target": "take", "target_port": "input"},
    ]
    return {"nbflow": 1, "name": name, "nodes": nodes, "edges": edges}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NBFLOW_", "PYTHONWARNINGS"))}
    environment |= {"NBFLOW_PROJECT": str(folder), "PYTHONPATH": str(folder), "NBFLOW_OWNER_IDLE_S": "60"}
    (folder / "canary_jobs.py").write_text(JOBS.read_text())
    with echoing() as echo:
        echo.answers["/refused"] = (401, {"refused": CANARY})
        server = Served(folder, environment)
        try:
            use(server, echo.url, folder, environment)
        finally:
            code = server.stop()
    assert code == 0
    end_owner(folder)
    return folder, server, echo


def use(server, url, folder, environment):
    """Everything that a server does with flows that use a secret."""
    credential = {"name": "crm", "kind": "http_header", "values": {"name": "X-Api-Key", "value": CANARY}}
    created = server.ask("POST", "/api/v1/credentials", json=credential)
    assert created.status_code == 201, created.text
    server.ask("POST", "/api/v1/credentials", json=credential)
    server.ask("POST", "/api/v1/credentials", json={**credential, "name": "b", "values": {"value": CANARY, "wrong": CANARY}})
    flows = {"works": http_flow("works", f"{url}/x", "/works"), "refused": http_flow("refused", f"{url}/refused", "/refused")}
    flows["continues"] = http_flow("continues", f"{url}/refused", "/continues", on_error="continue")
    for document in flows.values():
        made = server.ask("POST", "/api/v1/workflows", json={"definition": document, "active": True})
        assert made.status_code == 201, made.text
    for name in ("tell", "fail"):
        code = f"import canary_jobs; canary_jobs.{name}.publish(webhook={{'path': '/py/{name}', 'response_mode': 'last_node'}})"
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
    for path in ("works", "refused", "continues", "py/tell", "py/fail"):
        for prefix in ("webhooks", "webhooks-test"):
            server.ask("POST", f"/{prefix}/{path}", json={"url": f"{url}/y"})
    for workflow in server.ask("GET", "/api/v1/workflows").json()["items"]:
        body = {"workflow_id": workflow["id"], "input": {"url": f"{url}/z"}, "mode": "wait"}
        server.ask("POST", "/api/v1/executions/execute", json=body)
    server.ask("POST", "/api/v1/executions/execute", json={"workflow_id": "new", "definition": flows["works"], "mode": "wait"})
    literal = http_flow("literal", f"{url}/x", "/literal")
    literal["nodes"][1]["config"]["query"] = {"key": CANARY}
    server.ask("POST", "/api/v1/workflows", json={"definition": literal})
    server.ask("POST", f"/api/v1/credentials/{created.json()['id']}/test")
    look(server)


def look(server):
    """Every place where it could be seen afterwards."""
    deadline = time.monotonic() + 60
    while any(item["status"] in {"pending", "running"} for item in server.ask("GET", "/api/v1/executions").json()["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    paths = [
        f"executions/{item['execution_id']}{part}" for item in server.ask("GET", "/api/v1/executions").json()["items"] for part in ("", "/events")
    ]
    for item in server.ask("GET", "/api/v1/workflows").json()["items"]:
        paths += [f"workflows/{item['id']}{part}" for part in ("", "/versions", "/export")] + [f"executions/workflow/{item['id']}"]
    paths += ["stats", "audit-logs", "credentials", "webhooks", "metrics", "health", "auth/me", "api-keys", "credential-kinds"]
    for path in paths:
        server.ask("GET", f"/api/v1/{path}")
    for path in ("/", "/executions", "/pages/executions"):
        server.ask("GET", path, follow_redirects=True)


def end_owner(folder):
    home = folder / ".nbflow"
    try:
        pid = json.loads((home / "owner.json").read_text())["pid"]
    except OSError:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and b"nbflow" in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_secret_was_sent_and_the_answers_say_that_it_is_left_out(served):
    _, server, echo = served
    assert sum(headers.get("X-Api-Key") == CANARY for _, _, headers, _ in echo.seen) >= 10
    said = dict(server.said)
    for path in ("/webhooks/works", "/webhooks-test/works", "/webhooks/py/tell"):
        assert b"[redacted crm]" in said[f"POST {path}"], said[f"POST {path}"][-2000:]


def test_no_answer_holds_the_secret(served):
    _, server, _ = served
    assert len(server.said) > 50
    assert {what: found for what, content in server.said if (found := traces(CANARY, content))} == {}


def test_no_file_of_the_server_holds_the_secret(served):
    folder, _, _ = served
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert (folder / "serve.log").stat().st_size > 0
    assert {str(path.relative_to(folder)): found for path in files if (found := traces(CANARY, path.read_bytes()))} == {}


def test_no_table_of_the_server_holds_the_secret(served):
    folder, _, _ = served
    with duckdb.connect(folder / ".nbflow" / "store.duckdb", read_only=True) as database:
        names = [name for (name,) in database.execute("select table_name from duckdb_tables() where not internal").fetchall()]
        cells = {name: "\n".join(str(cell) for row in database.execute(f'select * from "{name}"').fetchall() for cell in row) for name in names}
    assert len(cells["workflow_executions"]) > 1000
    assert {name: found for name, text in cells.items() if (found := traces(CANARY, text.encode()))} == {}
