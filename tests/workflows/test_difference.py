"""What changed between two flows."""

from __future__ import annotations

import json
from dataclasses import replace

from nbflow.core.flow import Edge, Flow, FlowSettings, Node, NodeSettings, Output, Retry
from nbflow.workflows.difference import diff
from nbflow.workflows.module import Module

BEFORE = Flow(
    name="daily",
    parameters={"type": "object", "properties": {"day": {"type": "string"}, "old": {"type": "integer"}}, "required": ["day"]},
    nodes=(Node(id="fetch", type="action.http", config={"url": "http://a", "headers": {"x": "1"}}), Node(id="gone", type="logic.merge")),
    edges=(Edge(source="fetch", target="gone"),),
    outputs={"out": Output(node="gone")},
    layout={"fetch": (0, 0)},
)


def lines(after, **options):
    return [line.strip() for line in diff(BEFORE, after, ("v1", "v2"), **options).text().splitlines()]


def test_layout_is_no_difference():
    found = diff(BEFORE, replace(BEFORE, layout={"fetch": (5, 5)}))
    assert not found
    assert "no difference" in found.text()
    assert "no difference" in found._repr_html_()


def test_nodes_are_compared_field_by_field():
    fetch = Node(
        id="fetch", type="action.http", config={"url": "http://b", "headers": {"x": "1", "y": "2"}}, settings=NodeSettings(retry=Retry(max_tries=5))
    )
    after = replace(
        BEFORE, nodes=(fetch, Node(id="new", type="logic.merge")), edges=(Edge(source="fetch", target="new"),), outputs={"out": Output(node="new")}
    )
    found = lines(after)
    assert found[0] == "v1 -> v2"
    assert '~ node fetch, config.url: "http://a" -> "http://b"' in found
    assert '+ node fetch, config.headers.y: "2"' in found
    assert any(line.startswith("+ node fetch, settings") for line in found)
    assert any(line.startswith("- node gone") for line in found)
    assert any(line.startswith("+ node new") for line in found)
    assert {"- edge fetch.output -> gone.input", "+ edge fetch.output -> new.input"} <= set(found)
    assert '~ output out, node: "gone" -> "new"' in found


def test_parameters_and_settings_are_compared():
    parameters = {"type": "object", "properties": {"day": {"type": "integer"}, "more": {"type": "string"}}, "required": []}
    found = lines(replace(BEFORE, name="nightly", parameters=parameters, settings=FlowSettings(concurrency=2, vars={"a": 1})))
    assert '~ parameter day, type: "string" -> "integer"' in found
    assert "~ parameter day, required: true -> false" in found
    assert any(line.startswith("- parameter old") for line in found)
    assert any(line.startswith("+ parameter more") for line in found)
    assert "+ setting concurrency: 2" in found
    assert any(line.startswith("~ flow") and '"daily" -> "nightly"' in line for line in found)


def test_the_order_of_edges_into_one_port_is_a_difference():
    edges = (Edge(source="fetch", target="gone"), Edge(source="third", target="gone"))
    base = replace(BEFORE, nodes=(*BEFORE.nodes, Node(id="third", type="logic.merge")), edges=edges)
    assert "order" in diff(base, replace(base, edges=edges[::-1])).text()


def test_code_is_a_unified_diff_file_by_file():
    modules = (Module(files={"a.py": "x = 1\n"}, entry="a.py"), Module(files={"a.py": "x = 2\n", "b.py": "y = 1\n"}, entry="a.py"))
    found = diff(BEFORE, BEFORE, ("v1", "v2"), modules=modules)
    assert found
    assert found.changes == ()
    for line in ("--- v1/a.py", "+++ v2/a.py", "-x = 1", "+x = 2", "+++ v2/b.py", "+y = 1"):
        assert line in found.code.splitlines()
    assert diff(BEFORE, BEFORE, modules=(modules[0], None)).code


def test_html_is_inline_and_escaped():
    after = replace(BEFORE, description="<script>alert(1)</script>")
    modules = (None, Module(files={"a.py": "x = '<b>'\n"}, entry="a.py"))
    html = diff(BEFORE, after, modules=modules)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;" in html
    assert "<style" not in html
    assert "class=" not in html


def test_a_difference_is_json():
    data = json.loads(json.dumps(diff(BEFORE, replace(BEFORE, description="x"), ("v1", "v2")).to_dict()))
    assert data["changes"] == [{"kind": "flow", "how": "changed", "name": "daily", "field": "description", "before": "", "after": "x"}]
