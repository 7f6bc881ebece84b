"""Works the canvas as a person does, in a browser, and checks what came of it: python dev/drive.py. Needs `node build.mjs --dev` first."""

from __future__ import annotations

import http.server
import sys
import threading
from functools import partial
from typing import Any

from look import HERE, Quiet
from playwright.sync_api import Page, expect, sync_playwright


def node(page: Page, name: str) -> Any:
    """The card of a node."""
    return page.locator(f'.react-flow__node[data-id="{name}"]')


def flow(page: Page) -> Any:
    """The document as the host has it."""
    return page.evaluate(
        "(() => { const f = host.flow.get(); return {ids: f.nodes.map(n => n.id), edges: f.edges.map(e => `${e.source}.${e.source_port}>${e.target}.${e.target_port}`), layout: f.layout, nodes: Object.fromEntries(f.nodes.map(n => [n.id, n])), notes: f.notes} })()"
    )


def port(page: Page, name: str, handle: str, side: str) -> tuple[float, float]:
    """The middle of a port."""
    box = page.locator(f'.react-flow__handle.{side}[data-nodeid="{name}"][data-handleid="{handle}"]').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_timeout(150)


def middle(box: Any) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def builds_by_keyboard_alone(page: Page) -> None:
    pane = page.locator(".nbf-pane")
    pane.focus()
    page.keyboard.press("a")
    page.keyboard.type("manual")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.keyboard.type("http")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert flow(page)["edges"] == ["manual.output>http.input"], flow(page)
    page.keyboard.press("F2")
    page.keyboard.type("load")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert flow(page)["ids"] == ["manual", "load"], flow(page)["ids"]
    page.keyboard.press("Control+d")
    assert flow(page)["ids"] == ["manual", "load", "load_2"]
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    assert flow(page)["ids"] == ["manual", "load", "load_2"]
    page.keyboard.press("Control+y")
    assert flow(page)["ids"] == ["manual", "load"]
    page.keyboard.press("d")
    page.keyboard.press("Control+z")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def leaks_no_key(page: Page) -> None:
    page.evaluate(
        "window.heard = []; document.addEventListener('keydown', e => e.key === 'Control' || heard.push((e.ctrlKey ? 'Ctrl+' : '') + e.key))"
    )
    page.locator(".nbf-pane").focus()
    for key in [
        "b",
        "Escape",
        "x",
        "d",
        "d",
        "m",
        "y",
        "z",
        "0",
        "Enter",
        "Escape",
        "Shift+Enter",
        "Control+Enter",
        " ",
        "ArrowDown",
        "Backspace",
        "Control+z",
    ]:
        page.keyboard.press("Space" if key == " " else key)
    page.get_by_label("Find a node type").focus()
    page.keyboard.type("dd")
    assert page.evaluate("heard") == [], page.evaluate("heard")
    page.locator(".nbf-pane").focus()
    page.keyboard.press("Control+s")
    assert page.evaluate("heard").count("Ctrl+s") == 1
    before = flow(page)["ids"]
    page.evaluate("document.activeElement.blur(); host.flow.get()")
    node(page, "fetch").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Backspace")
    assert flow(page)["ids"] == before


def connects_by_mouse(page: Page) -> None:
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(200)
    start, end = port(page, "remind", "output", "source"), port(page, "answer", "input", "target")
    drag(page, start, end)
    assert "remind.output>answer.input" in flow(page)["edges"], flow(page)["edges"]
    expect(page.locator(".nbf-toast")).to_contain_text("Replaced")
    # onto a node's body: its first free port
    drag(page, port(page, "fetch", "output", "source"), middle(node(page, "remind").bounding_box()))
    assert "fetch.output>remind.input" in flow(page)["edges"], flow(page)["edges"]
    # onto nothing: what comes next
    start = port(page, "answer", "output", "source")
    drag(page, start, (start[0] - 40, start[1] + 150))
    expect(page.get_by_role("dialog", name="What comes after answer?")).to_be_visible()
    page.keyboard.type("wait")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert "answer.output>wait.input" in flow(page)["edges"]


def drags_from_the_list(page: Page) -> None:
    target = page.locator(".nbf-pane").bounding_box()
    page.locator('[data-type="data.csv"]').drag_to(page.locator(".nbf-pane"), target_position={"x": target["width"] / 2, "y": target["height"] - 60})
    page.wait_for_timeout(200)
    assert "csv" in flow(page)["ids"]
    page.locator('[data-type="data.json"]').click()
    page.wait_for_timeout(100)
    assert "json" in flow(page)["ids"]
    boxes = [node(page, name).bounding_box() for name in ("csv", "json")]
    assert boxes[0] != boxes[1]


def moves_and_drops_into_a_loop(page: Page) -> None:
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(300)
    before = flow(page)["layout"]
    x, y = middle(node(page, "every_day").bounding_box())
    drag(page, (x, y), (x, y + 80))
    assert flow(page)["layout"].get("every_day") != before.get("every_day")
    loop = node(page, "each_order").bounding_box()
    drag(page, middle(node(page, "remind").bounding_box()), (loop["x"] + loop["width"] / 2, loop["y"] + loop["height"] - 12))
    assert flow(page)["nodes"]["remind"]["parent"] == "each_order", flow(page)["nodes"]["remind"]
    page.locator(".nbf-pane").press("Control+z")
    assert flow(page)["nodes"]["remind"]["parent"] is None


