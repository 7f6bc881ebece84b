"""The OpenAPI document is true (schemathesis tries all of it), complete, and shown without the internet."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from flow_documents import document, waiting

from nbflow.server.schemas.workflow import DEFINITION

CHROMIUM = "/usr/bin/chromium"
CONFIG = """
[checks]
# A document of the right shape can still be refused for what it says: an unknown node type, a name that is taken.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]
"""


@pytest.fixture(scope="module")
def openapi(server):
    return server.client.get(f"{server.url}/openapi.json").json()


@pytest.fixture(scope="module")
def operations(openapi):
    return [(method.upper(), path, operation) for path, item in openapi["paths"].items() for method, operation in item.items()]


def test_schemathesis_finds_nothing(server, tmp_path):
    server.client.post("/workflows", json={"definition": document(), "active": True})
    server.client.post("/executions/execute", json={"workflow_id": "new", "definition": waiting(seconds=1), "mode": "queue"})
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--url", server.url]
    options = ["--header", server.client.headers["authorization"].join(("Authorization: ", "")), "--max-examples", "3", "--seed", "1"]
    phases = ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--workers", "1", "--no-color"]
    done = subprocess.run([*command, *options, *phases], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested
    assert int(tested[1]) > 50
    assert server.anonymous.get("/health").json()["status"] == "ok"


def test_every_operation_says_what_it_is(operations):
    for method, path, operation in operations:
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)


def test_every_error_is_declared_in_the_one_shape(operations):
    for method, path, operation in operations:
        for status, answer in operation["responses"].items():
            schema = next(iter(answer.get("content", {}).values()), {}).get("schema", {})
            if status >= "400" and (path, status) != ("/api/v1/health", "503"):
                assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}, (method, path, status)


def test_every_operation_behind_the_gate_declares_that_it_may_refuse(openapi, operations):
    assert openapi["security"] == [{"bearer": []}, {"session": []}]
    for method, path, operation in operations:
        if operation.get("security") != []:
            assert {"401", "403"} <= set(operation["responses"]), (method, path)


def test_only_the_entrance_health_and_signing_in_are_open(operations):
    assert {(method, path) for method, path, operation in operations if operation.get("security") == []} == {
        ("GET", "/api/v1"),
        ("GET", "/api/v1/health"),
        ("POST", "/api/v1/auth/sync"),
    }


def test_every_parameter_and_field_of_a_body_is_explained_or_obvious(openapi, operations):
    obvious = {"name", "description", "email", "role", "action", "subject_type", "subject_id", "user_id", "key"}
    for method, path, operation in operations:
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "path" and parameter["name"] not in obvious:
                assert parameter.get("description"), (method, path, parameter["name"])
    for name, schema in openapi["components"]["schemas"].items():
        if schema.get("additionalProperties") is False and not name.startswith("Page_"):
            assert schema.get("description"), name


def test_the_example_of_a_workflow_can_be_sent(server):
    answer = server.client.post("/workflows", json={"definition": DEFINITION})
    assert answer.status_code == 201
    ran = server.client.post("/executions/execute", json={"workflow_id": answer.json()["id"], "params": {"name": "Ada"}})
    assert ran.json()["outputs"] == {"greet": {"text": "Hello Ada!"}}


def test_pages_and_webhooks_are_not_in_the_document(openapi):
    assert all(path.startswith("/api/v1") for path in openapi["paths"])


@pytest.mark.skipif(not os.path.exists(CHROMIUM), reason="no Chromium here: Debian's packages chromium and fonts-dejavu-core")
def test_the_documentation_page_asks_nobody_else(server):
    from playwright.sync_api import sync_playwright

    asked = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/docs?nbflow_token=the-token-of-the-tests")
        page.wait_for_selector("text=List workflows")
        page.click("text=List workflows")
        page.click("text=Try it out")
        page.click("text=Execute")
        page.wait_for_selector(".live-responses-table >> text=next_cursor")
        browser.close()
    assert f"{server.url}/api/v1/workflows?limit=50" in asked
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
