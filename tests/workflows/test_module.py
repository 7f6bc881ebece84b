"""Modules as JSON."""

from __future__ import annotations

import pytest

from nbflow.authoring.function import node
from nbflow.core.errors import DefinitionError, DocumentError
from nbflow.core.flow import Edge, Flow, Node
from nbflow.core.node import Inputs  # noqa: TC001 -- the decorator reads annotations
from nbflow.workflows.admission import admit
from nbflow.workflows.module import Module, ports_of

MODULE = Module(
    files={"b.py": "y = 1\n", "a.py": "x = 1\n"}, entry="a.py", folder="notebooks", functions={"__main__:f": "f"}, ports={"__main__:f": {}}
)


@node(outputs=("big", "small"), join="live", where="inline")
def split(rows: Inputs, limit: int = 3, ctx=None) -> object: ...


def test_a_module_comes_back_from_json():
    assert Module.from_dict(MODULE.to_dict()) == MODULE


def test_other_code_has_another_hash_and_another_order_has_not():
    same = Module.from_dict({**MODULE.to_dict(), "files": dict(reversed(MODULE.to_dict()["files"].items()))})
    assert same.hash == MODULE.hash
    assert Module.from_dict({**MODULE.to_dict(), "folder": "."}).hash != MODULE.hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": "c.py"}, "'entry' is 'c.py', which is none of its files"),
        ({"files": {"a.py": "", "../b.py": ""}}, "file '../b.py' is no relative name"),
        ({"files": {"a.py": "", "/b.py": ""}}, "file '/b.py' is no relative name"),
        ({"files": {"a.py": "", "b.so": ""}}, "file 'b.so' is no relative name of a Python file"),
        ({"files": {"a.py": 1}}, "'files' is an object of texts"),
        ({"functions": []}, "'functions' is an object of texts"),
        ({"ports": {"f": 1}}, "'ports' is an object of objects"),
        ({"ports": {"f": {"inputs": [1]}}}, "'ports' of 'f'"),
        ({"ports": {"f": {"join": "some"}}}, "'ports' of 'f'"),
        ({"ports": {"f": {"where": ["thread"]}}}, "'ports' of 'f'"),
        ({"folder": "/etc"}, "'folder' is '/etc'"),
        ({"extra": 1}, "unknown field 'extra'"),
    ],
)
def test_a_wrong_module_is_explained(change, message):
    with pytest.raises(DocumentError, match=f"import: {message}"):
        Module.from_dict({**MODULE.to_dict(), **change}, source="import")


def test_something_else_is_no_module():
    with pytest.raises(DocumentError, match="a module is a JSON object"):
        Module.from_dict([])


def test_what_functions_declare_is_kept_for_checking():
    module = Module.from_dict(
        {"files": {"a.py": ""}, "entry": "a.py", "functions": {"m:split": "split"}, "ports": {"m:split": ports_of(split.node_type)}}
    )
    declared = module.declarations()["m:split"]
    assert [(port.name, port.required, port.many) for port in declared.inputs] == [("rows", False, True), ("limit", False, False)]
    assert (declared.outputs, declared.join, declared.where, declared.takes_context) == (("big", "small"), "live", "inline", "ctx")
    nodes = (Node(id="split", type="python.function", config={"function": "m:split"}), Node(id="end", type="logic.merge"))
    admit(Flow(name="a", nodes=nodes, edges=(Edge(source="split", source_port="big", target="end", target_port="inputs"),)), module)


def test_a_declared_function_cannot_be_called():
    module = Module(files={"a.py": ""}, entry="a.py", functions={"m:f": "f"}, ports={"m:f": {}})
    with pytest.raises(DefinitionError, match="'m:f' is in its published module"):
        module.declarations()["m:f"].function()
