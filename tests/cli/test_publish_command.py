"""`nbflow publish`."""

from cli_project import NOTEBOOK


def test_a_flow_of_a_notebook_is_published(project):
    project.notebook("deep/guide.ipynb", *NOTEBOOK)
    done = project.nbflow("publish", "deep/guide.ipynb:table", "--webhook", "/table", "--tag", "a", "--comment", "the first", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["name"], found["version"], found["active"], found["tags"], found["triggers"]) == ("table", 1, True, ["a"], ["POST /webhooks/table"])
    assert found["module"]["folder"] == "deep"
    entry = found["module"]["files"][found["module"]["entry"]]
    assert "FACTOR = 10" in entry
    assert "RuntimeError" not in entry
    assert "await table" not in entry


def test_a_flow_of_a_file_brings_its_modules(project):
    project.write(
        "deep/jobs.py",
        "import part\nfrom nbflow import flow, node\n@node\ndef one() -> int:\n    return part.ONE\n@flow\ndef job():\n    return one()\n",
    )
    project.write("deep/part.py", "ONE = 1\n")
    done = project.nbflow("publish", "deep/jobs.py")
    assert done.code == 0, done.err
    assert "workflow 'job', version 1: published" in done.out
    project.write("deep/part.py", "ONE = 2\n")
    assert "version 2: published" in project.nbflow("publish", "deep/jobs.py").out
    assert "-ONE = 1\n+ONE = 2" in project.nbflow("workflows", "diff", "job").out


def test_a_flow_document_is_published(project):
    project.write("a.flow.json", '{"nbflow": 1, "name": "a", "nodes": [{"id": "start", "type": "trigger.manual"}]}')
    assert project.nbflow("publish", "a.flow.json", "--name", "other", "--schedule", "@daily", "--inactive").code == 0
    (found,) = project.nbflow("workflows", "list", "--json").json
    assert (found["name"], found["active"], found["module"], found["triggers"]) == ("other", False, None, ["schedule 0 0 * * * (UTC)"])


def test_what_cannot_be_published_is_explained(project):
    cells = [cell if "FACTOR = 10" not in cell else "import os" for cell in NOTEBOOK]
    project.notebook("nb.ipynb", *cells)
    done = project.nbflow("publish", "nb.ipynb:table")
    assert done.code == 2
    assert "nb.ipynb, cell 3, line 4: 'FACTOR' is used, but no cell defines it" in done.err
    done = project.nbflow("publish", "jobs.py:wrong")
    assert done.code == 2
    assert "node 'http', field 'method'" in done.err
    done = project.nbflow("publish", "jobs.py:total", "--schedule", "soon")
    assert done.code == 2
    assert "no cron expression" in done.err


def test_a_clash_of_webhooks_is_explained(project):
    assert project.nbflow("publish", "jobs.py:total", "--webhook", "/a/:x").code == 0
    done = project.nbflow("publish", "jobs.py:failing", "--webhook", "/a/:y")
    assert done.code == 2
    assert "POST /a/:y is answered by the active workflow 'total' already" in done.err
