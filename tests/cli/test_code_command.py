"""`nbflow code`."""

import json

from cli_project import NOTEBOOK


def test_a_document_is_printed_as_python_that_draws_it(project):
    node = {"id": "start", "type": "trigger.manual", "config": {"sample": 1}}
    project.write("x.flow.json", json.dumps({"nbflow": 1, "name": "x", "nodes": [node]}))
    done = project.nbflow("code", "x.flow.json")
    assert done.code == 0
    assert done.out == (
        'import nbflow as nf\nfrom nbflow import flow\n\n\n@flow\ndef x():\n    nf.nodes.trigger.manual.options(id="start")(sample=1)\n'
    )
    project.write("again.py", done.out)
    assert project.nbflow("check", "again.py", "--json").json == {"ok": True, "flows": [{"flow": "x", "problems": []}]}
    assert project.nbflow("code", "again.py").out == done.out


def test_functions_of_a_file_are_imported_and_those_of_a_notebook_written_with_what_they_need(project):
    assert "from jobs import add\n" in project.nbflow("code", "jobs.py:total").out
    project.notebook("guide.ipynb", *NOTEBOOK)
    code = project.nbflow("code", "guide.ipynb:table", "--json").json
    assert code["flow"] == "table"
    assert code["code"].startswith("import pandas as pd\n\nfrom nbflow import flow, node\n\n\nFACTOR = 10\n")
    assert code["code"].endswith("\n\n\n@flow\ndef table(count: int = 3):\n    return rows(count)\n")


def test_an_exported_workflow_is_printed_without_executing_its_code(project):
    module = {"entry": "p.py", "files": {"p.py": "raise SystemExit\n\n\n@node\ndef one():\n    return 1\n"}, "functions": {"__main__:one": "one"}}
    module["ports"] = {"__main__:one": {"inputs": [], "outputs": ["output"], "join": "all"}}
    node = {"id": "one", "type": "python.function", "config": {"function": "__main__:one"}}
    project.write("x.flow.json", json.dumps({"nbflow": 1, "name": "x", "nodes": [node], "module": module}))
    done = project.nbflow("code", "x.flow.json")
    assert done.code == 0
    assert "raise SystemExit\n\n\n@node\ndef one():\n    return 1\n\n\n@flow\ndef x():\n    one()\n" in done.out


def test_what_code_cannot_draw_is_an_error_that_names_node_and_field(project):
    node = {"id": "start", "type": "no.such"}
    project.write("x.flow.json", json.dumps({"nbflow": 1, "name": "x", "nodes": [node]}))
    done = project.nbflow("code", "x.flow.json")
    assert done.code == 2
    assert "node 'start', field 'type'" in done.err
