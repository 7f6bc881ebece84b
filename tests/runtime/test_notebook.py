"""What a notebook shows while a flow runs, when it fails, and when it cannot even start."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import nbflow as nf

from .conftest import eventually

OUTPUTS = """
import matplotlib; import matplotlib.pyplot as plt
from IPython.display import HTML, display
logging.getLogger().setLevel(logging.INFO)
def speak(name):
    print("printed by", name); logging.getLogger("log").warning("logged by %s", name)
@node(where="thread")
def sync():
    for _ in range(20): speak("sync"); time.sleep(.01)
    warnings.warn("warned by sync"); plt.plot([1, 2]); display(HTML("<b>shown by sync</b>"))
@node
async def waits():
    for _ in range(20): speak("waits"); await asyncio.sleep(.01)
    warnings.warn("warned by waits"); plt.plot([3, 4]); display(HTML("<b>shown by waits</b>"))
@node(where="process")
def apart():
    import logging, time
    for _ in range(20):
        print("printed by apart"); logging.getLogger("log").warning("logged by apart"); time.sleep(.01)
@flow
def talking(): return [sync(), waits(), apart()]
"""


def test_what_nodes_say_at_the_same_time_lands_in_their_own_records_and_not_in_the_cell(kernel):
    kernel.run(OUTPUTS)
    cell = kernel.run("run = talking()\nfor n in range(10):\n    print('cell', n); await asyncio.sleep(.02)\nawait run")

    assert cell.stdout == "".join(f"cell {number}\n" for number in range(10))
    assert cell.stderr == ""
    assert len(cell.displays) == 1
    past = nf.execution(nf.executions().id[0])
    for name, others in (("sync", ("waits", "apart")), ("waits", ("sync", "apart")), ("apart", ("sync", "waits"))):
        text = "\n".join(line.text for line in past.nodes[name].output)
        assert text.count(f"printed by {name}") == 20
        assert text.count(f"logged by {name}") == 20
        assert not any(f"by {other}" in text for other in others), name
        if name != "apart":
            assert f"warned by {name}" in text
            html = [shown.data.get("text/html", "") for shown in past.nodes[name].displays]
            assert f"<b>shown by {name}</b>" in html
            assert sum("image/png" in shown.data for shown in past.nodes[name].displays) == 1


def test_a_flow_of_thousands_of_events_updates_one_display_at_most_ten_times_a_second(kernel):
    kernel.run("""@node(where='thread')
def chatty():
    end = time.monotonic() + 2
    n = 0
    while time.monotonic() < end:
        print('line', n := n + 1); time.sleep(.0003)
@flow
def talk(): return chatty()""")
    cell = kernel.run("run = await talk()")

    assert len(cell.displays) == 1
    assert len(set(cell.ids)) == 1
    assert 2 <= len(cell.updates) <= 10 * cell.seconds + 2
    assert "talk completed" in cell.updates[-1]["text/plain"]
    assert kernel.run("print(sum(1 for e in [1]))").stdout == "1\n"


FAILING = """
@node
def load(): return [1, 2]
@node
def broken(rows):
    total = 0
    return rows[5] + total  # my own line
