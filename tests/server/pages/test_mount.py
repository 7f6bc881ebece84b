from __future__ import annotations

import subprocess
import sys

import httpx
from open_pages import load

from nbflow.server.pages import mount


def test_the_root_leads_to_the_executions_relatively(server):
    answer = server.client.get(f"{server.url}/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "./executions"


def test_making_the_application_does_not_import_panel(tmp_path):
    script = (
        "import sys\nfrom nbflow.server.app import create_app\nfrom nbflow.server.settings import ServerSettings\n"
        f"import pathlib\napp = create_app(ServerSettings(), project=pathlib.Path({str(tmp_path)!r}))\n"
        "print(*sys.modules)\napp.state.nbflow.runtime.close()"
    )
    modules = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path).stdout.split())
    assert "nbflow.server.pages.mount" in modules
    assert not {"panel", "bokeh", "bokeh_fastapi"} & modules


def test_a_page_needs_sign_in(server):
    answer = server.anonymous.get(f"{server.url}/executions", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("login?")
    assert server.anonymous.get(f"{server.url}/executions").status_code == 401


def test_without_a_gate_a_page_shows_nothing(server):
    async def get():
        transport = httpx.ASGITransport(app=server.state.pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/executions")

    assert server.run(get()).status_code == 401


def test_pages_are_in_no_openapi_document(server):
    assert not [path for path in server.client.get(f"{server.url}/openapi.json").json()["paths"] if "executions/ws" in path or path == "/executions"]


def test_what_pages_load_comes_from_the_server(server):
    load(server)
    assert server.anonymous.get(f"{server.url}/static/js/bokeh.min.js").status_code == 200
    assert server.anonymous.get(f"{server.url}/static/extensions/panel/panel.min.js").status_code == 200


def test_panels_route_that_imports_modules_is_not_there(server):
    load(server)
    assert server.client.get(f"{server.url}/components/os/environ/x").status_code == 404


def test_a_failing_import_leaves_the_rest_alone(fresh_server, monkeypatch):
    def fail():
        message = "no module named panel"
        raise ModuleNotFoundError(message)

    monkeypatch.setattr(mount, "_import_site", fail)
    server = fresh_server()
    answer = server.client.get(f"{server.url}/executions")
    assert answer.status_code == 503
    assert "no module named panel" in answer.text
    health = server.anonymous.get(f"{server.url}/health")
    assert health.status_code == 200
    assert health.json()["checks"]["pages"] == "failed"
