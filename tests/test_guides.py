"""The guides that publish or draw: run as their reader runs them, in a kernel with a history of its cells."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def told(cell):
    return [output.get("text") or json.dumps(output.get("data", {}).get("text/plain")) for output in cell.outputs]


@pytest.mark.parametrize("name", ["04-publish", "05-canvas"])
def test_a_guide_runs_and_gives_what_it_shows(name, tmp_path):
    guide = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
    shown = {cell.id: told(cell) for cell in guide.cells if cell.source.startswith("# NBVAL_CHECK_OUTPUT")}
    assert shown
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NBFLOW_")}
    NotebookClient(guide, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute(env=environment)
    assert {cell.id: told(cell) for cell in guide.cells if cell.id in shown} == shown
