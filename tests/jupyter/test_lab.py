"""The extension in JupyterLab and Notebook 7, used as a person does: real server, real browser. Pictures go to out/screenshots."""

from __future__ import annotations

import json

import pytest
from lab import MISSING, Lab, started
from playwright.sync_api import expect

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

expect.set_options(timeout=20_000)

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
NAME = {"type": "string", "description": "Who is greeted"}
HOOK = {"id": "hook", "type": "trigger.webhook", "config": {"path": "/orders"}}
ORDERS = {
    "nbflow": 1,
    "name": "orders",
    "parameters": {"type": "object", "properties": {"name": NAME, "times": {"type": "integer", "default": 3}}, "required": ["name"]},
    "nodes": [HOOK, {"id": "hold", "type": "logic.wait", "config": {"duration": 0.1}}],
    "edges": [{"source": "hook", "source_port": "output", "target": "hold", "target_port": "input"}],
}
LONG = {"nbflow": 1, "name": "long", "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 60}}]}
BROKEN = {"nbflow": 1, "name": "broken", "nodes": [{"id": "read", "type": "data.csv", "config": {"operation": "parse", "path": "missing.csv"}}]}


@pytest.fixture(scope="module", params=THEMES)
def lab(request, tmp_path_factory):
    """JupyterLab, light and dark."""
    with started(tmp_path_factory.mktemp("lab"), theme=THEMES[request.param]) as opened:
        opened.theme = request.param
        yield opened


@pytest.fixture(autouse=True)
def _begins_with_nothing_open(request):
    if "lab" not in request.fixturenames:
        yield
        return
    lab = request.getfixturevalue("lab")
    lab.errors.clear()
    lab.open("lab", "reset")
    lab.page.wait_for_selector(".jp-Launcher")
    yield
    assert lab.errors == []


def test_a_flow_is_made_drawn_saved_reloaded_run_and_undone(lab: Lab):
    page = lab.page
    page.locator(".jp-LauncherCard", has_text="Flow").click()
    page.wait_for_selector('[data-type="logic.wait"]')
    page.locator(".nbf-pane").focus()
    page.keyboard.press("a")
    page.keyboard.type("manual")
    page.keyboard.press("Enter")
    expect(lab.node("manual")).to_be_visible()
    page.get_by_role("button", name="Wait", exact=True).click()
    page.get_by_label("Duration", exact=True).fill("0.2")
    page.get_by_label("Duration", exact=True).press("Tab")
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(300)
    lab.connect("manual", "wait")
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty", has_text="untitled.flow.json")).to_have_count(1)

    page.locator(".nbf-pane").focus()
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    saved = lab.document("untitled.flow.json")
    assert [node["id"] for node in saved["nodes"]] == ["manual", "wait"]
    assert [(edge["source"], edge["target"]) for edge in saved["edges"]] == [("manual", "wait")]
    assert saved["nodes"][1]["config"] == {"duration": "PT0.2S"}

    page.reload()
    page.wait_for_selector(".react-flow__node", timeout=60_000)
    expect(lab.node("wait")).to_be_visible()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    page.get_by_role("button", name="Run all").click()
    expect(page.locator(".nbf-canvas").get_by_text("completed").first).to_be_visible()
    lab.look(f"lab-run-{lab.theme}")

    lab.node("wait").click()
    page.locator(".nbf-pane").focus()
    page.keyboard.press("Delete")
    expect(lab.node("wait")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(lab.node("wait")).to_have_count(1)


def test_keys_of_the_canvas_stay_there_and_other_views_follow(lab: Lab):
    page = lab.page
    (lab.root / "kept.flow.json").write_text(json.dumps(LONG | {"mine": {"kept": True}}))
    lab.execute("docmanager:open", path="kept.flow.json", factory="Flow canvas")
    expect(lab.node("hold")).to_be_visible()
    lab.execute("docmanager:clone")
    expect(page.locator('.react-flow__node[data-id="hold"]:visible')).to_have_count(2)
    pane = page.locator(".nbf-pane:visible").last
    page.locator('.react-flow__node[data-id="hold"]:visible').last.click()
    pane.focus()
    page.keyboard.press("Control+d")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+s")  # at once: what was done last is saved too
    expect(page.locator('.react-flow__node[data-id="hold_2"]:visible')).to_have_count(2)
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    saved = lab.document("kept.flow.json")
    assert saved["mine"] == {"kept": True}
    assert [node["id"] for node in saved["nodes"]] == ["hold", "hold_2"]
    page.keyboard.press("Delete")
    expect(page.locator('.react-flow__node[data-id="hold_2"]:visible')).to_have_count(0)
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).not_to_have_count(0)
    lab.execute("docmanager:reload")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.locator('.react-flow__node[data-id="hold_2"]:visible')).to_have_count(2)


