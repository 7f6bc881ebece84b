"""The widget as notebooks keep it: in a real kernel, headless, saved and read again."""

import json
import time

import nbformat
import pytest
from nbclient import NotebookClient

from nbflow import flow
from nbflow.core.flow import Edge, Flow, Node
from nbflow.define import load, new

from . import flows

CELLS = (
    """
import nbflow as nf
from nbflow import flow, node

@node
def numbers(count: int = 3) -> list:
    return list(range(count))

@node
def total(values: list) -> int:
    return sum(values)

@flow
def sums():
    return total(numbers())

canvas = sums.edit(height=300)
canvas
""",
    """
import time
canvas.session.receive({"kind": "command", "name": "run"})
while (canvas.statuses.get("execution") or {}).get("status") != "completed":
    time.sleep(0.05)
canvas
""",
    "sums.edit() is canvas",
)


@pytest.fixture
def saved(tmp_path):
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}, store_widget_state=True).execute()
    return notebook


def test_a_saved_notebook_shows_the_graph_and_is_small(saved):
    first, second, third = (cell.outputs for cell in saved.cells)
    assert "data:image/svg+xml;base64" in first[0].data["text/html"]
    assert first[0].data["text/plain"] == "<canvas of sums: 2 nodes>"
    assert "application/vnd.jupyter.widget-view+json" in first[0].data
    assert first[0].data["text/html"] != second[0].data["text/html"], "the second shows the statuses"
    assert third[0].data["text/plain"] == "True"
    state = json.dumps(saved.metadata.widgets)
    assert "sums" in state
    assert len(state) < 50_000


def edited(drawn, document):
    """As the browser does it."""
    drawn.edit()
    drawn._canvas.flow = document
    return drawn


def test_what_is_drawn_is_what_runs_until_it_is_reset():
    @flow
    def small():
        return flows.numbers(2)

    document = small.document.to_dict()
    document["nodes"][0]["config"]["args"] = {"count": 5}
    edited(small, document)
    assert small().result() == {"numbers": [0, 1, 2, 3, 4]}
    assert small.document.nodes[0].config["args"] == {"count": 5}
    small.reset()
    assert small().result() == {"numbers": [0, 1]}
    assert small._canvas.flow["nodes"][0]["config"]["args"] == {"count": 2}


def test_a_new_flow_is_drawn_from_nothing():
    drawn = new("drawn")
    document = Flow(name="drawn", nodes=(Node(id="start", type="trigger.manual", config={"sample": 4}),)).to_dict()
    edited(drawn, document)
    assert drawn().result() == {"start": 4}


def test_half_drawn_flows_run_as_they_last_were_right():
    drawn = new("drawn")
    right = Flow(name="drawn", nodes=(Node(id="start", type="trigger.manual", config={"sample": 4}),)).to_dict()
    edited(edited(drawn, right), {**right, "nodes": [{"id": "start"}]})
    assert drawn().result() == {"start": 4}


def test_a_file_is_saved_back_from_the_canvas(tmp_path):
    path = Flow(name="kept", nodes=(Node(id="start", type="trigger.manual"),)).save(tmp_path / "kept.flow.json")
    drawn = load(path)
    nodes = (Node(id="start", type="trigger.manual"), Node(id="wait", type="logic.wait", config={"duration": 0}))
    edited(drawn, Flow(name="kept", nodes=nodes, edges=(Edge(source="start", target="wait"),)).to_dict())
    assert "save" in drawn._canvas.options["capabilities"]
    drawn._canvas.session.receive({"kind": "command", "name": "save"})
    deadline = time.monotonic() + 10
    while [node.id for node in Flow.load(path).nodes] != ["start", "wait"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_browser_is_given_the_catalogue_and_the_code_when_it_asks(monkeypatch):
    sent = []
    canvas = new("asked").edit()
    monkeypatch.setattr(canvas, "send", sent.append)
    assert set(canvas.catalogue) <= {"version"}
    canvas._hear(canvas, {"kind": "ask", "id": "a", "question": "bundle", "ask": {}}, [])
    assert "ReactFlow" in sent[0]["answer"]["text"] or "react-flow" in sent[0]["answer"]["text"]
