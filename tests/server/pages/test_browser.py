"""The page of executions as people see it: a real server, a real browser."""

from __future__ import annotations

import os
import re
import socket
from contextlib import contextmanager

import httpx
import pytest
from open_pages import load, plug, token_of, until
from playwright.sync_api import expect, sync_playwright
from serving import serving
from websockets.exceptions import InvalidStatus

from nbflow import flow, node
from nbflow.core.flow import Flow
from nbflow.core.states import Role

CHROMIUM = "/usr/bin/chromium"
expect.set_options(timeout=30_000)  # milliseconds; machines that run tests are busy
TOKEN = "the-token-of-the-tests"

pytestmark = pytest.mark.skipif(not os.path.exists(CHROMIUM), reason="no Chromium here: Debian's packages chromium and fonts-dejavu-core")


def workflow(server, name, *nodes, edges=()):
    """A published workflow with a webhook at /NAME in front of these nodes."""
    hook = {"id": "hook", "type": "trigger.webhook", "config": {"path": f"/{name}", "response_mode": "last_node"}}
    document = {"nbflow": 1, "name": name, "nodes": [hook, *nodes], "edges": [{"source": "hook", "target": nodes[0]["id"]}, *edges]}
    return server.state.workflows.create(Flow.from_dict(document), active=True)


def waiting(duration):
    return {"id": "wait", "type": "logic.wait", "config": {"duration": duration}}


def failing():
    return {"id": "divide", "type": "action.transform", "config": {"mode": "expression", "expression": "1 / 0"}}


