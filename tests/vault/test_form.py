"""The form in a notebook: in a real kernel, in a saved notebook, in a browser."""

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
from playwright.sync_api import sync_playwright

from nbflow.vault.form import Form
from nbflow.vault.vault import Vault

from .traces import traces

CHROMIUM = "/usr/bin/chromium"
CANARY = "cnry-7Kq-Zx9wQ2mV-pL4"
CELLS = ("import nbflow as nf\nform = nf.credentials.add('crm', 'http_header')\nform", "nf.credentials", "print(form, form.status.value)")


@pytest.fixture
def environment(tmp_path):
    known = {name: value for name, value in os.environ.items() if not name.startswith("NBFLOW_")}
    places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    project = tmp_path / "work"
    project.mkdir()
    return {**known, **{name: str(tmp_path / name.lower()) for name in places}, "NBFLOW_PROJECT": str(project), "NBFLOW_STORE": "inline"}


def notebook():
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def kept(environment):
    """What the vault in the test's project holds of `crm`."""
    code = "from nbflow.runtime.runtime import runtime; print(runtime().vault.resolve('crm').reveal('value'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


def test_in_this_process_the_form_keeps_a_credential_and_forgets_it(store):
    vault = Vault(store, environment={})
    told = []
    form = Form(vault, "crm", "http_header", replace=False, saved=told.append)
    form.fields["name"].value = "X-Key"
    form.fields["value"].set_state({"value": CANARY})
    assert form.fields["value"].value == ""
    assert CANARY not in repr(form) + repr(form.fields["value"]) + str(form._repr_mimebundle_()) + str(form.fields["value"].get_state())
    form.save()
    assert vault.resolve("crm").reveal("value") == CANARY
    assert told == ["crm"]
    assert form.fields["value"].take() == ""


def test_what_is_wrong_is_said_under_the_form_without_the_value(store):
    form = Form(Vault(store, environment={}), "a b", "http_header", replace=False)
    form.fields["value"].set_state({"value": CANARY})
    form.save()
    assert "is no name for a credential" in form.status.value
    assert CANARY not in form.status.value
    assert "Run the cell again" in form._repr_mimebundle_()["text/html"]


def test_another_kind_asks_for_other_fields(store):
    form = Form(Vault(store, environment={}), "openai", None, replace=False)
    assert set(form.fields) == {"api_key", "base_url", "organization", "project"}
    form.kind.value = "generic"
    assert set(form.fields) == {"value"}


def test_changing_leaves_what_was_not_entered(store):
    vault = Vault(store, environment={})
    vault.add("crm", "http_header", {"name": "X-Key", "value": CANARY})
    form = Form(vault, "crm", "http_header", replace=True)
    form.fields["name"].value = "X-Other"
    form.save()
    assert (vault.resolve("crm").name, vault.resolve("crm").get("name"), vault.resolve("crm").reveal("value")) == ("crm", "X-Other", CANARY)


class Lab:
    def __init__(self, folder, environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = Path(environment["JUPYTERLAB_SETTINGS_DIR"])
        for plugin, content in {
            "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
            "@jupyterlab/notebook-extension/tracker": {"autoStartDefaultKernel": True},
        }.items():
            place, _, name = plugin.rpartition("/")
            (settings / place).mkdir(parents=True, exist_ok=True)
            (settings / place / f"{name}.jupyterlab-settings").write_text(json.dumps(content))
        options = ("--no-browser", "--ServerApp.token=t", f"--ServerApp.port={self.port}", f"--ServerApp.root_dir={folder}", "--allow-root")
        self.log = (folder.parent / "lab.log").open("w")
        self.process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token=t", timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "JupyterLab did not start"
                time.sleep(0.3)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


@pytest.fixture
def lab(environment, tmp_path):
    nbformat.write(notebook(), tmp_path / "work" / "form.ipynb")
    started = Lab(tmp_path / "work", environment)
    yield started
    started.close()


def test_in_a_browser_nothing_typed_is_saved_with_the_notebook(lab, environment, tmp_path):
    saved = tmp_path / "work" / "form.ipynb"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1400})
        page.goto(f"http://127.0.0.1:{lab.port}/doc/tree/form.ipynb?token=t", timeout=60_000)
        page.locator(".jp-Cell").first.wait_for(timeout=60_000)
        page.get_by_text("| Idle").wait_for(timeout=60_000)
        page.locator(".jp-Cell .cm-content").first.click()
        for _ in CELLS:
            page.keyboard.press("Shift+Enter")
        secret = page.locator("input[type=password]")
        secret.wait_for(timeout=30_000)
        page.screenshot(path=str(tmp_path / "form.png"))
        page.locator(".widget-text", has_text="name").locator("input").fill("X-Key")
        secret.fill(CANARY)
        secret.press("Tab")
        page.wait_for_function("() => document.querySelector('input[type=password]').value === ''", timeout=20_000)
        save(page, saved)
        between = saved.read_text()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("is kept, its value encrypted").wait_for(timeout=20_000)
        page.screenshot(path=str(tmp_path / "kept.png"))
        save(page, saved)
        after = saved.read_text()
        page.reload()
        page.locator("input[type=password]").wait_for(timeout=60_000)
        page.get_by_text("is kept, its value encrypted").wait_for(timeout=20_000)
        shown = page.content()
        browser.close()
    assert '"application/vnd.jupyter.widget-state+json"' in between
    assert "PasswordModel" in after
    assert [traces(CANARY, text.encode()) for text in (between, after, shown)] == [[], [], []]
    assert kept(environment) == CANARY


def save(page, file):
    """By the toolbar, and wait until it is on disk."""
    before = file.stat().st_mtime_ns
    page.locator("[data-jp-item-name='save']").click()
    deadline = time.monotonic() + 40
    while file.stat().st_mtime_ns == before or not file.read_text().endswith("}\n"):  # it is written in place
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
