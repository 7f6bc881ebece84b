"""JupyterLab in Chromium, for tests that use it as a person does."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conftest import LABEXTENSION, REPOSITORY, Jupyter, end_owner, launch
from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCREENSHOTS = REPOSITORY / "out" / "screenshots"
CHROMIUM = shutil.which("chromium")
MISSING = "no chromium" if CHROMIUM is None else None if LABEXTENSION.is_dir() else "the front end is not built (node extensions/build.mjs)"
_FLAGS = {"lab": "--LabApp.expose_app_in_browser=True", "notebook": "--JupyterNotebookApp.expose_app_in_browser=True"}
_HARMLESS = ("404", "Failed to load resource", "schema", "filebrowser:open-path")  # Notebook 7 logs the last two by itself


class Lab:
    """A server, and a page of it."""

    def __init__(self, jupyter: Jupyter, page: Page, errors: list[str]) -> None:
        self.jupyter = jupyter
        self.page = page
        self.errors = errors
        self.root: Path = jupyter.root

    def open(self, path: str = "lab", query: str = "") -> Page:
        """Waits until the application has started."""
        self.page.goto(f"{self.jupyter.url}{path}?{query}&token={self.jupyter.token}")
        self.page.wait_for_function("window.jupyterapp && window.jupyterapp.commands.hasCommand('nbflow:new')", timeout=60_000)
        self.page.evaluate("window.jupyterapp.restored")
        return self.page

    def execute(self, command: str, **args: Any) -> None:
        """One of the application's commands."""
        self.page.evaluate("([id, args]) => { void window.jupyterapp.commands.execute(id, args) }", [command, args])

    def node(self, name: str) -> Any:
        """The card of a node on the canvas."""
        return self.page.locator(f'.jp-MainAreaWidget:not(.lm-mod-hidden) .react-flow__node[data-id="{name}"]')

    def connect(self, source: str, target: str, *, output: str = "output", target_port: str = "input") -> None:
        """Drags an edge from port to port."""
        ends = [
            self.page.locator(f'.react-flow__handle.{side}[data-nodeid="{name}"][data-handleid="{port}"]').bounding_box()
            for name, port, side in ((source, output, "source"), (target, target_port, "target"))
        ]
        (x, y), (to_x, to_y) = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in ends]
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=4)
        self.page.mouse.move(to_x, to_y, steps=4)
        self.page.mouse.up()

    def document(self, path: str) -> dict[str, Any]:
        """A flow as it lies on the disk."""
        return json.loads((self.root / path).read_text())

    def look(self, name: str) -> None:
        """A picture, for people."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@contextmanager
def started(home: Path, *, app: str = "lab", theme: str = "JupyterLab Light") -> Iterator[Lab]:
    """Ends server and browser afterwards."""
    _set(home, "@jupyterlab/apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False})
    _set(home, "@jupyterlab/apputils-extension/themes", {"theme": theme})
    environment = {f"JUPYTERLAB_{name.upper()}_DIR": str(home / name) for name in ("settings", "workspaces")}
    jupyter = launch(home, app, _FLAGS[app], environment=environment)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            context = browser.new_context(viewport={"width": 1400, "height": 860})
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("dialog", lambda dialog: dialog.accept())  # leaving what is not saved
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)) if not any(one in str(error) for one in _HARMLESS) else None)
            page.on(
                "console", lambda told: errors.append(told.text) if told.type == "error" and not any(one in told.text for one in _HARMLESS) else None
            )
            opened = Lab(jupyter, page, errors)
            try:
                yield opened
            except Exception:
                opened.look("failed")
                raise
            browser.close()
    finally:
        jupyter.stop()
        end_owner(jupyter.root)


def _set(home: Path, plugin: str, settings: dict[str, Any]) -> None:
    file = home / "settings" / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings))
