from __future__ import annotations

import threading
from pathlib import Path

SETUP = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import threading, time
from story import orders_events, orders_flow, finished
from nbflow.core import events
from nbflow.display.view import LiveView
"""


def test_a_view_follows_its_execution_in_the_cell_that_showed_it(kernel):
    kernel.run(SETUP)
    first = kernel.run("view = LiveView(orders_flow()); told = orders_events(); view")

    second = kernel.run("""
def run():
    for event in told:
        view(event); time.sleep(0.05)
threading.Thread(target=run).start()
time.sleep(3)
""")

    assert first.displays[0]["text/plain"].startswith("○ daily-orders pending")
    assert len(first.ids[0]) == 32
    assert second.displays == []
    assert 3 <= len(second.updates) <= 15
    assert second.updates[-1]["text/plain"].startswith("✕ daily-orders failed in 3.91 s")


def test_a_flood_of_events_stays_within_the_message_budget(kernel):
    kernel.run(SETUP)

    cell = kernel.run("""
view = LiveView(orders_flow()); view.display()
view(orders_events()[0])
end = time.monotonic() + 2
while time.monotonic() < end:
    view(events.NodeProgressed("x", "fetch_orders", (), 0.5, "busy"))
""")

    assert 4 <= len(cell.updates) <= 13


def test_flushing_sends_the_end_before_the_cell_is_done(kernel):
    kernel.run(SETUP)

    cell = kernel.run("view = LiveView(orders_flow()); view.display(); [view(event) for event in orders_events()]; view.flush()")

    assert cell.updates[-1]["text/plain"].startswith("✕ daily-orders failed")


def test_a_view_can_be_shown_again_after_the_end(kernel):
    kernel.run(SETUP)
    kernel.run("view = LiveView(orders_flow()); [view(event) for event in orders_events()]")

    cell = kernel.run("view")

    assert cell.displays[0]["text/plain"].startswith("✕ daily-orders failed")
    assert kernel.run("print([t.name for t in threading.enumerate() if t.name == 'nbflow-display'])").text == "[]\n"


def test_outside_of_notebooks_the_text_form_is_printed(capsys):
    from story import orders_events, orders_flow

    from nbflow.display.view import LiveView

    view = LiveView(orders_flow())
    for event in orders_events():
        view(event)
    view.display()

    assert capsys.readouterr().out.startswith("✕ daily-orders failed in 3.91 s")


def test_an_object_that_prints_when_it_is_collected_does_not_stop_the_view():
    from story import EXECUTION, START, orders_flow

    from nbflow.core import events
    from nbflow.display.view import LiveView

    view = LiveView(orders_flow())

    class Collected(dict):
        def get(self, *_):
            view(events.NodeLogged(EXECUTION, "clean", (), START, "stdout", "info", "closed\n"))

    thread = threading.Thread(target=view, args=(events.NodeDisplayed(EXECUTION, "clean", (), {"text/plain": "x"}, Collected()),), daemon=True)
    thread.start()
    thread.join(timeout=10)

    assert not thread.is_alive()
    assert "closed" in view.html()
