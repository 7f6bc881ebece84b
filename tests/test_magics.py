"""`%%node` and `%flow`, in a real IPython shell."""

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from nbflow.magics import source_of_node
from nbflow.runtime.runtime import reset_runtime


@pytest.fixture(scope="module")
def ipython():
    shell = InteractiveShell()  # not the process's own: other tests run without one
    shell.run_line_magic("load_ext", "nbflow")
    return shell


@pytest.fixture
def shell(ipython, tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBFLOW_STORE", "memory")
    reset_runtime()
    ipython.reset(new_session=False)
    yield ipython
    reset_runtime()


def drawn(shell):
    shell.run_cell_magic("node", "numbers(count: int = 3) -> list", "values = range(count)\nlist(values)")
    shell.run_cell_magic("node", "total(values) retry=2, where='thread'", "return sum(values)")
    shell.run_cell("from nbflow import flow\n\n@flow\ndef sums(count: int = 3):\n    return total(numbers(count))")


def test_a_cell_becomes_a_node(shell):
    drawn(shell)
    assert shell.user_ns["numbers"](4) == [0, 1, 2, 3]
    assert shell.user_ns["total"].settings.retry.max_tries == 2
    assert shell.user_ns["total"].node_type.where == "thread"
    assert shell.user_ns["sums"]().result() == {"total": 3}


def test_the_last_expression_is_what_the_node_gives_over_several_lines():
    source = source_of_node("table(a, b)", "x = a\n[\n    x,\n    b,\n]\n")
    assert source.endswith("def table(a, b):\n    x = a\n    return [\n        x,\n        b,\n    ]\n")


def test_a_cell_without_a_value_gives_none():
    assert source_of_node("quiet()", "for x in range(3):\n    print(x)").endswith("def quiet():\n    for x in range(3):\n        print(x)\n")


@pytest.mark.parametrize("line", ["", "clean", "clean(orders", "3(x)", "clean(x) retry="])
def test_a_head_that_is_none_is_refused(line):
    with pytest.raises(UsageError, match=r"write the function's head, as in %%node clean\(orders, least=5\.0\) retry=2"):
        source_of_node(line, "1")


def test_a_cell_that_is_no_python_is_refused_with_its_line():
    with pytest.raises(UsageError, match="%%node bad: line 2 of the cell is no Python"):
        source_of_node("bad()", "x = 1\ny = = 2")


def test_flows_are_listed_run_checked_and_shown_as_code(shell, capsys):
    shell.run_line_magic("flow", "")
    assert "no flows yet" in capsys.readouterr().out
    drawn(shell)
    shell.run_line_magic("flow", "")
    assert "sums: 2 nodes" in capsys.readouterr().out
    shell.user_ns["many"] = 5
    assert shell.run_line_magic("flow", "sums run count=many").result() == {"total": 10}
    shell.run_line_magic("flow", "sums check")
    assert "flow 'sums' can run" in capsys.readouterr().out
    shell.run_line_magic("flow", "sums code")
    assert "def sums" in shell.rl_next_input
    canvas = shell.run_line_magic("flow", "sums")
    assert repr(canvas) == "<canvas of sums: 2 nodes>"
    canvas.close()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sum run", "there is no flow 'sum' in this session; did you mean 'sums'"),
        ("sums fly", "say edit, run, check or code"),
        ("sums run 3", "write parameters as in a call"),
        ("sums run count=", "write parameters as in a call"),
    ],
)
def test_what_is_not_understood_is_said(shell, line, says):
    drawn(shell)
    with pytest.raises(UsageError, match=says):
        shell.run_line_magic("flow", line)
