"""Workflows as files."""

from __future__ import annotations

import json

import pytest

import nbflow as nf
from nbflow.core.errors import DocumentError
from nbflow.core.flow import Flow
from nbflow.core.redaction import redactor
from nbflow.workflows.file import from_document, read_file, to_document
from nbflow.workflows.module import Module

from .small import flow, step

CODE = "from nbflow import node\n\n@node\ndef double(value: int) -> int:\n    return value * FACTOR\n\nFACTOR = 2\n"
PORTS = {"inputs": [{"name": "value"}]}
MODULE = Module(files={"published.py": CODE}, entry="published.py", functions={"__main__:double": "double"}, ports={"__main__:double": PORTS})
DOUBLE = Flow.from_dict(
    {
        "nbflow": 1,
        "name": "doubled",
        "parameters": {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]},
        "nodes": [{"id": "double", "type": "python.function", "config": {"function": "__main__:double", "args": {"value": "{{ params.value }}"}}}],
    }
)


def test_an_exported_workflow_comes_back(library):
    made = library.create(DOUBLE, module=MODULE, name="double it", description="Twice", tags=("a", "b"))
    document = json.loads(json.dumps(to_document(made)))
    assert document["workflow"] == {"name": "double it", "description": "Twice", "tags": ["a", "b"]}
    found = from_document(document)
    assert (found.flow, found.module, found.name, found.description, found.tags) == (DOUBLE, MODULE, "double it", "Twice", ("a", "b"))


def test_an_older_version_can_be_exported(library):
    made = library.create(flow(step(output=1)))
    changed = library.update(made.id, flow=flow(step(output=2)))
    assert from_document(to_document(changed, library.version(made.id, 1))).flow == made.flow


def test_a_plain_flow_document_is_such_a_file():
    found = from_document(DOUBLE.to_dict())
    assert (found.module, found.name, found.tags) == (None, "doubled", ())


def test_a_known_secret_does_not_leave(library):
    made = library.create(flow(step(output="a-very-secret-value")))
    redactor.learn("a-very-secret-value", name="shop")
    try:
        assert "a-very-secret-value" not in json.dumps(to_document(made))
    finally:
        redactor.forget_all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workflow": []}, "'workflow' is an object"),
        ({"workflow": {"owner": "me"}}, "unknown field 'owner'"),
        ({"workflow": {"tags": "a"}}, "'workflow.tags' is a list of texts"),
        ({"workflow": {"name": 1}}, "'workflow.name' is a text"),
        ({"module": {"files": {}}}, "module: 'entry'"),
        ({"nodes": 1}, "field 'nodes'"),
    ],
)
def test_a_wrong_file_is_explained(change, message):
    with pytest.raises(DocumentError, match=message):
        from_document({**DOUBLE.to_dict(), **change}, source="x.flow.json")


def test_a_missing_or_broken_file_is_explained(tmp_path):
    with pytest.raises(DocumentError, match="cannot read"):
        read_file(tmp_path / "none.flow.json")
    (tmp_path / "broken.flow.json").write_text('{"nbflow": ')
    with pytest.raises(DocumentError, match=r"broken.flow.json is not JSON: .*line 1"):
        read_file(tmp_path / "broken.flow.json")


def test_an_exported_workflow_runs_where_it_is_loaded(library, tmp_path):
    path = tmp_path / "doubled.flow.json"
    path.write_text(json.dumps(to_document(library.create(DOUBLE, module=MODULE))))
    loaded = nf.load(path)
    assert loaded.check() == []
    assert loaded(value=4).result(30) == {"double": 8}
