"""What of an execution's events is kept."""

from __future__ import annotations

from concurrent.futures import Future

import nbflow as nf
from nbflow import flow, node
from nbflow.core.events import NodeDisplayed, NodeFinished, NodeLogged
from nbflow.display.capture import DISPLAY
from nbflow.runtime.recorder import LOG_CHARACTERS, Recorder


class Kept:
    def __init__(self):
        self.records = []

    def submit(self, records):
        self.records += records
        done = Future()
        done.set_result(None)
        return done


def recorded(*events):
    """The payload that is kept of one node which told these events."""
    store = Kept()
    recorder = Recorder("e", store, [])
    for event in (*events, NodeFinished("e", "n", "python", (), "completed", 1, 0, 1)):
        recorder(event)
    recorder.flush().result(0)
    return store.records[-1]["payload"]


def wrote(text, stream="stdout", level="info"):
    return NodeLogged("e", "n", (), 7, stream, level, text)


def shown(text, **notes):
    return NodeDisplayed("e", "n", (), {"text/plain": text}, {DISPLAY: notes} if notes else {})


def test_neighbouring_writes_to_one_stream_are_joined():
    logs = recorded(wrote("a"), wrote("b\n"), wrote("x", "stderr", "warn"), wrote("c"), wrote("one", "log"), wrote("two", "log"))["logs"]

    assert [(entry["stream"], entry["text"]) for entry in logs] == [
        ("stdout", "ab\n"),
        ("stderr", "x"),
        ("stdout", "c"),
        ("log", "one"),
        ("log", "two"),
    ]


def test_only_the_last_characters_of_a_long_output_are_kept_and_how_many_went_is_said():
    said, *kept = recorded(*(wrote(f"{number:05}\n") for number in range(50_000)))["logs"]
    text = "".join(entry["text"] for entry in kept)

    assert len(text) == LOG_CHARACTERS
    assert text.endswith("49998\n49999\n")
    assert said["text"] == f"({300_000 - LOG_CHARACTERS} earlier characters were not kept)"


def test_one_write_longer_than_all_that_is_kept_keeps_its_end():
    said, entry = recorded(wrote("x" * 100_000 + "end"))["logs"]

    assert (len(entry["text"]), entry["text"][-3:], said["level"]) == (LOG_CHARACTERS, "end", "warn")


def test_a_node_that_prints_without_end_costs_no_more_memory_than_is_kept():
    recorder = Recorder("e", Kept(), [])
    for _ in range(100):
        for _ in range(100):
            recorder(wrote("x" * 1000))
        recorder.flush()

    assert sum(entry.characters for logs in recorder._logs.values() for entry in logs._entries) < 2 * LOG_CHARACTERS


def test_an_updated_display_is_kept_in_its_last_form_however_often_it_was_updated():
    updates = [shown(f"{number} %", display_id="bar", update=True) for number in range(100)]
    displays = recorded(shown("0 %", display_id="bar", update=False), shown("other"), *updates)["displays"]

    assert [entry["data"]["text/plain"] for entry in displays] == ["99 %", "other"]


def test_clear_output_forgets_what_was_shown_before_in_the_history_too():
    payload = recorded(wrote("old"), shown("old"), NodeDisplayed("e", "n", (), {}, {DISPLAY: {"clear": True}}), wrote("new"))

    assert [entry["text"] for entry in payload["logs"]] == ["new"]
    assert not payload.get("displays")


@node
def numbers() -> list[int]:
    return list(range(60))


@node(on_error="continue")
def third(number: int) -> int:
    if number == 30:
        raise ValueError("thirty")
    return number


@flow
def looping():
    return nf.foreach(numbers(), lambda number: third(number))


def test_of_a_loop_the_first_twenty_iterations_the_failures_and_the_last_are_recorded(in_memory):
    looping().result(20)

    paths = nf.sql("select path from execution_logs where node_id = 'third' order by seq").path.astype(int).tolist()
    assert paths == [*range(20), 30, 59]
