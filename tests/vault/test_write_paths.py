"""Every way to disk and screen asks the redactor."""

import io
import json
import logging
import sys
import threading

import pytest

from nbflow.core.current import current_node
from nbflow.core.events import NodeFinished, NodeLogged
from nbflow.core.flow import Flow, Node
from nbflow.core.redaction import redactor
from nbflow.core.values import preview
from nbflow.display import capture
from nbflow.display.bundle import mime_bundle
from nbflow.display.error import describe_error
from nbflow.display.state import ExecutionState
from nbflow.store.artifacts import LINE_BYTES

SECRET = "hunter-22/\"q'<&>-hunter"
MASK = "[redacted pg]"


@pytest.fixture
def known():
    redactor.learn(SECRET, name="pg")


@pytest.fixture
def captured():
    capture.install()
    yield
    capture.uninstall()


def test_a_journal_line_holds_no_secret_and_stays_json(known, in_files, tmp_path):
    record = {"k": "node", "execution_id": "x", "node_id": "n", "payload": {"preview": {SECRET: [SECRET, json.dumps(SECRET)]}, "odd": 2**70}}
    in_files.append([{"k": "flow", "name": "plain"}, record])
    [journal] = (tmp_path / ".nbflow" / "journal").iterdir()
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert lines[0] == {"k": "flow", "name": "plain"}
    assert lines[1]["payload"] == {"preview": {MASK: [MASK, f'"{MASK}"']}, "odd": 2**70}


def test_what_an_odd_object_says_of_itself_is_read_too(known, in_files, tmp_path):
    class Odd:
        def __repr__(self):
            return f"Odd({SECRET!r})"

    in_files.append([{"k": "node", "payload": {"value": Odd()}}])
    [journal] = (tmp_path / ".nbflow" / "journal").iterdir()
    assert json.loads(journal.read_bytes())["payload"]["value"] == f"Odd('{MASK}')"


def test_a_password_that_is_a_common_word_eats_no_fact_of_a_record(in_files, tmp_path):
    redactor.learn("completed", name="weak")
    in_files.append([{"k": "node", "status": "completed", "node_id": "completed", "payload": {"preview": "completed"}}])
    [journal] = (tmp_path / ".nbflow" / "journal").iterdir()
    assert json.loads(journal.read_bytes()) == {
        "k": "node",
        "status": "completed",
        "node_id": "completed",
        "payload": {"preview": "[redacted weak]"},
    }


def test_what_is_too_large_for_a_line_is_redacted_before_it_becomes_a_file(known, in_files, tmp_path):
    in_files.append([{"k": "node", "execution_id": "x", "payload": {"bundle": [SECRET] * LINE_BYTES}}])
    artifacts = [path for path in (tmp_path / ".nbflow" / "artifacts").rglob("*") if path.is_file()]
    assert len(artifacts) == 1
    assert set(json.loads(artifacts[0].read_bytes())["bundle"]) == {MASK}


def test_an_artifact_is_kept_without_the_secret(known, store):
    digest = store.artifacts.save(b"\xff binary " + SECRET.encode() + b" \xfe")
    assert store.artifacts.open(digest) == b"\xff binary " + MASK.encode() + b" \xfe"


def test_a_transaction_writes_no_secret(known, store):
    settings = json.dumps({"a": SECRET})
    store.transact(
        [("INSERT INTO workflows (id, name, settings) VALUES (gen_random_uuid(), $name, $settings::JSON)", {"name": SECRET, "settings": settings})]
    )
    [(name, kept)] = store.query("SELECT name, settings FROM workflows").rows
    assert (name, json.loads(kept)) == (MASK, {"a": MASK})


@pytest.mark.parametrize(
    "value",
    [
        "x" * 245 + SECRET + "y" * 30,
        {"x" * 60 + SECRET: 1},
        SECRET.encode(),
        [["z" * 70 + SECRET]],
        Exception("w" * 250 + SECRET),
        threading.Thread(name="t" * 200 + SECRET + "u" * 200),
    ],
)
def test_a_preview_that_is_cut_leaves_no_part(known, value):
    shown = json.dumps(preview(value))
    assert not any(part in shown for part in ("hunter", SECRET.encode()[:10].hex()))


def test_tables_are_cut_without_leaving_a_part(known):
    import pandas as pd

    frame = pd.DataFrame({"a": ["v" * 72 + SECRET, SECRET], SECRET: [1, 2], "plain": ["v" * 15 + SECRET] * 2})
    assert "hunter" not in json.dumps([mime_bundle(frame), preview(frame), mime_bundle(frame["a"])])


def test_an_error_is_described_without_the_secret(known):
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError("m" * 7990 + SECRET) from cause
    except ValueError as error:
        record = describe_error(error)
    assert "hunter" not in f"{record}"
    assert "KeyError" in record.traceback


def test_writes_of_single_characters_are_seen_as_the_line_they_make(known):
    state = ExecutionState(Flow(name="f", nodes=(Node(id="n", type="python.function"),)))
    for character in f"it is {SECRET}":
        state(NodeLogged("e", "n", (), 0, "stdout", "info", character))
    state(NodeFinished("e", "n", "python.function", (), "completed", 1, 0, 0, preview=SECRET, bundle={"text/html": f"<b>{SECRET}</b>"}))
    assert "hunter" not in state.html() + state.text()
    assert MASK in state.html()


def test_outside_of_nodes_the_streams_and_the_handlers_hear_no_secret(known, captured, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", capture.NodeStream("stdout", stream))
    print("printed", SECRET)
    assert stream.getvalue() == f"printed {MASK}\n"
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logger = logging.getLogger("written.to.a.file")
    logger.addHandler(handler)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("logged %s", SECRET)
        logger.error("plain %s", 1)
    logger.removeHandler(handler)
    assert "hunter" not in heard.getvalue()
    assert f"logged {MASK}" in heard.getvalue()
    assert f"ValueError: {MASK}" in heard.getvalue()
    assert "plain 1" in heard.getvalue()


def test_inside_of_a_node_the_users_own_handlers_hear_no_secret(known, captured, tmp_path):
    class Output:
        figures = None
        lines: list = []  # noqa: RUF012

        def log(self, message, level="info"):
            self.lines.append(message)

    handler = logging.FileHandler(tmp_path / "user.log")
    logger = logging.getLogger("inside")
    logger.addHandler(handler)
    token = current_node.set(Output())
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("logged %s", SECRET)
    finally:
        current_node.reset(token)
        logger.removeHandler(handler)
        handler.close()
    assert "hunter" not in (tmp_path / "user.log").read_text() + "".join(Output.lines)
    assert f"ValueError: {MASK}" in (tmp_path / "user.log").read_text()
    assert f"ValueError: {MASK}" in Output.lines[0]