def selects_several_with_shift(page: Page) -> None:
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(200)
    pane = page.locator(".nbf-pane").bounding_box()
    page.keyboard.down("Shift")
    drag(page, (pane["x"] + 5, pane["y"] + 20), (pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] - 60))
    page.keyboard.up("Shift")
    count = page.locator(".nbf-selected").count()
    assert count >= 3, count
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    page.wait_for_timeout(200)
    assert any(name.endswith("_2") for name in flow(page)["ids"]), flow(page)["ids"]


def fills_in_a_form(page: Page) -> None:
    page.locator(".nbf-pane").press("f")
    node(page, "answer").click()
    expect(page.locator('[data-field="status"] .nbf-problem')).to_be_visible()
    page.get_by_label("Status", exact=True).fill("201")
    page.keyboard.press("Tab")
    expect(page.locator('[data-field="status"] .nbf-problem')).to_have_count(0)
    assert flow(page)["nodes"]["answer"]["config"]["status"] == 201
    headers = page.locator('[data-field="headers"]')
    headers.get_by_role("button", name="Headers: add one").click()
    page.keyboard.type("x-day")
    page.keyboard.press("Enter")
    headers.get_by_label("Headers: x-day").fill("{{ params.day }}")
    page.wait_for_timeout(300)
    assert flow(page)["nodes"]["answer"]["config"]["headers"] == {"x-day": "{{ params.day }}"}
    body = page.get_by_label("Body", exact=True)
    body.click()
    body.press_sequentially("{{ nodes.cl")
    expect(page.get_by_role("option", name="clean")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert flow(page)["nodes"]["answer"]["config"]["body"] == "{{ nodes.clean", flow(page)["nodes"]["answer"]["config"]
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Try again when it fails").check()
    page.get_by_label("Max tries").fill("7")
    page.get_by_label("Time limit").fill("5 min")
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    settings = flow(page)["nodes"]["answer"]["settings"]
    assert settings["retry"]["max_tries"] == 7, settings
    assert settings["timeout"] == "PT300S", settings
    # a union: auth of the HTTP request keeps the credential from one shape to the next
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(200)
    node(page, "fetch").click()
    page.get_by_role("tab", name="Configure").click()
    page.get_by_label("Auth", exact=True).select_option(label="Basic")
    assert flow(page)["nodes"]["fetch"]["config"]["auth"] == {"type": "basic", "credential": "shop"}, flow(page)["nodes"]["fetch"]["config"]
    page.get_by_role("button", name="Undo: change fetch").click()
    assert flow(page)["nodes"]["fetch"]["config"]["auth"]["type"] == "bearer"


def runs_and_shows_what_came(page: Page) -> None:
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_role("button", name="Stop the execution")).to_be_visible()
    page.wait_for_timeout(3200)
    expect(page.locator(".nbf-run-failed")).to_contain_text("failed at check")
    page.locator(".nbf-run-failed").click()
    expect(page.locator(".nbf-error")).to_contain_text("too much")
    page.locator(".nbf-pane").press("f")
    page.wait_for_timeout(200)
    node(page, "clean").dblclick()
    wide = page.get_by_role("dialog", name="Node clean")
    expect(wide).to_be_visible()
    wide.get_by_role("tab", name="Rich").click()
    expect(wide.frame_locator("iframe").locator("body")).to_contain_text("scripts draw")
    page.keyboard.press("Escape")
    expect(wide).to_have_count(0)
    page.locator(".nbf-pane").press("p")
    assert page.evaluate("Object.keys(host.pins.get())") == ["clean"]
    expect(node(page, "clean").locator(".nbf-pinned")).to_be_visible()
    page.get_by_label("Execution that is shown").select_option("old-1")
    assert page.evaluate("host.commands.at(-1)") == {"name": "show_execution", "execution_id": "old-1"}


def writes_a_note(page: Page) -> None:
    page.locator(".nbf-pane").press("Shift+N")
    page.keyboard.type("remember")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert any(note["text"] == "remember" for note in flow(page)["notes"].values()), flow(page)["notes"]


def changes_nothing_when_read_only(page: Page) -> None:
    before = flow(page)
    page.locator(".nbf-pane").focus()
    for key in ["a", "Control+a", "Delete", "Control+d", "l", "g", "Shift+N", "d"]:
        page.keyboard.press(key)
    assert flow(page) == before
    assert page.locator(".nbf-palette").count() == 0


CHECKS = [
    (builds_by_keyboard_alone, "flow=empty"),
    (builds_by_keyboard_alone, "flow=empty&shadow"),
    (leaks_no_key, ""),
    (connects_by_mouse, ""),
    (connects_by_mouse, "shadow"),
    (drags_from_the_list, ""),
    (moves_and_drops_into_a_loop, ""),
    (selects_several_with_shift, ""),
    (fills_in_a_form, ""),
    (runs_and_shows_what_came, ""),
    (writes_a_note, ""),
    (changes_nothing_when_read_only, "readonly"),
]


def main() -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HERE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        for check, query in CHECKS:
            if len(sys.argv) > 1 and check.__name__ not in sys.argv[1:]:
                continue
            page = browser.new_page(viewport={"width": 1400, "height": 760})
            page.set_default_timeout(5000)
            expect.set_options(timeout=3000)
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html?height=720&{query}")
            page.wait_for_timeout(600)
            try:
                check(page)
                assert not errors, errors
                print("ok  ", check.__name__, query)
            except Exception as error:  # noqa: BLE001  the others shall run too
                failed += 1
                page.screenshot(path=f"/tmp/failed_{check.__name__}.png")
                print("FAIL", check.__name__, query, type(error).__name__, str(error)[:600], errors[:2])
            page.close()
        browser.close()
    server.shutdown()
    return failed


if __name__ == "__main__":
    sys.exit(main())
