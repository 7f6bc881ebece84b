"""Documents as Python: the code draws the same document, a person can read it, and no text of a document gets out of its literal."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.authoring.code import to_python
from nbflow.authoring.formatting import WIDTH
from nbflow.core.errors import DefinitionError
from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings, Output
from nbflow.define import DefinedFlow
from nbflow.runtime.catalogue import FunctionCatalogue

from .documents import FUNCTIONS, flows

GUIDES = Path(__file__).parents[2] / "notebooks"
SOURCE = """
import nbflow as nf
from nbflow import node


@node
def f(x=None, y=None): ...


@node
def step(value=None, *, other=None, class_=None): ...


@node(outputs=("left", "right"), retry=4, timeout=nf.Retry().wait)
def split(value=None): ...


@node
def print(a=None): ...
"""
SOURCES = {f"__main__:{name}": SOURCE for name in FUNCTIONS}
CATALOGUE = FunctionCatalogue({})
slow = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40, report_multiple_bugs=False)


def written(flow: Flow, sources: dict[str, str] | None = None) -> str:
    return to_python(flow, sources, catalogue=CATALOGUE)


def drawn(code: str) -> Flow:
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, "<written>", "exec"), names)
    return next(value for value in reversed(names.values()) if isinstance(value, DefinedFlow)).document


def parts(flow: Flow) -> Counter[str]:
    """Nodes and edges in no order."""
    document = flow.to_dict()
    return Counter(json.dumps(part, sort_keys=True) for part in (*document.get("nodes", ()), *document.get("edges", ())))


def body(code: str) -> str:
    """What the flow's function is made of."""
    return code.partition("\n@flow")[2].partition("\n")[2].partition("\n")[2]


def document(*nodes: Node, edges: tuple[Edge, ...] = (), **rest) -> Flow:
    return Flow(name="f", nodes=nodes, edges=edges, **rest)


def function(id_: str, name: str | None = None, **rest) -> Node:
    args = rest.pop("args", {})
    return Node(id=id_, type="python.function", config={"function": f"__main__:{name or id_}", **({"args": args} if args else {})}, **rest)


# The same document -------------------------------------------------------------------------------


@slow
@given(flows())
def test_code_draws_the_document_it_was_written_from(flow):
    assert drawn(written(flow, SOURCES)).hash == flow.hash


@slow
@given(flows())
def test_stubs_draw_the_same_when_no_source_is_known(flow):
    assert parts(drawn(written(flow))) == parts(flow)


@slow
@given(flows(), st.randoms())
def test_a_document_in_another_order_is_drawn_with_the_same_nodes_and_edges(flow, random):
    nodes, edges = list(flow.nodes), list(flow.edges)
    random.shuffle(nodes)
    random.shuffle(edges)
    mixed = Flow(name="f", parameters=flow.parameters, nodes=tuple(nodes), edges=tuple(edges), outputs=flow.outputs)
    again = drawn(written(mixed, SOURCES))

    def into_ports(of: Flow) -> list[Edge]:
        return sorted(of.edges, key=lambda edge: (edge.target, edge.target_port))

    assert parts(again) == parts(mixed)
    assert into_ports(again) == into_ports(mixed)
    assert drawn(written(again, SOURCES)).hash == again.hash


@slow
@given(st.text())
def test_a_text_stays_inside_its_literal(text):
    if any(0xD800 <= ord(char) < 0xE000 for char in text):
        return  # a document with half a character has no hash
    flow = document(
        Node(id="a", type="trigger.manual", config={"sample": {text: [text]}}, settings=NodeSettings(notes=text)),
        description=text,
        settings=FlowSettings(vars={"a": text}),
    )
    code = written(flow)
    assert drawn(code).hash == flow.hash
    imports = [item for item in ast.walk(ast.parse(code)) if isinstance(item, ast.Import | ast.ImportFrom)]
    assert {ast.unparse(item) for item in imports} == {"import nbflow as nf", "from nbflow import flow"}


def test_texts_cannot_hide_what_the_code_does():
    flow = document(Node(id="a", type="trigger.manual", config={"sample": "\u202e\u200b\x00"}), description='"""\nimport os')
    code = written(flow)
    assert code.isprintable() or all(char == "\n" or char.isprintable() for char in code)
    assert drawn(code).hash == flow.hash


