"""`nbflow run`: results, parameters, exit codes, cancelling."""

import json
import os
import signal
import subprocess
import time

import pytest
from cli_project import COMMAND, NOTEBOOK


def test_a_flow_of_a_python_file_runs_and_its_output_is_on_stdout(project):
    done = project.nbflow("run", "jobs.py:total", "-p", "first=2", "-p", "second=40")
    assert done.code == 0
    assert "add = 42" in done.out
    assert "completed total" in done.err


def test_a_flow_of_a_module_runs(project):
    assert "add = 3" in project.nbflow("run", "jobs:total", "-p", "first=2", "-q").out


def test_a_flow_of_a_notebook_runs_without_the_notebooks_own_runs_and_errors(project):
    project.notebook("guide.ipynb", *NOTEBOOK)
    done = project.nbflow("run", "guide.ipynb:table", "-p", "count=2", "--json")
    assert done.code == 0
    assert done.json["outputs"] == {"rows": [{"n": 0}, {"n": 10}]}
    assert "only shows" not in done.err
    executions = project.nbflow("executions", "--json").json
    assert [row["flow"] for row in executions] == ["table"]


def test_the_only_flow_of_a_notebook_needs_no_name(project):
    project.notebook("guide.ipynb", *NOTEBOOK)
    done = project.nbflow("run", "guide.ipynb")
    assert done.code == 0
    assert "rows (3 rows, 1 columns)" in done.out


def test_a_document_runs(project):
    document = {
        "nbflow": 1,
        "name": "hello",
        "parameters": {"type": "object", "properties": {"who": {"type": "string", "default": "world"}}},
        "nodes": [{"id": "greet", "type": "action.transform", "config": {"mode": "expression", "expression": "{{ 'hello ' ~ params.who }}"}}],
    }
    project.write("hello.flow.json", json.dumps(document))
    done = project.nbflow("run", "hello.flow.json", "-p", "who=you", "--json")
    assert done.code == 0, done.err
    assert done.json["outputs"] == {"greet": "hello you"}


def test_json_on_stdout_is_one_document_with_nodes_and_id(project):
    facts = project.nbflow("run", "jobs.py:total", "-p", "first=1", "--json").json
    assert facts["status"] == "completed"
    assert facts["error"] is None
    assert [(node["id"], node["status"]) for node in facts["nodes"]] == [("add", "completed")]
    assert project.nbflow("show", facts["execution_id"]).code == 0


def test_what_user_code_writes_to_the_real_stdout_does_not_break_json(project):
    project.write("loud.py", "import os\nos.write(1, b'noise')\nprint('more')\nfrom jobs import total\n")
    done = project.nbflow("run", "loud.py:total", "-p", "first=1", "--json")
    assert done.json["outputs"] == {"add": 2}
    assert "noise" in done.err


def test_a_failing_flow_exits_with_1_and_shows_the_users_line(project):
    done = project.nbflow("run", "jobs.py:failing")
    assert done.code == 1
    assert "return a / divisor" in done.err
    assert "ZeroDivisionError: division by zero" in done.err


def test_a_failing_flow_in_json_tells_node_and_error(project):
    done = project.nbflow("run", "jobs.py:failing", "--json")
    assert done.code == 1
    assert done.json["error"]["node"] == "divide"
    assert done.json["error"]["message"] == "division by zero"


def test_quiet_prints_no_progress_but_the_error(project):
    done = project.nbflow("run", "jobs.py:failing", "--quiet")
    assert done.code == 1
    assert "adding" not in done.err
    assert "division by zero" in done.err


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((), "parameter 'first': it is required"),
        (("-p", "first=abc"), "'abc' was given"),
        (("-p", "frist=1"), "did you mean 'first'?"),
        (("-p", "first"), "write it as name=value"),
        (("-p", "first=1", "-p", "first=2"), "given twice"),
    ],
)
def test_a_wrong_parameter_is_explained_with_the_parameters_there_are(project, parameters, message):
    done = project.nbflow("run", "jobs.py:total", *parameters)
    assert done.code == 2
    assert message in done.err
    assert "-p first=...  integer, required" in done.err
    assert "-p second=...  integer, default 1" in done.err
    assert not project.nbflow("executions", "--json").json