def call(server, name, **body):
    return httpx.post(f"{server.url}/webhooks/{name}", json=body, timeout=30)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def visiting(chromium, server, *, path="/executions", scheme="light", width=1280, refused=False):
    """A page after signing in by the printed address. Afterwards: nothing was asked of anybody else, nothing went wrong in the browser.

    `refused`: the browser may complain that it was kept from something.
    """
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    foreign, faults = [], []
    context.on("request", lambda request: None if request.url.startswith((server.url, "data:", "blob:")) else foreign.append(request.url))
    page = context.new_page()
    page.on("websocket", lambda socket: None if f":{server.port}/" in socket.url else foreign.append(socket.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    context.on("requestfailed", lambda request: foreign.remove(request.url) if request.failure == "csp" else None)  # it never left
    try:
        page.goto(f"{server.url}{path}{'&' if '?' in path else '?'}nbflow_token={TOKEN}")
        yield page
    finally:
        context.close()
    assert not foreign
    assert refused or not faults


def row(page, name):
    return page.locator("tbody tr", has_text=name)


def test_the_token_address_signs_in_and_disappears(chromium, server):
    with visiting(chromium, server) as page:
        expect(page).to_have_title("Executions - nbflow")
        assert page.url == f"{server.url}/executions"


def test_an_empty_project_is_told_what_to_do(chromium, fresh_server):
    server = fresh_server()
    with visiting(chromium, server) as page:
        expect(page.get_by_role("heading", name="No executions yet")).to_be_visible()
        expect(page.locator("pre")).to_contain_text('flow.publish(webhook="/hello")')
        expect(page.locator("pre")).to_contain_text(f"curl -X POST {server.url}/webhooks/hello")


def test_executions_appear_while_webhooks_arrive(chromium, server):
    workflow(server, "arriving", {"id": "same", "type": "action.transform", "config": {"mode": "expression", "expression": "input"}})
    with visiting(chromium, server) as page:
        expect(page.locator(".queue")).to_contain_text("running")
        for count in (1, 3):
            while row(page, "arriving").count() < count:
                assert call(server, "arriving", n=count).status_code == 200
                expect(row(page, "arriving").first).to_contain_text("completed")
                page.wait_for_timeout(700)
        expect(row(page, "arriving").first).to_contain_text("POST /arriving")


def test_a_running_execution_is_cancelled_from_the_page(chromium, server):
    endless = workflow(server, "endless", waiting("PT1H"))
    answer = server.client.post("/executions/execute", json={"workflow_id": str(endless.id), "mode": "queue"})
    assert answer.status_code in {200, 201, 202}, answer.text
    with visiting(chromium, server) as page:
        expect(row(page, "endless")).to_contain_text("running")
        row(page, "endless").click()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(row(page, "endless")).to_contain_text("cancelled")
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
        expect(page.locator(".notice")).to_contain_text("Cancelled.")
    assert "execution.cancelled" in [entry["action"] for entry in server.client.get("/audit-logs").json()["items"]]


def test_a_failed_execution_shows_why_and_runs_again(chromium, server):
    workflow(server, "broken", failing())
    call(server, "broken", n=1)
    with visiting(chromium, server) as page:
        expect(row(page, "broken")).to_contain_text("failed")
        row(page, "broken").click()
        story = page.frame_locator("iframe.story")
        expect(story.locator("body")).to_contain_text("division by zero")
        first = re.search(r"#(.+)", page.url)[1]
        page.get_by_role("button", name="Run again").click()
        expect(row(page, "broken")).to_have_count(2)
        expect(page.locator(".facts")).to_contain_text(f"run again after {first[:8]}")


def test_an_address_with_an_id_opens_that_execution(chromium, server):
    workflow(server, "linked", {"id": "same", "type": "action.transform", "config": {"mode": "expression", "expression": "input"}})
    call(server, "linked", n=1)
    [execution] = [one for one in server.client.get("/executions").json()["items"] if one["flow"] == "linked"]
    id_ = execution["id"] if "id" in execution else execution["execution_id"]
    with visiting(chromium, server) as page:
        expect(row(page, "linked")).to_be_visible()
        page.goto(f"{server.url}/executions#{id_}")
        page.reload()
        expect(page.locator(".head code")).to_have_text(id_)
        page.keyboard.press("Escape")


def test_the_list_is_filtered_by_status_and_text(chromium, server):
    workflow(server, "filtered", failing())
    workflow(server, "unfiltered", {"id": "same", "type": "action.transform", "config": {"mode": "expression", "expression": "input"}})
    call(server, "filtered", n=1)
    call(server, "unfiltered", n=1)
    with visiting(chromium, server) as page:
        expect(row(page, "unfiltered")).to_be_visible()
        page.get_by_role("button", name="Failed").click()
        expect(row(page, "unfiltered")).to_have_count(0)
        expect(row(page, "filtered").first).to_be_visible()
        page.get_by_role("button", name="All").click()
        page.get_by_role("searchbox").fill("unfil")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("searchbox").fill("nothing is called like this")
        expect(page.get_by_role("heading", name="No execution like that")).to_be_visible()


class Drawn:
    """What a hostile flow could show."""

    def _repr_html_(self):
        return (
            "<b>drawn</b><img src='http://192.0.2.1/spy.png' onerror='parent.document.title=1'><script>parent.document.title=2</script>"
            "<a href='javascript:parent.document.title=3'>here</a><style>@import 'http://192.0.2.1/spy.css'</style>"
        )


@node
def draw() -> object:
    return Drawn()


@flow
def drawing():
    return draw()


def test_what_a_flow_draws_runs_no_script_and_loads_nothing(chromium, server):
    server.state.runtime.start(drawing.prepare()).result(30)
    with visiting(chromium, server, refused=True) as page:
        row(page, "drawing").first.click()
        story = page.frame_locator("iframe.story")
        expect(story.locator("b", has_text="drawn")).to_be_visible()
        story.get_by_text("here").click()
        page.wait_for_timeout(500)
        expect(page).to_have_title("Executions - nbflow")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 700])
