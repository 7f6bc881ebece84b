"""From cells to modules."""

from __future__ import annotations

import sys

import pytest

import nbflow as nf
from nbflow.authoring.trace import Definition
from nbflow.core.errors import PublishError
from nbflow.core.flow import Flow, Node
from nbflow.workflows.collect import Source, collect, notebook_source, own_source, script_source

from .notebooks import CLEAN, DAILY, HEAD, collected, definition, run


@pytest.fixture
def entry(main, project):
    def entry(*sources, **options):
        module = collected(main, *sources, folder=project, **options).module
        return module.files[module.entry]

    return entry


def test_functions_come_with_what_they_name_and_nothing_else(main, project):
    module = collected(main, HEAD, "LIMIT, OTHER = 3, 4", "print('hello')", "UNUSED = 1", CLEAN, DAILY, folder=project).module
    assert module.files[module.entry] == (
        "# What the flow 'daily' needs, as nbflow published it.\n\n\n"
        "from nbflow import flow, node\nLIMIT, OTHER = 3, 4\n\n\n"
        "@node\ndef clean(value: int) -> int:\n    return value + LIMIT\n"
    )
    assert module.functions == {"__main__:clean": "clean"}
    assert module.ports["__main__:clean"]["inputs"] == [{"name": "value", "required": True, "many": False}]
    assert module.folder == "."


def test_comments_and_the_form_of_a_statement_stay(entry):
    source = CLEAN.replace("    return", "    # why\n\n    return") + "  # and this is cut"
    assert "    # why\n\n    return value + LIMIT\n" in entry(HEAD, "LIMIT = {  # a table\n    'ä': 1}['ä']; X = 2", source, DAILY)
    assert "# a table\n    'ä': 1}['ä']\n" in entry(HEAD, "Y = 1; LIMIT = {  # a table\n    'ä': 1}['ä']; X = 2", source, DAILY)


def test_cells_run_again_in_another_order_make_the_same_code(main, project):
    first = collected(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project).module
    again = collected(main, HEAD, "LIMIT = 3", CLEAN, DAILY, "LIMIT = 3; Z = 1", "Z", folder=project, skip=(5,)).module
    assert again.hash == first.hash


def test_future_imports_come_first(entry):
    lines = entry(HEAD, "LIMIT = 1", "from __future__ import annotations", CLEAN, DAILY).splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "from __future__ import annotations"


def test_a_node_under_another_name_is_found_there(main, project):
    found = collected(main, HEAD, "def raw(value: int) -> int:\n    return value", "clean = node(retry=2)(raw)", DAILY, folder=project).module
    assert found.functions == {"__main__:raw": "clean"}


def test_a_node_in_a_class_is_found_there(main, project):
    source = "class Jobs:\n    @staticmethod\n    @node\n    def clean(value: int) -> int:\n        return value"
    found = collected(main, HEAD, source, DAILY.replace("clean", "Jobs.clean"), folder=project).module
    assert found.functions == {"__main__:Jobs.clean": "Jobs.clean"}


def test_local_modules_and_their_nodes_travel(main, project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "parts.py").write_text("from nbflow import node\nimport rates\n@node\ndef clean(value: int) -> int:\n    return value * rates.RATE\n")
    (project / "rates.py").write_text("RATE = 2\n")
    module = collected(main, HEAD, "from parts import clean", DAILY, folder=project).module
    assert module.functions == {"parts:clean": "parts:clean"}
    assert sorted(module.files) == ["parts.py", "published.py", "rates.py"]


def test_functions_that_a_document_names_are_taken_from_their_modules(project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "named.py").write_text("def triple(value: int) -> int:\n    return value * 3\n")
    flow = Flow(name="a", nodes=(Node(id="n", type="python.function", config={"function": "named:triple", "args": {"value": 1}}),))
    module = collect(Definition(flow=flow), Source(folder=project), project).module
    assert module.functions == {"named:triple": "named:triple"}
    assert "named.py" in module.files


def test_a_flow_without_functions_needs_no_module(project):
    flow = Flow(name="a", nodes=(Node(id="n", type="trigger.manual"),))
    assert collect(Definition(flow=flow), Source(folder=project), project) is None


@pytest.mark.parametrize(("below", "expected"), [("nb/deep", "nb/deep"), ("", "."), ("../elsewhere", "../elsewhere")])
def test_the_folder_is_told_as_the_project_sees_it(main, project, below, expected):
    source = run(main, HEAD, "LIMIT = 1", CLEAN, DAILY, folder=project / below)
    assert collect(definition(main), source, project).module.folder == expected


