"""Measures first paint, and frames a second while all statuses change ten times a second: python dev/bench.py. Needs `node build.mjs --dev` first."""

from __future__ import annotations

import http.server
import threading
from functools import partial
from statistics import median

from look import HERE, Quiet
from playwright.sync_api import sync_playwright

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HERE)))
threading.Thread(target=server.serve_forever, daemon=True).start()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
    for count in (50, 500, 2000):
        paints = []
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1400, "height": 700})
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html?height=680&flow={count}")
            page.wait_for_function("window.paintedMs")
            paints.append(page.evaluate("paintedMs"))
            page.wait_for_timeout(600)
            load = page.evaluate("load(3000)")
            page.close()
        print(f"{count:5} nodes  paint {median(paints):5.0f} ms  {load['fps']:3.0f} fps, worst frame {load['worst']:.0f} ms")
    browser.close()
server.shutdown()
