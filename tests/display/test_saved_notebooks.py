from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
CELL = """
import sys; sys.path.insert(0, TESTS)
from story import orders_events, orders_flow
from nbflow.display.view import LiveView
view = LiveView(orders_flow())
view.display()
for event in orders_events():
    view(event)
view.flush()
"""


@pytest.fixture
def saved(tmp_path) -> Path:
    """A notebook as papermill leaves it: executed by a machine, trusted by nobody."""
    cells = [nbformat.v4.new_code_cell(CELL.replace("TESTS", repr(str(Path(__file__).parent))))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, timeout=120).execute()
    path = tmp_path / "work" / "saved.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    return path


class Lab:
    def __init__(self, root: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        names = (
            "JUPYTER_CONFIG_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "IPYTHONDIR",
        )
        self.places = {name: root / name.lower() for name in names}
        self.log = (root / "lab.log").open("w")
        options = ("--no-browser", "--ServerApp.token=t", f"--ServerApp.port={self.port}", f"--ServerApp.root_dir={folder}", "--allow-root")
        env = {**os.environ, **{name: str(place) for name, place in self.places.items()}}
        self.process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token=t", timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "JupyterLab did not start"
                time.sleep(0.3)

    def settings(self, theme: str) -> None:
        folder = self.places["JUPYTERLAB_SETTINGS_DIR"] / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
        (folder / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


@pytest.fixture
def lab(tmp_path, saved):
    started = Lab(tmp_path, saved.parent)
    yield started
    started.close()


def test_a_saved_notebook_holds_the_final_view_in_one_output(saved):
    notebook = nbformat.read(saved, as_version=4)

    [output] = notebook.cells[0].outputs
    assert output.data["text/plain"].startswith("✕ daily-orders failed in 3.91 s")
    assert "mail server answered 451" in output.data["text/html"]
    assert "<svg" not in output.data["text/html"]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_an_untrusted_notebook_shows_the_view_in_both_themes(lab, tmp_path, theme):
    lab.settings(theme)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1900})
        page.goto(f"http://127.0.0.1:{lab.port}/doc/tree/saved.ipynb?token=t", timeout=60_000)
        output = page.locator(".jp-OutputArea-output").first
        output.wait_for(timeout=60_000)
        picture = output.locator("img").first
        page.wait_for_function("image => image.complete && image.naturalWidth > 300", arg=picture.element_handle(), timeout=30_000)
        page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached", timeout=30_000)
        page.wait_for_timeout(1500)

        assert output.evaluate("node => node.closest('.jp-OutputArea-output').dataset.mimeType") == "text/html"
        sections = output.locator("details")
        assert sections.count() == 7
        assert [section.locator("summary span").nth(1).inner_text() for section in sections.all() if section.get_attribute("open") is not None] == [
            "plot",
            "send",
        ]
        chip = output.locator("span", has_text="failed").first
        assert chip.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(229, 72, 77)"
        assert output.locator("pre").last.evaluate("node => getComputedStyle(node).backgroundColor") != "rgba(0, 0, 0, 0)"
        page.screenshot(path=str(tmp_path / f"{theme.split()[-1].lower()}.png"))
        for section in sections.all():
            section.evaluate("node => { node.open = true }")
        page.screenshot(path=str(tmp_path / f"{theme.split()[-1].lower()}-open.png"))
        browser.close()
