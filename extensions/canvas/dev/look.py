"""Takes pictures of the dev page: python dev/look.py /tmp/shots [name ...]. Needs `node build.mjs --dev` first."""

from __future__ import annotations

import http.server
import sys
import threading
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent


def run(page: Page) -> None:
    page.get_by_role("button", name="Run all").first.click()
    page.wait_for_timeout(3200)


def select(page: Page, node: str) -> None:
    page.locator(f'[data-node="{node}"] .nbf-card-id').first.click()
    page.wait_for_timeout(300)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).first.click()
    page.wait_for_timeout(400)


def wide(page: Page, node: str) -> None:
    select(page, node)
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)


SHOTS = {
    "light": ("", []),
    "dark": ("theme=dark", [run]),
    "ran": ("", [run]),
    "form": ("", [lambda page: select(page, "fetch")]),
    "form_dark": ("theme=dark", [lambda page: select(page, "enrich")]),
    "function": ("", [lambda page: select(page, "clean")]),
    "settings": ("", [lambda page: select(page, "fetch"), lambda page: tab(page, "Settings")]),
    "about": ("", [lambda page: select(page, "fetch"), lambda page: tab(page, "About")]),
    "data": ("", [run, lambda page: select(page, "clean"), lambda page: tab(page, "Data")]),
    "error": ("", [run, lambda page: select(page, "check"), lambda page: tab(page, "Data")]),
    "wide": ("", [run, lambda page: wide(page, "clean")]),
    "wide_dark": ("theme=dark", [run, lambda page: wide(page, "gather")]),
    "low": ("height=420&width=900", [run, lambda page: select(page, "fetch")]),
    "narrow": ("height=420&width=700", [lambda page: select(page, "fetch")]),
    "empty": ("flow=empty&height=420", []),
    "five_hundred": ("flow=500", [lambda page: page.evaluate("load(1200)")]),
    "sixty": ("flow=60&theme=dark", []),
    "help": ("", [lambda page: page.locator(".nbf-pane").press("?")]),
    "next": ("", [lambda page: select(page, "answer"), lambda page: page.keyboard.press("n")]),
    "code": ("", [lambda page: page.get_by_role("button", name="The flow as Python code").click()]),
    "problems": ("", [lambda page: page.get_by_role("button", name="daily-orders").click(), lambda page: tab(page, "Problems")]),
    "flow": ("", [lambda page: page.get_by_role("button", name="daily-orders").click()]),
    "shadow": ("shadow&theme=dark", [run]),
    "zoomed": (
        "",
        [
            run,
            lambda page: page.locator(".nbf-pane").press("0"),
            lambda page: select(page, "paid"),
            lambda page: [page.keyboard.press("ArrowRight") for _ in range(2)],
            lambda page: page.keyboard.press("]"),
        ],
    ),
    "webhook": ("flow=empty", [lambda page: page.locator('[data-type="trigger.webhook"]').click()]),
    "if": ("flow=empty&theme=dark", [lambda page: page.locator('[data-type="logic.if"]').click()]),
    "file": ("flow=empty", [lambda page: page.locator('[data-type="data.file"]').click()]),
    "expression": (
        "",
        [
            run,
            lambda page: select(page, "enrich"),
            lambda page: page.get_by_label("Value", exact=True).first.press("End"),
            lambda page: page.get_by_label("Value", exact=True).first.fill("{{ item."),
        ],
    ),
    "many": ("", [lambda page: page.locator(".nbf-pane").press("Control+a")]),
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Tells nothing of each request."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    handler = partial(Quiet, directory=str(HERE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        for name in names or SHOTS:
            query, steps = SHOTS[name]
            page = browser.new_page(viewport={"width": 1280, "height": 660})
            page.on("console", lambda message: message.type == "error" and print(name, "console:", message.text[:300]))
            page.on("pageerror", lambda error: print(name, "error:", str(error)[:300]))
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html?{query}")
            page.wait_for_timeout(700)
            try:
                for step in steps:
                    step(page)
                page.wait_for_timeout(250)
            except Exception as error:  # noqa: BLE001  a picture of where it stopped says more
                print(name, "stopped:", str(error)[:400])
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