def test_a_file_that_is_no_flow_is_told_and_left_alone(lab: Lab):
    (lab.root / "other.flow.json").write_text('{"something": "else"}')
    lab.execute("docmanager:open", path="other.flow.json", factory="Flow canvas")
    expect(lab.page.get_by_text('it has no key "nbflow"')).to_be_visible()
    assert (lab.root / "other.flow.json").read_text() == '{"something": "else"}'


def test_the_panel_shows_what_there_is_and_runs_cancels_and_repeats_it(lab: Lab):
    page = lab.page
    lab.execute("nbflow:show-panel")
    panel = page.locator("#nbflow-panel")
    with lab.jupyter.client() as client:
        assert client.post("api/v1/workflows", json={"definition": ORDERS, "active": True}).status_code == 201
        client.post("api/v1/executions/execute", json={"workflow_id": "new", "definition": BROKEN})
        client.post("api/v1/executions/execute", json={"workflow_id": "new", "definition": LONG, "mode": "queue"})
        base = client.get("server").json()["url"]
    panel.get_by_title("Look again").click()
    expect(panel.get_by_text("POST /orders")).to_be_visible()
    panel.get_by_label("Copy the URL of POST /orders").click()
    expect(page.locator(".Toastify")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{base}/webhooks/orders"

    expect(panel.get_by_label("Cancel long")).to_be_visible()
    lab.look(f"lab-panel-{lab.theme}")
    panel.get_by_label("Cancel long").click()
    expect(panel.get_by_label("Run long again")).to_be_visible()

    panel.get_by_label("Run orders", exact=True).click()
    page.get_by_label("name *").fill("Ada")
    lab.look(f"lab-ask-{lab.theme}")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    view = page.locator(".nbl-page:visible")
    expect(view.locator("dd").first).to_have_text("completed")
    expect(view.locator(".nbl-value[open]")).to_contain_text('"name": "Ada"')

    panel.get_by_label("Filter executions by text").fill("broken")
    expect(panel.locator("[aria-label=Executions] li")).to_have_count(1)
    panel.locator("button.nbl-main").first.press("Enter")
    expect(page.locator(".nbl-page:visible").get_by_role("alert")).to_contain_text("missing.csv")
    lab.look(f"lab-execution-{lab.theme}")
    panel.get_by_label("Filter executions by text").fill("")
    panel.get_by_label("Filter executions by status").select_option("cancelled")
    expect(panel.locator("[aria-label=Executions] .nbl-name")).to_have_text(["long"])
    panel.get_by_label("Filter executions by status").select_option("")


def test_the_dashboard_opens_beside_and_is_live(lab: Lab):
    lab.execute("nbflow:open-dashboard")
    frame = lab.page.frame_locator("iframe.jp-IFrame-frame, .jp-IFrame iframe")
    expect(frame.get_by_label("Switch between light and dark")).to_be_visible(timeout=40_000)
    with lab.jupyter.client() as client:
        client.post("api/v1/executions/execute", json={"workflow_id": "new", "definition": LONG | {"name": "seen live"}, "mode": "queue"})
    expect(frame.get_by_text("seen live")).to_be_visible()
    lab.look(f"lab-dashboard-{lab.theme}")


def test_a_node_becomes_a_cell_of_the_notebook(lab: Lab):
    page = lab.page
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "1 + 1"}
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    (lab.root / "work.ipynb").write_text(json.dumps({"cells": [cell], "metadata": spec, "nbformat": 4, "nbformat_minor": 5}))
    lab.execute("docmanager:open", path="work.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    lab.execute("nbflow:insert-node")
    page.get_by_label("Search node types").fill("csv")
    expect(page.locator("#nbl-types li")).to_have_count(1)
    lab.look(f"lab-insert-{lab.theme}")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)
    expect(page.locator(".jp-Notebook .jp-Cell").last).to_contain_text("nf.nodes.data.csv(")
