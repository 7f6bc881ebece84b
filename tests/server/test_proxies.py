"""Behind the proxies that people have: nginx with a prefix, jupyter-server-proxy."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from serving import serving

from nbflow.core.flow import Flow
from nbflow.server.example import example
from nbflow.store.client import SharedStore
from nbflow.workflows.library import Workflows

CHROMIUM = "/usr/bin/chromium"
TOKEN = "the-token-of-the-tests"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def wait_for(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


@pytest.fixture
def project(tmp_path):
    """A project with a webhook at /echo."""
    hook = {"id": "hook", "type": "trigger.webhook", "config": {"path": "/echo", "response_mode": "last_node"}}
    body = {"id": "body", "type": "action.transform", "config": {"mode": "expression", "expression": "input.body"}}
    flow = Flow.from_dict({"nbflow": 1, "name": "echo", "nodes": [hook, body], "edges": [{"source": "hook", "target": "body"}]})
    folder = tmp_path / "project"
    folder.mkdir()
    store = SharedStore(folder)
    Workflows(store).create(flow, active=True)
    store.close()
    return folder


@pytest.fixture
def nginx(tmp_path):
    """The printed example, without TLS, in front of a server's port; gives where it shows it."""
    if shutil.which("nginx") is None:
        pytest.skip("no nginx here")
    started = []

    def start(port):
        own = free_port()
        inner = re.sub(r"^\s*ssl_.*$", "", example("nginx"), flags=re.MULTILINE)
        inner = inner.replace("listen 443 ssl;", f"listen 127.0.0.1:{own};").replace("127.0.0.1:8520", f"127.0.0.1:{port}")
        inner = inner.replace("Host $host;", "Host $http_host;")  # the usual port is the one difference
        places = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = tmp_path / "nginx.conf"
        config.write_text(f"daemon off;\npid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{inner}\n}}\n")
        with (tmp_path / "nginx.log").open("w") as log:
            started.append(subprocess.Popen(["nginx", "-c", str(config), "-p", str(tmp_path)], stderr=log))
        wait_for(f"http://127.0.0.1:{own}/")
        return f"http://127.0.0.1:{own}/nbflow"

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


@pytest.fixture
def jupyter(tmp_path):
    """JupyterLab's server with jupyter-server-proxy; gives its address."""
    if importlib.util.find_spec("jupyter_server_proxy") is None:
        pytest.skip("jupyter-server-proxy is not installed")
    port = free_port()
    places = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    options = ["--no-browser", "--allow-root", "--ServerApp.token=t", f"--ServerApp.port={port}", f"--ServerApp.root_dir={tmp_path}"]
    command = [sys.executable, "-m", "jupyter_server", *options, "--ServerApp.jpserver_extensions", "jupyter_server_proxy=True"]
    with (tmp_path / "jupyter.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | places, stdout=log, stderr=log)
    wait_for(f"http://127.0.0.1:{port}/api")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def see(address, *, through):
    """Signs in by the address, and sees an execution arrive that is made meanwhile by `through`."""
    if not os.path.exists(CHROMIUM):
        pytest.skip("no Chromium here")
    foreign = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        host = re.match(r"https?://[^/]+", address)[0]
        page.on("request", lambda request: None if request.url.startswith((host, "data:", "blob:")) else foreign.append(request.url))
        page.goto(address)
        expect(page.locator(".queue")).to_contain_text("running", timeout=30_000)
        through()
        expect(page.locator("tbody tr", has_text="echo")).to_contain_text("completed")
        seen = page.url
        browser.close()
    assert not foreign
    return seen


def test_nginx_shows_it_under_a_prefix(project, nginx):
    with serving(project, "--base-url", "/nbflow/", NBFLOW_SERVER_TOKEN=TOKEN) as server:
        port = int(re.search(r":(\d+)", server.url)[1])
        shown = nginx(port)
        assert httpx.get(f"{shown}/health").json()["status"] == "ok"
        assert httpx.get(f"{shown}/api/v1/workflows").status_code == 401
        assert httpx.get(f"{shown}/api/v1/workflows", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert httpx.get(f"{shown.rpartition('/')[0]}/nbflow", follow_redirects=False).status_code == 308

        def call():
            assert httpx.post(f"{shown}/webhooks/echo", json={"n": 1}).json() == {"n": 1}

        assert see(f"{shown}/?nbflow_token={TOKEN}", through=call) == f"{shown}/executions"


def test_a_prefix_that_the_proxy_takes_away_works_as_well(project):
    with serving(project, "--base-url", "/nbflow/", NBFLOW_SERVER_TOKEN=TOKEN) as server:
        bare = server.url.removesuffix("/nbflow")
        for prefix in ("", "/nbflow"):
            assert httpx.get(f"{bare}{prefix}/health").status_code == 200
            assert httpx.post(f"{bare}{prefix}/webhooks/echo", json={"n": 1}).json() == {"n": 1}
            page = httpx.get(f"{bare}{prefix}/executions", headers={"Accept": "text/html"})
            assert page.headers["location"].startswith("login?")


def test_jupyter_server_proxy_shows_it(project, jupyter):
    with serving(project, NBFLOW_SERVER_TOKEN=TOKEN) as server:
        port = server.url.rpartition(":")[2]
        shown = f"{jupyter}/proxy/{port}"

        def call():
            assert httpx.post(f"{shown}/webhooks/echo?token=t", json={"n": 1}).json() == {"n": 1}

        assert see(f"{shown}/?token=t&nbflow_token={TOKEN}", through=call).startswith(f"{shown}/executions")
