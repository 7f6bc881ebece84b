"""Published modules, loaded."""

from __future__ import annotations

import asyncio
import sys

import pytest

from nbflow.authoring.trace import Definition
from nbflow.core.errors import PublishError
from nbflow.core.flow import Flow, Node
from nbflow.runtime.runtime import prepare, runtime
from nbflow.workflows.loading import is_loading, load_module, module_name
from nbflow.workflows.module import Module

CODE = """
from nbflow import node
from helper import FACTOR

@node(outputs=("even", "odd"))
def split(value: int) -> object:
    return value * FACTOR

def plain(value: int, ctx) -> int:
    return value

class Group:
    @staticmethod
    @node
    def inside(value: int) -> int:
        return value
"""


def module(code=CODE, **functions):
    functions = functions or {"split": "split"}
    return Module(files={"published.py": code, "helper.py": "FACTOR = 2\ndef halve(x): return x / 2\n"}, entry="published.py", functions=functions)


@pytest.fixture(autouse=True)
def _forget():
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name == "helper" or name.startswith("nbflow_published_"):
            del sys.modules[name]


def test_functions_are_found_with_what_they_declare(tmp_path):
    found = load_module(module(**{"__main__:split": "split", "a": "plain", "b": "Group.inside", "c": "helper:halve"}), tmp_path)
    assert found["__main__:split"].outputs == ("even", "odd")
    assert found["__main__:split"].function(3) == 6
    assert found["a"].takes_context == "ctx"
    assert found["b"].function(3) == 3
    assert found["c"].function(3) == 1.5


def test_the_entry_is_a_module_of_its_own_name(tmp_path):
    loaded = load_module(module(), tmp_path)["split"].function.__module__
    assert loaded == module_name(module()) != module_name(module(CODE + "\n"))
    assert loaded.startswith("nbflow_published_")
    assert sys.modules[loaded].__file__ == str(tmp_path / f"{loaded}.py")
    assert sys.path[0] == str(tmp_path)


def test_a_function_that_is_missing_is_explained(tmp_path):
    with pytest.raises(PublishError, match="the function 'gone' is not in its module: 'nowhere' is missing there; publish the flow again"):
        load_module(module(gone="nowhere"), tmp_path)


def test_what_is_no_function_is_explained(tmp_path):
    with pytest.raises(PublishError, match="'FACTOR' is no function any more but int"):
        load_module(module(gone="FACTOR"), tmp_path)


def test_an_error_of_the_code_comes_through_and_leaves_no_half_module(tmp_path):
    broken = module("import helper\n1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load_module(broken, tmp_path)
    assert module_name(broken) not in sys.modules
    assert not is_loading()


def test_await_at_the_top_level_works_as_in_a_notebook(tmp_path):
    code = "import asyncio\nfrom nbflow import node\nVALUE = await asyncio.sleep(0, 7)\n@node\ndef f() -> int:\n    return VALUE\n"
    assert load_module(module(code, f="f"), tmp_path)["f"].function() == 7


async def test_await_at_the_top_level_works_inside_a_running_loop(tmp_path):
    code = "import asyncio\nVALUE = await asyncio.sleep(0, 7)\ndef f() -> int:\n    return VALUE\n"
    assert load_module(module(code, f="f"), tmp_path)["f"].function() == 7
    await asyncio.sleep(0)


def test_an_error_of_an_awaited_line_comes_through(tmp_path):
    with pytest.raises(ZeroDivisionError):
        load_module(module("import asyncio\nawait asyncio.sleep(0)\n1 / 0\n"), tmp_path)


def test_display_is_there_as_in_a_notebook(tmp_path):
    assert load_module(module("def f():\n    return display\n", f="f"), tmp_path)["f"].function().__name__ == "display"


@pytest.mark.parametrize("head", ["", "import asyncio\nawait asyncio.sleep(0)\n"])
def test_functions_run_in_processes_too(tmp_path, head):
    code = (
        head
        + "import os\nfrom nbflow import node\nfrom helper import FACTOR\n@node(where='process')\ndef f() -> int:\n    return FACTOR, os.getpid()\n"
    )
    functions = load_module(module(code, f="f"), tmp_path)
    flow = Flow(name="a", nodes=(Node(id="f", type="python.function", config={"function": "f"}),))
    factor, pid = runtime().start(prepare(Definition(flow=flow, functions=functions))).result(30)["f"]
    assert factor == 2
    assert pid != __import__("os").getpid()


def test_data_classes_and_annotations_of_the_module_work(tmp_path):
    code = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom nbflow import node\n"
        "@dataclass\nclass Order:\n    n: int\n@node\ndef f(order: Order) -> Order:\n    return Order(n=1)\n"
    )
    assert load_module(module(code, f="f"), tmp_path)["f"].inputs[0].annotation.__name__ == "Order"
