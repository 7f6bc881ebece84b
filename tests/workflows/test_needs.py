"""Which statements of a notebook a flow needs."""

import ast

import pytest

from nbflow.core.errors import DefinitionError
from nbflow.workflows.needs import defined_flows, needed, statements
from nbflow.workflows.notebook import Cell

FLOW = "@flow\ndef daily(path: str):\n    return clean(path)"
NODE = "@node\ndef clean(path: str): return [path, LIMIT]"


def cells(*sources):
    return [Cell(name=f"nb.ipynb, cell {number}", body=tuple(ast.parse(source).body)) for number, source in enumerate(sources, 1)]


def kept(*sources, flow="daily"):
    all_ = statements(cells(*sources))
    return [ast.unparse(statement.node).partition("\n")[0] for statement in needed(all_, {flow}, set(defined_flows(all_)))]


def test_names_are_followed_from_the_flow_to_nodes_to_constants():
    assert kept("from nbflow import flow, node", "import pandas as pd", "LIMIT = 3\nOTHER = 4", NODE, FLOW) == [
        "from nbflow import flow, node",
        "LIMIT = 3",
        "@node",
        "@flow",
    ]


def test_runs_displays_and_examples_are_left_out():
    sources = ("from nbflow import flow, node\nLIMIT = 1", NODE, FLOW, "daily", "daily(path='x')", "print(LIMIT)", "daily.save('x.flow.json')")
    assert len(kept(*sources)) == 4


def test_awaited_runs_are_left_out():
    tree = compile("run = await daily(path='x')", "", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    run = Cell(name="nb.ipynb, cell 9", body=tuple(tree.body))
    all_ = statements([*cells("from nbflow import flow, node\nLIMIT = 1", NODE, FLOW), run])
    assert all(statement.cell != run.name for statement in needed(all_, {"daily"}, {"daily"}))


def test_changes_of_a_needed_object_are_kept_in_order():
    sources = ("from nbflow import flow, node", "LIMIT = {}", "LIMIT['a'] = 1", "LIMIT.update(b=2)", "OTHER = {}", "OTHER['a'] = 1", NODE, FLOW)
    assert kept(*sources)[1:4] == ["LIMIT = {}", "LIMIT['a'] = 1", "LIMIT.update(b=2)"]


def test_settings_of_the_process_and_of_used_modules_are_kept():
    sources = (
        "import sys, os\nimport pandas as pd\nimport matplotlib.pyplot as plt\nfrom nbflow import flow, node",
        "LIB = 'lib'\nsys.path.insert(0, LIB)\nos.environ['A'] = '1'",
        "pd.set_option('display.width', 100)\nplt.style.use('ggplot')",
        "LIMIT = pd.Series([1])",
        NODE,
        FLOW,
    )
    found = kept(*sources)
    assert "sys.path.insert(0, LIB)" in found
    assert "LIB = 'lib'" in found
    assert "os.environ['A'] = '1'" in found
    assert "pd.set_option('display.width', 100)" in found
    assert "plt.style.use('ggplot')" not in found  # nothing that the flow uses draws


def test_annotations_count_also_quoted_and_under_future_annotations():
    sources = ("from __future__ import annotations", "from nbflow import flow, node\nimport pandas as pd\nimport numpy as np\nLIMIT = 1")
    node = "@node\ndef clean(path: pd.Series) -> 'np.ndarray': return LIMIT"
    found = kept(*sources, node, FLOW)
    assert {"from __future__ import annotations", "import pandas as pd", "import numpy as np"} <= set(found)


def test_a_function_defined_later_is_found():
    assert kept("from nbflow import flow, node", FLOW, "LIMIT = 1", NODE)[-1] == "@node"


def test_state_of_a_kernel_is_refused_with_the_place():
    with pytest.raises(DefinitionError, match=r"nb.ipynb, cell 2, line \d: 'LIMIT' is used, but no cell defines it"):
        kept("from nbflow import flow, node", NODE, FLOW)


def test_a_result_of_a_run_is_refused():
    with pytest.raises(DefinitionError, match="makes it by running a flow"):
        kept(
            "from nbflow import flow, node",
            "LIMIT = 1",
            NODE,
            FLOW,
            "last = daily(path='x')",
            "@flow\ndef second():\n    return clean(last)",
            flow="second",
        )


def test_flows_are_seen_without_running():
    sources = ("@nf.flow(name='nightly')\ndef build(): ...", "loaded = nf.load('a.flow.json')", "made = flow(function)", "x = json.load(file)")
    assert defined_flows(statements(cells(*sources))) == {"build": "nightly", "loaded": "loaded", "made": "made"}


# What a kernel's history is full of ---------------------------------------------------------------

HEAD = "from nbflow import flow, node"


def test_what_a_cell_was_before_it_was_edited_is_left_out():
    first = "def helper(): return LIMITT"
    sources = (HEAD, first, "def helper(): return LIMIT", "LIMIT = 1", "@node\ndef clean(path: str): return helper()", FLOW)
    assert kept(*sources) == [HEAD, "def helper():", "LIMIT = 1", "@node", "@flow"]


def test_a_value_that_is_read_before_it_is_bound_anew_is_kept():
    sources = (HEAD, "BASE = 1", "LIMIT = BASE * 2", "BASE = 5", NODE, FLOW)
    assert kept(*sources) == [HEAD, "BASE = 1", "LIMIT = BASE * 2", "@node", "@flow"]


def test_a_value_that_a_called_function_reads_is_kept_as_it_was_then():
    sources = (HEAD, "BASE = 1", "def double(): return BASE * 2", "LIMIT = double()", "BASE = 5", NODE, FLOW)
    assert kept(*sources) == [HEAD, "BASE = 1", "def double():", "LIMIT = double()", "BASE = 5", "@node", "@flow"]


def test_changes_of_an_object_that_was_replaced_are_left_out():
    sources = (HEAD, "LIMIT = {}", "LIMIT['a'] = 1", "LIMIT = {}", "LIMIT['b'] = 1", NODE, FLOW)
    assert kept(*sources) == [HEAD, "LIMIT = {}", "LIMIT['b'] = 1", "@node", "@flow"]


def test_what_may_not_bind_replaces_nothing():
    sources = (HEAD, "LIMIT = 1", "if LIMIT > 3:\n    LIMIT = 3", "LIMIT += 1", NODE, FLOW)
    assert kept(*sources) == [HEAD, "LIMIT = 1", "if LIMIT > 3:", "LIMIT += 1", "@node", "@flow"]


def test_two_parts_of_a_package_are_both_imported():
    sources = (HEAD, "import xml.dom", "import xml.sax", "LIMIT = (xml.dom, xml.sax)", NODE, FLOW)
    assert kept(*sources)[1:3] == ["import xml.dom", "import xml.sax"]


def test_a_function_that_runs_a_flow_is_not_called():
    sources = (
        HEAD,
        "@node\ndef one(): return 1",
        "@flow\ndef first():\n    return one()",
        "def run_it(): return first().result()",
        "LIMIT = run_it()",
    )
    with pytest.raises(DefinitionError, match="cell 5, line 1 makes it by running a flow"):
        kept(*sources, NODE, FLOW)


def test_what_only_a_kernel_knows_is_told_apart_from_what_nobody_knows():
    all_ = statements(cells(HEAD, NODE, FLOW))
    with pytest.raises(
        DefinitionError, match=r"nb.ipynb, cell 2, line 2: 'LIMIT' is used, but no cell that was run defines it: it exists only as state"
    ):
        needed(all_, {"daily"}, {"daily"}, kernel={"LIMIT"})