def test_an_error_before_the_run_is_one_json_document_too(project):
    done = project.nbflow("run", "jobs.py:total", "--json")
    assert done.code == 2
    assert done.json["error"]["type"] == "ParameterError" or "required" in done.json["error"]["message"]


def test_input_reaches_the_trigger(project):
    project.write("order.json", '{"order": 7}')
    assert project.nbflow("run", "jobs.py:triggered", "--input", "order.json", "--json").json["outputs"]["echo"] == {"order": 7}
    assert project.nbflow("run", "jobs.py:triggered", "--input", "-", "--json", stdin='{"order": 8}').json["outputs"]["echo"] == {"order": 8}


@pytest.mark.parametrize(("given", "message"), [("nope.json", "No such file"), ("-", "is not JSON")])
def test_a_wrong_input_is_explained(project, given, message):
    done = project.nbflow("run", "jobs.py:triggered", "--input", given, stdin="{")
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("jobs.py:totl", "did you mean 'total'?"),
        ("jobs.py", "defines 7 flows"),
        ("jbos.py:total", "did you mean 'jobs.py'?"),
        ("nothing.ipynb:x", "there is no file nothing.ipynb"),
        ("no.such.module:x", "there is no module 'no.such.module'"),
        ("jobs.txt:x", "there is no module 'jobs.txt'"),
        ("what ever", "is no notebook"),
        ("jobs.py:", "give the flow's name after the colon"),
        ("jobs.py:undrawable", "name 'missing_function' is not defined"),
        ("jobs.py:wrong", "has 1 problem"),
    ],
)
def test_a_wrong_target_is_explained(project, target, message):
    done = project.nbflow("run", target)
    assert done.code == 2
    assert message in done.err


def test_a_broken_document_is_explained(project):
    project.write("broken.flow.json", '{"nbflow": 1, "name": ')
    done = project.nbflow("run", "broken.flow.json", "--json")
    assert done.code == 2
    assert "is not JSON" in done.err
    assert done.json["error"]["type"] == "DocumentError"


def test_a_broken_notebook_is_explained(project):
    project.write("broken.ipynb", "not a notebook")
    done = project.nbflow("run", "broken.ipynb:x")
    assert done.code == 2
    assert "is no notebook" in done.err


def test_a_read_only_project_folder_is_a_store_error(project):
    if os.geteuid() == 0:  # root may write everywhere but in the kernel's own file systems
        project.environment["NBFLOW_PROJECT"] = "/sys"
    project.folder.chmod(0o500)
    try:
        done = project.nbflow("run", "jobs.py:total", "-p", "first=1")
    finally:
        project.folder.chmod(0o700)
    assert done.code == 3
    assert "read-only" in done.err
    assert "NBFLOW_PROJECT" in done.err


def test_a_project_folder_that_cannot_be_is_a_store_error(project):
    project.write("file", "")
    project.environment["NBFLOW_PROJECT"] = str(project.folder / "file")
    done = project.nbflow("run", "jobs.py:total", "-p", "first=1")
    assert done.code == 3
    assert done.err.startswith("nbflow: ")


@pytest.mark.parametrize("flow", ["endless", "endless_inline"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_node_that_burns_cpu(project, flow, number):
    with subprocess.Popen(
        [COMMAND, "run", f"jobs.py:{flow}"], cwd=project.folder, env=project.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert flow in running.stderr.readline()  # it has begun
        time.sleep(0.5)
        began = time.monotonic()
        running.send_signal(number)
        _, rest = running.communicate(timeout=60)
        took = time.monotonic() - began
    assert running.returncode == 130
    assert "cancelled" in rest
    assert took < 20  # two seconds for the engine; the rest for a busy machine
    assert [row["status"] for row in project.nbflow("executions", "--json").json] == ["cancelled"]
