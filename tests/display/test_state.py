from __future__ import annotations

import pytest
from story import EXECUTION, START, finished, orders_events, orders_flow

from nbflow.core import events
from nbflow.core.flow import Flow, Node
from nbflow.display.state import ExecutionState
from nbflow.display.transcript import MAX_LINES, Transcript


@pytest.fixture
def flow():
    return Flow(name="one", nodes=(Node(id="a", type="python.function"),))


def test_events_become_statuses_and_short_texts():
    state = ExecutionState(orders_flow()).update(orders_events())

    assert state.status == "failed"
    assert state.statuses["send"] == "failed"
    assert state.statuses["nothing_to_do"] == "skipped"
    assert state.details["enrich"].endswith("3 · 240 ms")
    assert state.done == 11


def test_a_failed_round_makes_a_loops_node_failed_even_if_later_rounds_went_well(flow):
    state = ExecutionState(flow)
    error = events.ErrorRecord("ValueError", "round 0")

    state.update([finished("a", "x", "failed", path=(0,), error=error), finished("a", "x", path=(1,))])

    assert state.statuses == {"a": "failed"}
    assert "round 0" in state.html()


def test_a_node_that_updates_its_display_shows_only_the_last_form(flow):
    def shown(text, **notes):
        return events.NodeDisplayed(EXECUTION, "a", (), {"text/plain": text}, {"nbflow": notes})

    state = ExecutionState(flow).update([shown("10 %", display_id="d", update=False), shown("20 %", display_id="d", update=True)])

    assert "20 %" in state.html()
    assert "10 %" not in state.html()


def test_clearing_output_forgets_what_a_node_showed(flow):
    state = ExecutionState(flow).update(
        [
            events.NodeLogged(EXECUTION, "a", (), START, "stdout", "info", "old\n"),
            events.NodeDisplayed(EXECUTION, "a", (), {}, {"nbflow": {"clear": True}}),
            events.NodeLogged(EXECUTION, "a", (), START, "stdout", "info", "new\n"),
        ]
    )

    assert [line.text for line in state.nodes["a"].output] == ["new"]


def test_what_still_runs_at_the_end_was_cancelled(flow):
    state = ExecutionState(flow).update(
        [
            events.NodeStarted(EXECUTION, "a", (), START),
            events.ExecutionFinished(EXECUTION, "one", "cancelled", START, 5),
        ]
    )

    assert state.statuses == {"a": "cancelled"}


def test_text_of_users_is_escaped_in_the_page(flow):
    state = ExecutionState(flow).update(
        [
            events.NodeLogged(EXECUTION, "a", (), START, "stdout", "info", "<script>alert(1)</script>\n"),
            finished("a", "<i>", "failed", error=events.ErrorRecord("<E>", "<img src=x>", "<pre>")),
        ]
    )

    for text in ("<script>", "<i>", "<E>", "<img src=x>"):
        assert text not in state.html()


def test_the_plain_form_names_failures():
    text = ExecutionState(orders_flow()).update(orders_events()).text()

    assert text.startswith("✕ daily-orders failed in 3.91 s: 11 of 11 nodes")
    assert "RemoteError: mail server answered 451" in text


def test_a_progress_bar_leaves_its_last_state():
    transcript = Transcript()
    for number in range(5):
        transcript.write("stderr", f"\r{number * 25} %")
    transcript.write("stderr", "\ndone\n")

    assert [line.text for line in transcript] == ["100 %", "done"]


def test_terminal_colours_are_removed():
    transcript = Transcript()
    transcript.write("stdout", "\x1b[31mred\x1b[0m\n")

    assert [line.text for line in transcript] == ["red"]


def test_only_the_last_lines_are_kept():
    transcript = Transcript()
    for number in range(1000):
        transcript.write("stdout", f"{number}\n")

    assert len(list(transcript)) == MAX_LINES
    assert transcript.dropped == 1000 - MAX_LINES
