"""`@flow`, and what it makes."""

from __future__ import annotations

import pytest

import nbflow as nf
from nbflow import flow, node
from nbflow.core.errors import CheckError, DefinitionError, DocumentError, ParameterError


@node
def add(left: int, right: int) -> int:
    return left + right


@flow
def adding(left: int, right: int = 2):
    return add(left, right)


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch):
    from nbflow.display import capture
    from nbflow.runtime.runtime import reset_runtime

    monkeypatch.setenv("NBFLOW_STORE", "memory")
    reset_runtime()
    yield
    reset_runtime()
    capture.uninstall()


def test_parameters_go_by_place_or_by_name_and_defaults_hold():
    assert adding(1).result(10) == {"add": 3}
    assert adding(1, right=5).result(10) == {"add": 6}


@pytest.mark.parametrize(
    ("args", "params", "words"),
    [
        ((1, 2, 3), {}, "takes 2 parameters, 3 values were given"),
        ((1,), {"left": 2}, "given twice"),
        ((), {}, "parameter 'left'"),
        ((1,), {"rigth": 3}, "rigth"),
        (("x",), {}, "parameter 'left'"),
    ],
)
def test_wrong_parameters_are_told_before_anything_runs(args, params, words):
    with pytest.raises(ParameterError, match=words):
        adding(*args, **params)
    assert nf.executions().empty


def test_a_flow_of_a_notebook_sees_a_node_that_was_defined_again():
    scope = {"node": node, "flow": flow}
    exec("@node\ndef give() -> int:\n    return 1\n@flow\ndef small():\n    return give()", scope)
    assert scope["small"]().result(10) == {"give": 1}
    exec("@node\ndef give() -> int:\n    return 2", scope)

    assert scope["small"]().result(10) == {"give": 2}


def test_a_coroutine_cannot_draw_a_flow():
    with pytest.raises(DefinitionError, match="a flow's function only draws"):

        @flow
        async def wrong(): ...


def test_a_saved_flow_is_loaded_and_runs(tmp_path):
    @flow
    def sums():
        return nf.nodes.action.transform(assignments=[{"name": "total", "value": "{{ 1 + 2 }}"}])

    path = sums.save(tmp_path / "sums.flow.json")

    assert nf.load(path).document == sums.document
    assert nf.load(path).check() == []


def test_a_corrupt_file_names_itself(tmp_path):
    path = tmp_path / "bad.flow.json"
    path.write_text('{"name": ')

    with pytest.raises(DocumentError, match=r"bad\.flow\.json"):
        nf.load(path)


def test_a_flow_called_in_another_flow_draws_its_nodes_there():
    @flow
    def outer(start: int = 1):
        return adding(start, 4)

    assert [one.id for one in outer.document.nodes] == ["add"]
    assert outer().result(10) == {"add": 5}


def test_problems_are_listed_and_stop_the_start():
    @node
    def text(value: str) -> str:
        return value

    @flow
    def wrong():
        return text(add(1, 2))

    assert len(wrong.check()) == 1
    with pytest.raises(CheckError, match="flow 'wrong' has 1 problem"):
        wrong()


def test_every_public_name_is_there():
    for name in nf.__all__:
        assert getattr(nf, name) is not None
    assert set(nf.__all__) <= set(dir(nf))
    with pytest.raises(AttributeError, match="no attribute 'flwo'"):
        _ = nf.flwo


def test_description_and_schema_can_be_given_where_python_cannot_say_them():
    schema = {"type": "object", "properties": {"count": {"type": "integer", "x-unit": "rows"}, "not a name": {}}}

    @flow(name="", description=" as it is ", parameters=schema)
    def given(count):
        return add(count)

    document = given.document
    assert (document.name, document.description, document.parameters) == ("", " as it is ", schema)
    with pytest.raises(DefinitionError, match="the argument 'other' is no property"):
        flow(parameters=schema)(lambda other: None)


def test_a_flow_is_written_as_python(tmp_path):
    code = adding.to_python()
    head = f"from {__name__} import add\n\nfrom nbflow import flow\n"
    assert code == f"{head}\n\n@flow\ndef adding(left: int, right: int = 2):\n    return add(left, right)\n"
    adding.save(tmp_path / "x.flow.json")
    assert nf.load(tmp_path / "x.flow.json").to_python() == code
