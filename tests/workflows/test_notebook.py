"""Cells as Python."""

from __future__ import annotations

import ast
import json

import pytest

from nbflow.core.errors import DocumentError
from nbflow.workflows.notebook import read_cell, read_cells


def code(source):
    cell = read_cell("nb.ipynb, cell 1", source)
    return ast.unparse(ast.Module(body=list(cell.body), type_ignores=[]))


def test_python_stays_as_it_is():
    assert read_cell("a", "x = 1  # one\n").source == "x = 1  # one\n"


def test_line_magics_become_calls():
    assert code("%matplotlib inline\nx = 1") == "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1"


def test_cell_magics_of_other_languages_are_empty_and_timed_cells_are_python():
    assert code("%%bash\necho x") == ""
    timed = read_cell("a", "%%time\nx = 1")
    assert timed.body[0].lineno == 2


def test_a_cell_that_cannot_be_read_says_why():
    cell = read_cell("a", "def broken(:")
    assert cell.body == ()
    assert cell.error.startswith("line 1: ")


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 1}', '{"cells": [{}]}'])
def test_what_is_no_notebook_is_explained(tmp_path, text):
    path = tmp_path / "nb.ipynb"
    path.write_text(text)
    with pytest.raises(DocumentError, match="is no notebook"):
        read_cells(path)


def test_code_cells_are_counted(tmp_path):
    path = tmp_path / "nb.ipynb"
    made = [{"cell_type": kind, "source": ["x = 1\n", "y = 2"]} for kind in ("code", "markdown", "code")]
    path.write_text(json.dumps({"cells": made}))
    assert [(cell.name, len(cell.body)) for cell in read_cells(path)] == [("nb.ipynb, cell 1", 2), ("nb.ipynb, cell 2", 2)]