def guide_flows() -> list[str]:
    found = []
    for path in sorted(GUIDES.glob("0[0-2]*.ipynb")):  # the later ones set the environment up; the command's test has them
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"])
            names = [line.split("(")[0].removeprefix("def ") for line in text.split("\n") if line.startswith("def ")]
            found += [f"{path.name}:{names[-1]}"] if "\n@flow" in f"\n{text}" and names else []
    return found


UNDRAWABLE = {"01-flows.ipynb:decides"}  # it shows an error


def test_flows_of_the_guides_are_written_with_their_functions_and_drawn_again():
    """In one process: each guide's needed statements are executed once a flow, as `nbflow code` does."""
    import sys

    from nbflow.cli.target import load_one
    from nbflow.workflows.code import code_of
    from nbflow.workflows.collect import notebook_source

    main, path = sys.modules["__main__"], list(sys.path)
    targets = [target for target in guide_flows() if target not in UNDRAWABLE]
    assert len(targets) > 10
    try:
        for target in targets:
            file, _, name = target.partition(":")
            definition = load_one(f"{GUIDES / file}:{name}").definition()
            code = code_of(definition, notebook_source(GUIDES / file))
            assert "Its source is not known" not in code
            assert drawn_alone(code) == definition.flow.hash, target
    finally:
        sys.modules["__main__"], sys.path[:] = main, path


def drawn_alone(code: str) -> str:
    """Without what else a guide's cells do: only imports, definitions and the flow are executed."""
    tree = ast.parse(code)
    tree.body = [item for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef)]
    return drawn(ast.unparse(tree)).hash


# What it looks like ------------------------------------------------------------------------------


def nightly() -> Flow:
    http = {"url": "https://example.org/orders", "query": {"since": "{{ params.since }}", "limit": "{{ params.limit }}"}}
    careful = {"retry": {"max_tries": 5, "wait": "PT0.5S"}, "timeout": "PT30S", "on_error": "output", "notes": "The CRM is slow on Mondays."}
    rules = [{"output": "not paid", "condition": "input.total == 0"}, {"output": "in", "condition": "input.total > 0"}]
    query = 'select *\nfrom input1\njoin input2 using ("id")\nwhere total > 10\n'
    shown = "{{ {'order': item, 'price': nodes.price['body']} }}"
    count = {"default": 100, "minimum": 1, "title": "limit", "type": "integer"}
    return Flow.from_dict(
        {
            "nbflow": 1,
            "name": "Nightly import",
            "description": "Fetch orders, price them, answer.\n\nRuns at night.",
            "parameters": {
                "additionalProperties": False,
                "properties": {"since": {"format": "date", "title": "since", "type": "string"}, "limit": count},
                "required": ["since"],
                "type": "object",
            },
            "nodes": [
                {"id": "fetch", "type": "action.http", "config": http, "settings": careful},
                {"id": "rows", "type": "logic.loop.foreach", "config": {"field": "body.orders", "concurrency": 4, "on_item_error": "collect"}},
                {"id": "price", "type": "action.http", "config": {"url": "https://example.org/price/{{ item['sku'] }}"}, "parent": "rows"},
                {"id": "if", "type": "logic.if", "config": {"condition": "input.price > 100"}, "parent": "rows"},
                {"id": "big", "type": "action.transform", "config": {"mode": "expression", "expression": shown}, "parent": "rows"},
                {"id": "inner", "type": "logic.loop.for", "config": {"end": 3}, "parent": "rows", "settings": {"timeout": "PT60S"}},
                {"id": "wait", "type": "logic.wait", "parent": "inner"},
                {"id": "sql", "type": "logic.merge", "config": {"mode": "sql", "query": query}},
                {"id": "sorted", "type": "logic.switch", "config": {"rules": rules, "fallback": "extra"}},
                {"id": "apology", "type": "flow.respond", "config": {"body": {"since": "since {{ params.since }}"}}, "settings": {"disabled": True}},
                {"id": "respond", "type": "flow.respond"},
            ],
            "edges": [
                {"source": "rows", "source_port": "item", "target": "price"},
                {"source": "fetch", "target": "rows"},
                {"source": "price", "target": "if", "path": ["body"]},
                {"source": "if", "source_port": "true", "target": "big"},
                {"source": "if", "source_port": "false", "target": "inner"},
                {"source": "inner", "source_port": "index", "target": "wait"},
                {"source": "big", "target": "rows", "target_port": "result"},
                {"source": "rows", "target": "sql", "target_port": "inputs"},
                {"source": "fetch", "target": "sql", "target_port": "inputs", "path": ["body", "customers", 0]},
                {"source": "sql", "target": "sorted"},
                {"source": "fetch", "source_port": "error", "target": "apology"},
                {"source": "sorted", "source_port": "not paid", "target": "respond"},
            ],
            "outputs": {"answer": {"node": "respond"}, "paid": {"node": "sorted", "port": "in"}, "first": {"node": "rows", "path": [0, "order"]}},
            "settings": {"timeout": "PT600S", "on_interrupt": "run_again"},
        }
    )


