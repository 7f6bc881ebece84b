from __future__ import annotations

import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import refused, serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nbflow.core.flow import Flow
from nbflow.store.client import SharedStore
from nbflow.workflows.library import Workflows

GIVEN = "a-token-that-was-given-to-the-server"


def publish(project, path, duration):
    """A workflow that waits and then answers; published before the server starts."""
    flow = Flow.from_dict(
        {
            "nbflow": 1,
            "name": path.strip("/"),
            "nodes": [
                {"id": "hook", "type": "trigger.webhook", "config": {"path": path, "response_mode": "last_node"}},
                {"id": "wait", "type": "logic.wait", "config": {"duration": f"PT{duration}S"}},
            ],
            "edges": [{"source": "hook", "target": "wait"}],
        }
    )
    project.mkdir(exist_ok=True)
    store = SharedStore(project)
    try:
        Workflows(store).create(flow, active=True)
    finally:
        store.close()


def until(what, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)
    return found


@pytest.fixture
def project(tmp_path):
    return tmp_path / "project"


def test_the_printed_address_signs_a_browser_in(project):
    with serving(project) as server, httpx.Client(timeout=60, follow_redirects=True, headers={"Accept": "text/html"}) as browser:
        page = browser.get(server.address)
        assert page.status_code == 200
        assert "<title>Executions - nbflow</title>" in page.text
        assert "nbflow_token" not in str(page.url)


def test_the_token_is_in_no_log(project):
    with serving(project, NBFLOW_SERVER_LOG_LEVEL="debug") as server:
        with httpx.Client(timeout=60, follow_redirects=True, headers={"Accept": "text/html"}) as browser:
            browser.get(server.address)
        server.client().get("/api/v1/workflows")
        assert server.stop() == 0
        assert "nbflow.request" in server.err
        assert server.token not in server.err


def test_a_token_that_was_given_is_not_shown(project):
    with serving(project, NBFLOW_SERVER_TOKEN=GIVEN) as server:
        assert server.client(GIVEN).get("/api/v1/auth/me").status_code == 200
        server.stop()
        assert GIVEN not in server.out + server.err
        assert "Sign in with the token that you have set" in server.out


def test_the_pages_open_by_themselves_after_the_server_answers(project):
    with serving(project) as server:
        assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200
        until(lambda: httpx.get(f"{server.url}/health", timeout=60).json()["checks"]["pages"] == "open")


def test_the_log_can_be_json_lines(project):
    with serving(project, "--log-format", "json") as server:
        server.client().get("/api/v1/workflows")
        server.stop()
        told = [json.loads(line) for line in server.err.splitlines()]
        [request] = [line for line in told if line["logger"] == "nbflow.request" and line["path"] == "/api/v1/workflows"]
        assert request["status"] == 200
        assert request["request_id"]
        assert told[-1]["message"] == "stopped"


def test_the_project_says_where_its_server_is(project):
    with serving(project) as server:
        card = project / ".nbflow" / "server.json"
        assert json.loads(card.read_text()) == {"pid": server.process.pid, "url": server.url}
        assert card.stat().st_mode & 0o077 == 0
        server.stop()
        assert not card.exists()


def test_a_second_server_of_a_project_is_told_where_the_first_is(project):
    with serving(project) as server:
        for port in ("0", server.url.rpartition(":")[2]):
            code, message = refused(project, "--port", port)
            assert code == 2
            assert "a server already runs for" in message
            assert server.url in message


def test_a_port_in_use_is_refused_with_what_to_do(project, tmp_path):
    project.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, message = refused(project, "--port", port)
    assert code == 2
    assert f"port {port} is in use by another program" in message
    assert "--port 0" in message


def test_an_address_of_another_machine_is_refused(project):
    project.mkdir()
    code, message = refused(project, "--host", "192.0.2.1", "--port", "0")
    assert code == 2
    assert "no address of this machine" in message


def test_everybody_on_the_network_without_sign_in_is_refused(project):
    project.mkdir()
    code, message = refused(project, "--host", "0.0.0.0", "--auth", "none")
    assert code == 2
    assert "everybody on the network" in message


def test_a_project_that_is_not_there_is_one_message(tmp_path):
    code, message = refused(tmp_path, NBFLOW_PROJECT=str(tmp_path / "missing"))
    assert code == 3
    assert "missing" in message


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_stopping_lets_what_runs_end_and_answers_it(project, sign):
    publish(project, "/slow", 2)
    with serving(project) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, f"{server.url}/webhooks/slow", json={"n": 1}, timeout=30)
        until(lambda: _running(server))
        assert server.stop(sign) == 0
        assert answer.result().status_code == 200
        assert "stopped" in server.err


def test_stopping_does_not_wait_longer_than_it_may(project):
    publish(project, "/endless", 3600)
    with serving(project, "--shutdown-grace-s", "0.5") as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(_post, f"{server.url}/webhooks/endless")
        until(lambda: _running(server))
        assert server.stop(timeout_s=30) == 0
        answer.result()
        assert "1 executions were still running" in server.err


def test_a_second_signal_ends_it_at_once(project):
    publish(project, "/endless", 3600)
    with serving(project, "--shutdown-grace-s", "3600") as server:
        threading.Thread(target=_post, args=(f"{server.url}/webhooks/endless",), daemon=True).start()
        until(lambda: _running(server))
        server.process.send_signal(signal.SIGINT)
        until(lambda: "stopping" in server.err)
        server.stop(signal.SIGINT, timeout_s=30)


def test_while_it_stops_it_takes_no_more_connections(project):
    publish(project, "/slow", 3)
    with serving(project) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, f"{server.url}/webhooks/slow", json={}, timeout=30)
        until(lambda: _running(server))
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in server.err)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health", timeout=60)
        assert answer.result().status_code == 200
        assert server.process.wait(30) == 0


def test_open_pages_are_closed_as_by_a_restart(project):
    with serving(project) as server:
        document = server.client().get("/executions").text
        token = document.split('"token":"')[1].split('"')[0]
        headers = {"Authorization": f"Bearer {server.token}"}
        with connect(
            f"{server.url.replace('http', 'ws')}/executions/ws", subprotocols=["bokeh", token], additional_headers=headers, proxy=None
        ) as page:
            page.recv()
            assert server.stop() == 0
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    page.recv()
        assert closed.value.rcvd.code == 1012


def _running(server):
    with server.client() as client:
        return [execution for execution in client.get("/api/v1/executions").json()["items"] if execution["status"] == "running"]


def _post(url):
    try:
        return httpx.post(url, json={}, timeout=30).status_code
    except httpx.HTTPError:
        return None
