"""The application as a whole, over a real socket: what is open, what is closed, health, start and end."""

from __future__ import annotations

import httpx
import pytest
from flow_documents import document, hook, waiting

from nbflow.core.errors import ServerRunningError, StoreBusyError
from nbflow.server.app import create_app


@pytest.mark.parametrize("path", ["/health", "/api/v1", "/api/v1/health"])
def test_who_is_not_signed_in_sees_that_the_server_is_there(server, path):
    assert httpx.get(server.url + path).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/metrics", "/api/v1/metrics", "/docs-assets/swagger-ui.css", "/executions", "/"])
def test_everything_else_asks_who_you_are(server, path):
    assert httpx.get(server.url + path).status_code == 401
    page = httpx.get(server.url + path, headers={"Accept": "text/html"})
    assert page.status_code in {303, 401}
    assert "nbflow_session" not in page.headers.get("set-cookie", "")


def test_the_entrance_names_what_there_is(server):
    found = httpx.get(server.api).json()
    assert (found["name"], found["version"]) == ("nbflow", server.app.version)
    for link in found["links"].values():
        assert server.client.get(httpx.URL(server.api).join(link)).status_code == 200, link


def test_with_a_slash_it_is_the_same_entrance(server):
    answer = httpx.get(server.api + "/", follow_redirects=True)
    assert (str(answer.url), answer.status_code) == (server.api, 200)


def test_a_healthy_server_says_so(server):
    found = server.anonymous.get("/health")
    assert (found.status_code, found.json()["status"], found.json()["checks"]["store"]) == (200, "ok", "ok")
    assert httpx.get(f"{server.url}/health").json() == found.json()


def test_a_server_without_its_store_is_alive_and_not_ready(server, monkeypatch):
    def busy(*_, **__):
        raise StoreBusyError("no answer from /secret/path")

    monkeypatch.setattr(server.state.store, "query", busy)
    found = server.anonymous.get("/health")
    assert (found.status_code, found.json()["status"], found.json()["checks"]["store"]) == (503, "failing", "failing: StoreBusyError")
    assert "secret" not in found.text
    assert server.anonymous.get("/health", params={"probe": "live"}).status_code == 200


def test_a_stopping_server_is_not_ready(fresh_server):
    server = fresh_server()
    server.loop.call_soon_threadsafe(server.state.stop)
    found = server.anonymous.get("/health")
    while found.status_code == 200:
        found = server.anonymous.get("/health")
    assert (found.status_code, found.json()["status"]) == (503, "stopping")


def test_metrics_are_prometheus_text(server):
    from prometheus_client.parser import text_string_to_metric_families

    server.client.get("/workflows/00000000-0000-7000-8000-000000000000")
    server.client.post("/executions/execute", json={"workflow_id": "new", "definition": document()})
    answer = server.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found["nbflow_executions_running"].samples[0].value == 0
    assert {sample.labels["status"] for sample in found["nbflow_executions"].samples} >= {"completed"}
    routes = {(sample.labels["route"], sample.labels["status"]) for sample in found["nbflow_http_requests"].samples}
    assert ("/api/v1/workflows/{workflow_id}", "404") in routes
    assert httpx.get(f"{server.url}/metrics", headers=dict(server.client.headers)).status_code == 200


def test_a_second_server_of_a_project_is_refused_before_it_answers(fresh_server):
    first = fresh_server()
    app = create_app(first.settings, project=first.project)

    async def start():
        async with app.router.lifespan_context(app):
            pytest.fail("it started")

    with pytest.raises(ServerRunningError):
        first.run(start())
    app.state.nbflow.runtime.close()
    assert first.anonymous.get("/health").status_code == 200


def test_what_was_accepted_is_run_by_the_next_server(fresh_server):
    first = fresh_server(max_running=1, shutdown_grace_s=0.2)
    first.client.post("/executions/execute", json={"workflow_id": "new", "definition": waiting(), "mode": "queue"})
    queued = first.client.post("/executions/execute", json={"workflow_id": "new", "definition": document(), "mode": "queue"}).json()
    first.stop()
    second = fresh_server()
    found = second.client.get(f"/executions/{queued['execution_id']}").json()
    while found["status"] in {"pending", "running"}:
        found = second.client.get(f"/executions/{queued['execution_id']}").json()
    assert (found["status"], found["outputs"]) == ("completed", {"greet": {"text": "Hello you!"}})


def test_a_publish_by_another_process_is_seen_at_once(server):
    from nbflow.core.flow import Flow
    from nbflow.store import open_store
    from nbflow.workflows.library import Workflows

    store = open_store(server.project)
    made = Workflows(store).create(Flow.from_dict(hook("/from-a-notebook")), active=True)
    store.close()
    assert server.client.get(f"/workflows/{made.id}").json()["active"] is True
    assert httpx.post(f"{server.url}/webhooks/from-a-notebook").status_code == 202