NIGHTLY = '''\
from datetime import date
from typing import Annotated

from pydantic import Field

import nbflow as nf
from nbflow import flow


@flow(name="Nightly import", timeout=600, on_interrupt="run_again")
def nightly_import(since: date, limit: Annotated[int, Field(ge=1)] = 100):
    """Fetch orders, price them, answer.

    Runs at night.
    """
    fetch = nf.nodes.action.http.options(
        retry={"max_tries": 5, "wait": 0.5},
        timeout=30,
        on_error="output",
        notes="The CRM is slow on Mondays.",
    )(url="https://example.org/orders", query={"since": since, "limit": limit})

    def rows_body(item):
        price = nf.nodes.action.http(item, url=f"https://example.org/price/{item['sku']}")
        if_ = nf.nodes.logic.if_.options(id="if")(price["body"], condition="input.price > 100")
        big = nf.nodes.action.transform(
            if_.true,
            mode="expression",
            expression="{{ {'order': item, 'price': nodes.price['body']} }}",
        )

        def inner_body(number, index):
            nf.nodes.logic.wait(index)

        nf.nodes.logic.loop_for.options(id="inner", timeout=60)(if_.false, body=inner_body, end=3)
        return big

    rows = nf.foreach(fetch, rows_body, field="body.orders", concurrency=4, on_item_error="collect")
    sql = nf.nodes.logic.merge(
        rows,
        fetch["body"]["customers"][0],
        mode="sql",
        query="""\\
select *
from input1
join input2 using ("id")
where total > 10
""",
    )
    sorted_ = nf.nodes.logic.switch.options(id="sorted")(
        sql,
        rules=[
            {"output": "not paid", "condition": "input.total == 0"},
            {"output": "in", "condition": "input.total > 0"},
        ],
        fallback="extra",
    )
    nf.nodes.flow.respond.options(id="apology", disabled=True)(
        fetch.error, body={"since": f"since {since}"}
    )
    respond = nf.nodes.flow.respond(sorted_.port("not paid"))
    return {"answer": respond, "paid": sorted_.in_, "first": rows[0]["order"]}
'''


def test_a_flow_of_catalogue_nodes_reads_as_written_by_hand():
    assert written(nightly()) == NIGHTLY
    assert parts(drawn(NIGHTLY)) == parts(nightly())


@pytest.mark.skipif(shutil.which("ruff") is None and not Path(".venv/bin/ruff").exists(), reason="needs ruff")
@slow
@given(flows())
def test_what_is_written_is_laid_out_as_ruff_would(flow):
    code = written(flow)
    if code.count('"""') > 2 or '(\n        "' in code or len(max(code.split("\n"), key=len)) > WIDTH or ")(" in code or "\\" in code:
        return  # what black's own versions differ about
    ruff = shutil.which("ruff") or ".venv/bin/ruff"
    done = subprocess.run([ruff, "format", "--isolated", "--line-length", str(WIDTH), "-"], input=code, capture_output=True, text=True, check=True)
    assert done.stdout == code


CALLS = """\
    raw = nf.nodes.data.csv(operation="parse", path=path)
    check = nf.nodes.logic.if_(total(clean(raw, least=1)), condition="{{ input > 100 }}")
    much = words.options(id="much")(check.true, size="much")
    little = words.options(id="little")(check.false, size="little")
    return nf.nodes.logic.merge(much, little, mode="choose")
"""