def test_it_is_readable_in_light_and_dark_wide_and_narrow(chromium, server, scheme, width, tmp_path):
    workflow(server, f"look-{scheme}-{width}", failing())
    call(server, f"look-{scheme}-{width}", n=1)
    with visiting(chromium, server, scheme=scheme, width=width) as page:
        expect(row(page, f"look-{scheme}-{width}")).to_contain_text("failed")
        page.screenshot(path=str(tmp_path / "list.png"))
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert _contrast(page, "tbody td .flow") > 7
        assert _contrast(page, "tbody td.muted.started") > 4.5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        row(page, f"look-{scheme}-{width}").click()
        expect(page.frame_locator("iframe.story").locator("body")).to_contain_text("division by zero")
        page.screenshot(path=str(tmp_path / "detail.png"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Close").click()
        expect(page.locator("iframe.story")).to_be_hidden()


def test_the_button_changes_the_theme_and_the_browser_remembers(chromium, server):
    with visiting(chromium, server) as page:
        page.get_by_role("button", name="Switch between light and dark").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_page_comes_back_after_the_server_was_away(chromium, tmp_path):
    context = chromium.new_context()
    page = context.new_page()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with serving(tmp_path / "project", "--port", port, NBFLOW_SERVER_TOKEN=TOKEN) as first:
        page.goto(f"{first.url}/executions?nbflow_token={TOKEN}")
        expect(page.get_by_role("heading", name="No executions yet")).to_be_visible()
    expect(page.locator(".lost")).to_be_visible()
    with serving(tmp_path / "project", "--port", port, NBFLOW_SERVER_TOKEN=TOKEN):
        expect(page.locator(".lost")).to_be_hidden(timeout=30_000)
        expect(page.get_by_role("heading", name="No executions yet")).to_be_visible()
        context.close()


def test_a_page_of_another_site_cannot_open_the_websocket(server):
    token = load(server)
    for origin in ("https://evil.example.org", "null"):
        with pytest.raises(InvalidStatus) as refused, plug(server, token, Origin=origin):
            pass
        assert refused.value.response.status_code == 403
    with plug(server, token, Origin=server.url) as page:
        assert page.recv()


def test_a_viewer_sees_but_does_not_act(chromium, server):
    seen = workflow(server, "looked-at", waiting("PT1H"))
    started = server.client.post("/executions/execute", json={"workflow_id": str(seen.id), "mode": "queue"})
    directory = server.state.directory
    organization = directory.default().organization.id
    user = directory.invite(organization, "vic@example.org", Role.VIEWER).user
    _, key = directory.create_key(organization, user.id, "browser")
    context = chromium.new_context(extra_http_headers={"Authorization": f"Bearer {key}"})
    page = context.new_page()
    page.goto(f"{server.url}/executions")
    row(page, "looked-at").click()
    expect(page.frame_locator("iframe.story").locator("body")).to_contain_text("looked-at")
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
    context.close()
    id_ = started.json().get("execution_id") or started.json()["id"]
    assert server.client.post(f"/executions/{id_}/cancel").status_code == 200


def test_two_hundred_opened_and_closed_pages_leave_nothing(server):
    until(lambda: server.state.pages.sessions == 0)
    for _ in range(200):
        document = server.client.get(f"{server.url}/executions").text
        with plug(server, token_of(document)) as page:
            page.recv()
    until(lambda: server.state.pages.sessions == 0)
    site = server.state.pages._site
    assert not site._owners
    assert not site._live._watched


def test_pages_closed_by_a_browser_leave_nothing(chromium, server):
    for _ in range(3):
        with visiting(chromium, server) as page:
            expect(page.locator(".filters")).to_be_visible()
            page.reload()
    until(lambda: server.state.pages.sessions == 0)


_LUMINANCE = """element => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  let behind = element;
  let ground;
  do {
    ground = parse(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement || (behind.getRootNode().host);
  } while (behind && ground[3] === 0);
  const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground)].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
}"""


def _contrast(page, selector):
    """As WCAG 2 defines it, of an element's text on what lies behind it."""
    return page.locator(selector).first.evaluate(_LUMINANCE)