def test_lines_of_the_entry_lead_back_to_the_cells(main, project):
    found = collected(main, HEAD, "\n\nLIMIT = 3", CLEAN, DAILY, folder=project)
    lines = found.module.files[found.module.entry].splitlines()
    assert found.written_at(lines.index("LIMIT = 3") + 1) == "Cell In[2], line 3"
    assert found.written_at(lines.index("    return value + LIMIT") + 1) == "Cell In[3], line 3"
    assert found.written_at(1) is None


# What cannot be published -------------------------------------------------------------------------


def test_state_of_the_kernel_is_refused_with_place_and_fix(main, project):
    with pytest.raises(PublishError, match=r"Cell In\[3\], line 3: 'LIMIT' is used, but no cell that was run defines it: .* define it in a cell"):
        collected(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project, skip=(2,))


def test_a_function_whose_cell_is_not_known_is_refused(main, project):
    with pytest.raises(PublishError, match=r"'clean' is defined by no cell that can be read: .* run the cell that defines it again"):
        collected(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project, skip=(3,))


def test_a_result_of_a_run_is_refused(main, project):
    one = "@node\ndef one() -> int:\n    return 1\n\n@flow\ndef first():\n    return one()"
    with pytest.raises(PublishError, match=r"'run' is used, but Cell In\[3\], line 1 makes it by running a flow"):
        collected(main, HEAD, one, "run = first()", "LIMIT = run.result(30)['one']", CLEAN, DAILY, folder=project)


def test_a_function_made_in_a_function_is_refused(main, project):
    maker = "def maker():\n    @node\n    def clean(value: int) -> int:\n        return value\n    return clean\nclean = maker()"
    with pytest.raises(
        PublishError, match=r"Cell In\[2\], line 2: the function 'clean' is made inside the function 'maker'.* at the top level of a cell"
    ):
        collected(main, HEAD, maker, DAILY, folder=project)


def test_a_lambda_is_refused(main, project):
    with pytest.raises(PublishError, match=r"the node is a lambda.* write it as `@node` above a `def`"):
        collected(main, HEAD, "clean = node(lambda value: value)", DAILY, folder=project)


def test_a_node_that_no_variable_holds_is_refused(main, project):
    source = "def clean(value: int) -> int:\n    return value\nNODES = [node(clean)]"
    with pytest.raises(PublishError, match="the node 'clean' is not the value of a variable"):
        collected(main, HEAD, source, DAILY.replace("clean(", "NODES[0]("), folder=project)


def test_a_function_that_no_module_has_is_refused(project):
    flow = Flow(name="a", nodes=(Node(id="n", type="python.function", config={"function": "not_there:f"}),))
    with pytest.raises(PublishError, match="'not_there:f' cannot be imported"):
        collect(Definition(flow=flow), Source(folder=project), project)


# Where functions are written ----------------------------------------------------------------------


def test_a_notebooks_file_is_read_from_top_to_bottom(main, project):
    import json

    cells = [{"cell_type": "code", "source": source} for source in (HEAD, "LIMIT = 3", CLEAN, DAILY)]
    (project / "nb").mkdir()
    path = project / "nb" / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    run(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project)
    found = collect(definition(main), notebook_source(path), project)
    assert found.module.folder == "nb"
    assert found.written_at(5) == "a.ipynb, cell 2, line 1"


def test_of_a_script_only_what_the_flow_needs_is_kept(main, project):
    text = f"{HEAD}\nLIMIT = 3\n{CLEAN}\n{DAILY}\nif __name__ == '__main__':\n    daily.publish()\n"
    path = project / "script.py"
    path.write_text(text)
    run(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project)
    main.__file__ = str(path)
    source = own_source()
    assert [cell.name for cell in source.cells] == [cell.name for cell in script_source(path).cells] == ["script.py"]
    module = collect(definition(main), source, project).module
    assert "publish()" not in module.files[module.entry]


def test_a_program_that_is_no_file_has_no_cells(monkeypatch, project):
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert own_source().cells == ()


def test_a_loaded_workflow_can_be_published_again(main, project, library, tmp_path):
    from nbflow.workflows.file import to_document

    found = collected(main, HEAD, "LIMIT = 3", CLEAN, DAILY, folder=project)
    made = library.create(definition(main).flow, module=found.module)
    path = tmp_path / "daily.flow.json"
    path.write_text(__import__("json").dumps(to_document(made)))
    again = collect(nf.load(path).definition(), Source(folder=project), project).module
    assert list(again.functions) == ["__main__:clean"]
    assert any("LIMIT = 3" in text for text in again.files.values())