def test_what_is_used_once_at_once_is_written_into_its_use():
    path = {"additionalProperties": False, "properties": {"path": {"title": "path", "type": "string"}}, "required": ["path"], "type": "object"}
    flow = document(
        Node(id="raw", type="data.csv", config={"operation": "parse", "path": "{{ params.path }}"}),
        function("clean", args={"least": 1}),
        function("total"),
        Node(id="check", type="logic.if", config={"condition": "{{ input > 100 }}"}),
        function("much", "words", args={"size": "much"}),
        function("little", "words", args={"size": "little"}),
        Node(id="merge", type="logic.merge", config={"mode": "choose"}),
        edges=(
            Edge(source="raw", target="clean", target_port="rows"),
            Edge(source="clean", target="total", target_port="rows"),
            Edge(source="total", target="check"),
            Edge(source="check", source_port="true", target="much", target_port="value"),
            Edge(source="check", source_port="false", target="little", target_port="value"),
            Edge(source="much", target="merge", target_port="inputs"),
            Edge(source="little", target="merge", target_port="inputs"),
        ),
        outputs={"merge": Output(node="merge")},
        parameters=path,
    )
    code = written(flow)
    assert body(code) == CALLS
    assert drawn(code).hash == flow.hash
    assert "def words(value, size):" in code


def test_a_body_of_one_expression_is_a_lambda_and_of_one_function_that_function():
    flow = document(
        Node(id="rows", type="trigger.manual"),
        Node(id="first", type="logic.loop.foreach"),
        function("score", parent="first"),
        Node(id="second", type="logic.loop.foreach", config={"concurrency": 2}),
        function("score_2", "score", parent="second"),
        function("half", parent="second"),
        edges=(
            Edge(source="rows", target="first"),
            Edge(source="first", source_port="item", target="score", target_port="row"),
            Edge(source="score", target="first", target_port="result"),
            Edge(source="first", target="second"),
            Edge(source="second", source_port="item", target="score_2", target_port="row", path=("n",)),
            Edge(source="score_2", target="half", target_port="value"),
            Edge(source="half", target="second", target_port="result"),
        ),
        outputs={"second": Output(node="second")},
    )
    code = written(flow)
    assert "    first = nf.foreach(rows, score)\n" in code
    assert 'def second_body(item):\n        score_2 = score(item["n"])\n        return half(score_2)\n' in code
    assert drawn(code).hash == flow.hash


def test_sources_are_written_once_with_their_imports_at_the_top():
    source = (
        "import math\n\nfrom nbflow import node\n\nTWO = 2\n\n\n@node(timeout=5)\ndef root(value):\n    return math.sqrt(TWO * value)\n\n\n"
        "@node\ndef one():\n    return 1\n"
    )
    flow = document(
        function("one"),
        function("root", settings=NodeSettings(timeout=FlowSettings().timeout, each=True)),
        edges=(Edge(source="one", target="root", target_port="value"),),
        outputs={"root": Output(node="root")},
    )
    code = written(flow, {"__main__:one": source, "__main__:root": source})
    assert code.startswith("import math\n\nfrom nbflow import flow, node\n\n\nTWO = 2\n\n\n@node(timeout=5)\ndef root(value):")
    assert code.count("def root") == 1
    assert body(code) == "    return root.options(timeout=None, each=True)(one())\n"
    assert drawn(code).hash == flow.hash


def test_functions_of_modules_are_imported():
    flow = document(
        Node(id="data", type="trigger.manual"),
        Node(id="mean", type="python.function", config={"function": "statistics:mean"}),
        edges=(Edge(source="data", target="mean", target_port="data"),),
    )
    code = written(flow)
    assert code.startswith("from statistics import mean\n\nimport nbflow as nf\nfrom nbflow import flow, node\n\n\nmean = node(mean)\n")
    assert drawn(code).hash == flow.hash


@pytest.mark.parametrize(
    ("name", "expected"),
    [("class", "class_"), ("print", "print_"), ("my node", "my_node"), ("2x", "node_2x"), ("nf", "nf_"), ("", "node")],
)
def test_ids_that_are_no_names_get_safe_variables(name, expected):
    from nbflow.authoring.names import Names

    assert Names({"nf"}).free(name) == expected