@flow
def daily(): return broken(load())
"""


def test_a_failing_flow_ends_the_cell_with_one_clear_message_and_the_view(kernel):
    kernel.run(FAILING)
    cell = kernel.tell("await daily()")

    assert cell.ename == "ExecutionError"
    assert cell.evalue == "flow 'daily', node 'broken': IndexError: list index out of range"
    places = [line for line in cell.traceback.splitlines() if ", line " in line]
    assert places[0].startswith("Cell In[")
    assert "my own line" in cell.traceback
    assert "nbflow/" not in cell.traceback
    assert "daily failed" in (cell.updates or cell.displays)[-1]["text/plain"]


def test_an_execution_started_in_one_cell_is_shown_and_awaited_in_later_ones(kernel):
    kernel.run("@node\ndef one():\n    time.sleep(.5)\n    return 1\n@flow\ndef small(): return one()")
    assert kernel.run("run = small()").displays == []
    assert len(kernel.run("run").displays) == 1
    assert kernel.run("await run; print(run.output)").stdout == "1\n"
    assert kernel.run("print(run.status)").stdout == "completed\n"


def test_a_saved_notebook_holds_the_final_view_and_stops_at_the_failing_cell(tmp_path):
    cells = ["import nbflow as nf\nfrom nbflow import flow, node\n" + FAILING, "nf.nodes", "await daily()", "print('never')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError, match=r"node 'broken': IndexError"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()

    view, error = notebook.cells[2].outputs
    assert "<img" in view.data["text/html"]
    assert view.data["text/plain"].startswith("✕ daily failed")
    assert "broken" in view.data["text/html"]
    assert error.ename == "ExecutionError"
    assert notebook.cells[3].outputs == []


BEFORE = """
@node
def one() -> int: return 1
@node
def text(value: str) -> str: return value
"""
PROBLEMS = {
    "CheckError": (
        "@flow\ndef wrong(): return [text(one()), nf.nodes.logic.if_(one(), condition='{{ 1 + }}').true]\nwrong()",
        ["flow 'wrong' has 2 problems", "text", "condition"],
    ),
    "ParameterError": ("@flow\ndef small(count: int): return one()\nsmall(count='many')", ["flow 'small', parameter 'count'"]),
    "DefinitionError": ("@flow\ndef small():\n    if one(): return one()\nsmall()", ["logic.if_"]),
    "DocumentError": ("open('bad.flow.json', 'w').write('{\"name\": ')\nnf.load('bad.flow.json')", ["bad.flow.json"]),
    "QueryError": ("nf.sql('select nothing from nowhere')", ["nowhere"]),
    "UnknownExecutionError": ("nf.execution('ffff')", ["ffff"]),
    "ExecutionError": (
        (
            "from nbflow.core.errors import MissingExtraError\n@node\ndef excel(): raise MissingExtraError('reading .xlsx', 'excel')\n"
            "@flow\ndef sheet(): return excel()\nawait sheet()"
        ),
        ['pip install "nbflow[excel]"', "node 'excel'"],
    ),
}


def test_each_problem_is_one_clear_message_without_frames_of_nbflow(kernel):
    kernel.run(BEFORE)
    for ename, (source, words) in PROBLEMS.items():
        cell = kernel.tell(source)
        assert cell.ename == ename, (ename, cell)
        for word in words:
            assert word in cell.evalue, (ename, cell.evalue)
        assert "nbflow/" not in cell.traceback, (ename, cell.traceback)
        assert "Traceback" not in cell.traceback, (ename, cell.traceback)


READ_ONLY = """
import os, sys
import nbflow as nf
from nbflow.core.errors import StoreReadOnlyError
from nbflow.runtime.runtime import reset_runtime
@nf.node
def one(): return 1
@nf.flow
def small(): return one()
small().result(20)  # all of Python that this needs is then imported
reset_runtime()
os.environ["NBFLOW_PROJECT"] = sys.argv[1]
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    small()
except StoreReadOnlyError as error:
    print(error._render_traceback_()[0])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_project_folder_that_refuses_writing_is_told_before_anything_runs(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o755)
    for folder in tmp_path.parents[:3]:
        folder.chmod(0o755)

    done = subprocess.run([sys.executable, "-c", READ_ONLY, str(locked)], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.startswith(f"StoreReadOnlyError: nbflow cannot write its history in {locked}"), done.stderr
    assert "NBFLOW_PROJECT" in done.stdout


def test_a_second_kernel_and_the_command_line_work_while_a_notebook_runs(kernel, another_kernel, tmp_path):
    mark = tmp_path / "go"
    kernel.run(f"@node(where='thread')\ndef wait():\n    while not os.path.exists({str(mark)!r}): time.sleep(.05)\n@flow\ndef long(): return wait()")
    asked = kernel.begin("await long()")
    second = another_kernel()
    second.run("@node\ndef one(): return 1\n@flow\ndef small(): return one()\nawait small()")
    eventually(lambda: sorted(nf.executions().status) == ["completed", "running"])
    told = second.run("print(sorted(nf.sql('select status from workflow_executions').status))").stdout
    line = [sys.executable, "-m", "nbflow", "sql", "select count(*) as n from workflow_executions", "--json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    mark.touch()

    assert told == "['completed', 'running']\n"
    assert done.returncode == 0, done.stderr
    assert "2" in done.stdout
    kernel.end(asked)
    eventually(lambda: list(nf.executions().status) == ["completed", "completed"])
