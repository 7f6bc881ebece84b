"""Notebooks as targets: magics, tags, broken cells, errors with the cell's name."""

HEAD = "from nbflow import flow, node"
NODE = "@node\ndef one() -> int:\n    return VALUE"
FLOW = "@flow\ndef job():\n    return one()"


def outputs(project, *cells):
    project.notebook("nb.ipynb", *cells)
    done = project.nbflow("run", "nb.ipynb:job", "--json")
    assert done.code == 0, done.err
    return done.json["outputs"]


def test_magics_do_no_harm(project):
    cells = (HEAD + "\n%matplotlib inline\n!echo hello", "%%bash\necho not python", "%%time\nVALUE = 5", "%timeit 1 + 1\nx = 3", NODE, FLOW)
    assert outputs(project, *cells) == {"one": 5}


def test_a_cell_tagged_nbflow_skip_is_left_out(project):
    assert outputs(project, HEAD, "VALUE = 1", ("VALUE = 2", ["nbflow-skip"]), NODE, FLOW) == {"one": 1}


def test_a_later_assignment_counts_as_in_the_notebook(project):
    assert outputs(project, HEAD, "VALUE = 1", NODE, FLOW, "VALUE = 2") == {"one": 2}


def test_top_level_await_of_something_else_than_a_flow_runs(project):
    assert outputs(project, HEAD, "import asyncio\nVALUE = await asyncio.sleep(0, 7)", NODE, FLOW) == {"one": 7}


def test_future_annotations_hold_in_later_cells(project):
    assert outputs(project, "from __future__ import annotations", HEAD, "VALUE = 1\ndef unused(x: NotDefined): ...", NODE, FLOW) == {"one": 1}


def test_modules_beside_the_notebook_are_found(project):
    project.write("deep/helper.py", "VALUE = 9")
    project.notebook("deep/nb.ipynb", HEAD, "from helper import VALUE", NODE, FLOW)
    assert project.nbflow("run", "deep/nb.ipynb:job", "--json").json["outputs"] == {"one": 9}


def test_a_function_of_a_notebook_runs_in_a_process_too(project):
    node = NODE.replace("@node", "@node(where='process')")
    assert outputs(project, HEAD, "VALUE = 4", node, FLOW) == {"one": 4}


def test_an_error_while_defining_names_cell_and_line(project):
    project.notebook("nb.ipynb", HEAD, "numbers = {}\nVALUE = numbers['missing']", NODE, FLOW)
    done = project.nbflow("run", "nb.ipynb:job")
    assert done.code == 2
    assert "nb.ipynb, cell 2, line 2" in done.err
    assert "KeyError: 'missing'" in done.err


def test_an_error_in_a_node_shows_the_cells_line(project):
    project.notebook("nb.ipynb", HEAD, "VALUE = 1", NODE.replace("VALUE", "VALUE / 0"), FLOW)
    done = project.nbflow("run", "nb.ipynb:job")
    assert done.code == 1
    assert "nb.ipynb, cell 3, line 3" in done.err
    assert "return VALUE / 0" in done.err


def test_a_name_that_no_cell_defines_is_refused_before_anything_runs(project):
    project.notebook("nb.ipynb", HEAD, NODE, FLOW)
    done = project.nbflow("run", "nb.ipynb:job")
    assert done.code == 2
    assert "'VALUE' is used, but no cell defines it" in done.err


def test_an_unknown_flow_lists_what_there_is_and_cells_that_cannot_be_read(project):
    project.notebook("nb.ipynb", HEAD, NODE, FLOW, "def broken(:")
    done = project.nbflow("run", "nb.ipynb:jbo")
    assert done.code == 2
    assert "did you mean 'job'?" in done.err
    assert "nb.ipynb, cell 4, line 1" in done.err


def test_a_flow_is_found_by_its_given_name(project):
    project.notebook("nb.ipynb", HEAD, "VALUE = 1", NODE, "@flow(name='nightly')\ndef job():\n    return one()")
    assert project.nbflow("run", "nb.ipynb:nightly", "--json").json["flow"] == "nightly"
