"""The extension in Notebook 7: a browser of its own, since two of Playwright's cannot be open at a time."""

from __future__ import annotations

import json

import pytest
from lab import MISSING, started
from playwright.sync_api import expect

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

LONG = {"nbflow": 1, "name": "long", "nodes": [{"id": "hold", "type": "logic.wait", "config": {"duration": 60}}]}


def test_flows_open_on_the_canvas_and_run(tmp_path):
    with started(tmp_path, app="notebook") as notebook:
        page = notebook.page
        (notebook.root / "held.flow.json").write_text(json.dumps(LONG))
        page.goto(f"{notebook.jupyter.url}edit/held.flow.json?factory=Flow+canvas&token={notebook.jupyter.token}")
        expect(page.locator('.react-flow__node[data-id="hold"]')).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Run all").click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=20_000)
        page.wait_for_timeout(300)
        notebook.look("notebook7-canvas")
        assert notebook.errors == []
