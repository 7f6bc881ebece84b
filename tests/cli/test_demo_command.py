"""`nbflow demo`: the first guide from end to end, and its errors."""

import json

import pytest

from nbflow.core.errors import NbflowError
from nbflow.demo import run_demo


def test_the_demo_runs_and_says_what_was_made_and_where_to_look(project):
    done = project.nbflow("demo", timeout_s=300)
    assert done.code == 0, done.out + done.err
    assert "completed" in done.out
    assert "out/00-start.ipynb" in done.out
    assert "executions" in done.out
    notebook = json.loads((project.folder / "out" / "00-start.ipynb").read_text())
    assert any(cell.get("outputs") for cell in notebook["cells"])


def test_a_failing_guide_is_reported_and_kept(project, monkeypatch, tmp_path):
    guides = tmp_path / "guides"
    project.folder = guides
    project.notebook("00-start.ipynb", "1 + 1", "1 / 0")
    monkeypatch.setattr("nbflow.demo.guides", lambda: guides)
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    told = []
    done = run_demo(tmp_path / "out", timeout_s=60, tell=lambda *facts: told.append(facts))
    assert "ZeroDivisionError" in done.error
    assert done.notebook.exists()
    assert told[0] == (1, 2, "1 + 1", None)


def test_a_folder_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NbflowError, match="--out"):
        run_demo(tmp_path / "file" / "out", timeout_s=60, tell=lambda *_: None)