def test_a_schema_that_no_signature_says_is_given_as_it_is():
    flow = document(
        Node(id="a", type="trigger.manual", config={"sample": ["{{ params.count }}", "{{ params['not a name'] }}"]}),
        parameters={"type": "object", "properties": {"count": {"type": "integer", "x-unit": "rows"}, "not a name": {}}},
    )
    code = written(flow)
    assert "@flow(\n    parameters={" in code
    assert "def f(count):" in code
    assert "sample=[count, \"{{ params['not a name'] }}\"]" in code
    assert drawn(code).hash == flow.hash


def test_optional_parameters_before_required_ones_are_given_by_name():
    schema = {"additionalProperties": False, "required": ["b"], "type": "object"}
    properties = {"a": {"default": 1, "title": "a", "type": "integer"}, "b": {"title": "b", "type": "string"}}
    code = written(document(parameters={**schema, "properties": properties}))
    assert "def f(a: int = 1, *, b: str):\n    pass\n" in code


def test_a_long_text_is_broken_at_its_words():
    text = "a word and " * 30
    code = written(document(Node(id="a", type="trigger.manual", config={"sample": text})))
    assert all(len(line) <= WIDTH for line in code.split("\n"))
    assert drawn(code).node("a").config == {"sample": text}


# What is refused ---------------------------------------------------------------------------------

MANUAL = Node(id="a", type="trigger.manual")
IF = Node(id="b", type="logic.if", config={"condition": "input"})
LOOP = Node(id="loop", type="logic.loop.foreach", config={"items": [1]})


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (document(MANUAL, MANUAL), "node 'a', field 'id': another node has the same id"),
        (document(Node(id="a", type="no.such")), "node 'a', field 'type'"),
        (document(Node(id="a", type="logic.wait", parent="loop")), "node 'a', field 'parent': the loop 'loop' does not exist"),
        (document(MANUAL, Node(id="b", type="logic.wait", parent="a")), "node 'b', field 'parent': 'a' is no loop"),
        (document(Node(id="a", type="logic.loop.foreach", parent="a")), "node 'a', field 'parent': it is inside itself"),
        (document(IF, edges=(Edge(source="x", target="b"),)), "node 'b', field 'input': an edge leads to the node 'x', which does not exist"),
        (document(MANUAL, IF, edges=(Edge(source="a", target="b", target_port="x"),)), "node 'b', field 'x': it has no such input; it has input"),
        (document(MANUAL, IF, edges=(Edge(source="a", target="b", source_port="x"),)), "node 'a', field 'x': it has no such output; it has output"),
        (document(MANUAL, IF, edges=(Edge(source="a", target="b"),) * 2), "node 'b', field 'input': several edges end here"),
        (document(IF, edges=(Edge(source="b", source_port="true", target="b"),)), "wait for each other"),
        (
            document(LOOP, Node(id="c", type="logic.wait", parent="loop"), IF, edges=(Edge(source="c", target="b"),)),
            "node 'b', field 'input': 'c' is inside a loop",
        ),
        (document(LOOP, Node(id="c", type="logic.wait", parent="loop"), outputs={"x": Output(node="c")}), "output 'x', field 'node': 'c' is inside"),
        (document(function("a", "<lambda>")), "node 'a', field 'config.function': '__main__:<lambda>' is no function at the top level"),
        (document(function("a", "f#2")), "node 'a', field 'config.function'"),
        (document(Node(id="a", type="trigger.manual", config={"sample": float("nan")})), "node 'a', field 'config.sample': it holds nan"),
        (document(Node(id="a", type="trigger.manual", config={"class_": 1})), "node 'a', field 'config.class_': in Python this name means"),
    ],
)
def test_what_no_code_draws_is_refused_with_node_and_field(flow, message):
    with pytest.raises(DefinitionError) as caught:
        written(flow)
    assert str(caught.value).startswith("flow 'f' cannot be written as Python: ")
    assert message in str(caught.value)


def test_a_source_that_does_not_define_the_function_is_refused():
    with pytest.raises(DefinitionError, match="its source does not define 'a'"):
        written(document(function("a")), {"__main__:a": "def b(): ..."})
    with pytest.raises(DefinitionError, match="is no Python"):
        written(document(function("a")), {"__main__:a": "def a("})
